//! Lambda: a pool of processes for each function, invoked synchronously or asynchronously.

use bytes::Bytes;

pub use error::InvokeError;

mod error;

/// The stack's functions. Clones share the processes.
#[derive(Clone, Debug)]
pub struct Functions {}

impl Functions {
    /// Invokes a function (logical id) and waits for its answer. Counts in the bill.
    ///
    /// # Errors
    /// [`InvokeError`] for every way in which there is no answer.
    #[expect(clippy::unused_async, reason = "processes come next")]
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        drop(payload);
        Err(InvokeError::Unknown(function.to_owned()))
    }

    /// Invokes a function (logical id) asynchronously: returns at once. A failed invocation is
    /// tried again as the template says, after one and then two minutes of the clock, and goes to
    /// the on-failure destination in the end.
    pub fn invoke_async(&self, function: &str, payload: Bytes) {
        let _ = (function, payload);
    }

    /// Kills the process that was started with this `AWS_SESSION_TOKEN`. Answers whether there was
    /// one.
    #[must_use]
    pub fn kill_process(&self, token: &str) -> bool {
        let _ = token;
        false
    }
}
