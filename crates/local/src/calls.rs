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

/// Returns the length of the longest chain of calls in which each began after the one before had
/// ended. A call is given as its start and its end.
#[must_use]
pub fn in_a_row(mut calls: Vec<(Duration, Duration)>) -> usize {
    calls.sort_unstable_by_key(|&(_, ended)| ended);
    let mut count = 0;
    let mut last = Duration::ZERO;
    // Always taking the call that ends first leaves the most room for others.
    for (started, ended) in calls {
        if started >= last {
            count += 1;
            last = ended;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(calls: &[(u64, u64)]) -> Vec<(Duration, Duration)> {
        let ms = Duration::from_millis;
        calls
            .iter()
            .map(|&(started, ended)| (ms(started), ms(ended)))
            .collect()
    }

    #[test]
    fn only_calls_that_waited_for_another_one_are_in_a_row() {
        for (expected, calls) in [
            (0, &[][..]),
            (1, &[(0, 20)]),
            // At the same time.
            (1, &[(0, 20), (1, 21), (2, 22)]),
            // One after another.
            (3, &[(0, 20), (20, 40), (41, 60)]),
            // Four at once, one before and one after them.
            (
                3,
                &[(0, 20), (21, 41), (21, 42), (22, 50), (22, 45), (51, 70)],
            ),
            // Two chains at once, one of two calls and one of three.
            (3, &[(0, 30), (31, 60), (0, 20), (21, 40), (41, 61)]),
            // A long one beside two short ones.
            (2, &[(0, 100), (1, 20), (21, 40)]),
        ] {
            assert_eq!(in_a_row(times(calls)), expected, "{calls:?}");
        }
    }
}
