//! Runs a SAM template on one machine.
//!
//! The functions are their real binaries, each a process that speaks the Lambda Runtime API; the
//! AWS services that they call are served on one local port. Nothing here knows the shop: whatever
//! is particular to one application is in its template. What a template asks for and this crate does
//! not emulate is an error that names it.

pub mod access;
pub mod arn;
pub mod aws;
pub mod bill;
pub mod buckets;
pub mod calls;
pub mod clock;
mod control;
pub mod dynamodb;
pub mod endpoint;
pub mod events;
pub mod faults;
pub mod functions;
pub mod gateway;
mod jsonpath;
mod loopback;
pub mod mail;
pub mod map;
pub mod model;
mod params;
pub mod queues;
pub mod record;
pub mod runner;
pub mod s3;
pub mod schedule;
pub mod secrets;
pub mod states;
pub mod template;
