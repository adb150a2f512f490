//! When each AWS call of a function began and ended: for measurements, such as how many calls of one
//! invocation are made one after another.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One AWS call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedCall {
    /// The function, by logical id.
    pub function: String,
    /// The function's process, as its session token names it.
    pub process: String,
    /// The id of the invocation that the process was working on; `None` between invocations.
    pub invocation: Option<String>,
    /// The process's end of the connection that carried the call.
    pub connection: SocketAddr,
    /// Service and operation, such as `dynamodb:Query`.
    pub action: String,
    /// When the request had been read, since the log was made.
    pub started: Duration,
    /// When the response was ready, since the log was made.
    pub ended: Duration,
}

/// Collects the calls. Clones share what is collected.
#[derive(Clone, Debug)]
pub struct CallLog {
    since: Instant,
    calls: Arc<Mutex<Vec<TimedCall>>>,
}

impl Default for CallLog {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            calls: Arc::default(),
        }
    }
}

impl CallLog {
    /// The time since the log was made.
    pub(crate) fn now(&self) -> Duration {
        self.since.elapsed()
    }

    /// Adds a call.
    pub(crate) fn add(&self, call: TimedCall) {
        self.lock().push(call);
    }

    /// Returns the calls collected since the last `take`, in the order in which they ended.
    #[must_use]
    pub fn take(&self) -> Vec<TimedCall> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<TimedCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
