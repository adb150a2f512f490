//! Asynchronous invocations: retries, and the record of what failed for good.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::error::InvokeError;
use crate::clock::Clock;

/// Before the first and the second retry of a function's error.
const RETRY_AFTER: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// A throttled event is tried again after 1 second, then twice as long, up to 5 minutes ...
const THROTTLE_AFTER: Duration = Duration::from_secs(1);
const THROTTLE_AFTER_AT_MOST: Duration = Duration::from_mins(5);
/// ... until it is 6 hours old.
const MAX_AGE: Duration = Duration::from_hours(6);

/// An asynchronous invocation that failed for good.
pub(super) struct Failure {
    pub(super) error: InvokeError,
    /// Tries that ran.
    tries: usize,
}

/// Invokes until it works or nothing is left to try.
pub(super) async fn run<Answer>(
    clock: &Clock,
    retries: usize,
    function: &str,
    invoke: impl Fn() -> Answer,
) -> Result<(), Failure>
where
    Answer: Future<Output = Result<Bytes, InvokeError>>,
{
    let since = clock.now();
    let (mut tries, mut throttled) = (0, THROTTLE_AFTER);
    loop {
        let Err(error) = invoke().await else {
            return Ok(());
        };
        let wait = match error {
            InvokeError::Unknown(_) => return Err(Failure { error, tries }),
            InvokeError::Throttled => {
                let wait = throttled;
                throttled = (throttled * 2).min(THROTTLE_AFTER_AT_MOST);
                wait
            }
            InvokeError::Function { .. }
            | InvokeError::Timeout { .. }
            | InvokeError::Exited { .. } => {
                tries += 1;
                match RETRY_AFTER.get(tries - 1).filter(|_| tries <= retries) {
                    Some(wait) => *wait,
                    None => return Err(Failure { error, tries }),
                }
            }
        };
        tracing::info!(function, %error, tries, "asynchronous invocation failed, will be tried again");
        clock.sleep(wait).await;
        if clock.now().duration_since(since).unsigned_abs() > MAX_AGE {
            return Err(Failure { error, tries });
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    version: &'static str,
    timestamp: String,
    request_context: RequestContext<'a>,
    request_payload: Value,
    response_context: ResponseContext,
    response_payload: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: String,
    function_arn: &'a str,
    condition: &'static str,
    approximate_invoke_count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: &'static str,
    function_error: &'static str,
}

impl Failure {
    /// The invocation record that an on-failure destination gets.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
    pub(super) fn record(&self, now: Timestamp, arn: &str, payload: &[u8]) -> String {
        let throttled = matches!(self.error, InvokeError::Throttled);
        let record = Record {
            version: "1.0",
            timestamp: format!("{now:.3}"),
            request_context: RequestContext {
                request_id: uuid::Uuid::new_v4().to_string(),
                function_arn: arn,
                condition: if throttled {
                    "EventAgeExceeded"
                } else {
                    "RetriesExhausted"
                },
                approximate_invoke_count: self.tries,
            },
            request_payload: json(payload),
            response_context: ResponseContext {
                status_code: if throttled { 429 } else { 200 },
                executed_version: "$LATEST",
                function_error: "Unhandled",
            },
            response_payload: json(&self.error.payload()),
        };
        serde_json::to_string(&record).unwrap_or_default()
    }
}

/// What is JSON, as it is; anything else as a string.
fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}
