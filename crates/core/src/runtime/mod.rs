//! The loops that pass Lambda's events to handlers: HTTP requests, steps of the order workflow, messages from
//! a queue, and all other events.

mod event;
mod http;
mod invocation;
mod queue;
mod step;

pub use event::{Scheduled, serve_event};
pub use http::{serve_http, serve_http_uncounted};
pub use invocation::Error;
pub use queue::{ConsumeError, Message, batch, serve_queue};
pub use step::{Step, StepError, StepFailure, serve_step};
