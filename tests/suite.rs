//! The shop, tested from outside: over HTTP, with the real binaries, the real template and the real
//! state machine, on the local runner or, for what needs no more than the shop's address, wherever
//! `OXCART_URL` points to.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail"
)]
#![expect(
    clippy::format_push_string,
    reason = "what a test shows is short, and reads better so"
)]
#![expect(
    clippy::needless_raw_string_hashes,
    reason = "a program writes the snapshots (UPDATE_EXPECT=1)"
)]

mod api;
mod faults;
mod support;
mod template;
mod workflow;
