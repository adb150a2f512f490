//! The shop, tested from outside: over HTTP, with the real binaries, the real template and the real
//! state machine, on the local runner or, for what needs no more than the shop's address, wherever
//! `OXCART_URL` points to.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail"
)]

mod api;
mod faults;
mod support;
mod template;
mod workflow;
