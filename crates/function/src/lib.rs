//! What a Lambda function links: the core.
//!
//! For AWS it is linked statically. With the feature `dynamic`, which `cargo run` and the tests ask for, it comes
//! from one dynamic library that all functions share, because linking it into each of them takes minutes.

pub use oxcart_core::*;

#[cfg(feature = "dynamic")]
use oxcart_dynamic as _;
