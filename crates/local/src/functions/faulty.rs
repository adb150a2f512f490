//! Invocations that fail because a fault wants them to.

use std::time::Duration;

use bytes::Bytes;

use super::error::InvokeError;
use super::workers::Workers;
use crate::faults::{Decision, Faults, Mode};

/// Invokes a function, or lets happen what is to happen instead.
pub(super) async fn invoke(
    workers: &Workers,
    faults: &Faults,
    function: &str,
    payload: Bytes,
    trace: Option<String>,
) -> Result<Bytes, InvokeError> {
    let Decision { delay, mode } = faults.for_invocation(function);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match mode {
        Some(Mode::Throttle) => Err(InvokeError::Throttled),
        Some(Mode::Error) => Err(InvokeError::from_parts("Lambda.ServiceException", "fault")),
        Some(Mode::TimeoutBefore) => {
            let pool = workers.pool(function);
            let after = pool.map_or(Duration::ZERO, |pool| pool.function().timeout);
            Err(InvokeError::Timeout { after })
        }
        Some(Mode::KillBefore) => Err(exited("killed by a fault")),
        Some(Mode::KillAfter | Mode::LostAnswer) => {
            // Its response is lost.
            let _ = workers.run(function, payload, trace).await;
            Err(exited("answer lost by a fault"))
        }
        Some(Mode::Duplicate) => {
            let _ = workers.run(function, payload.clone(), trace.clone()).await;
            workers.run(function, payload, trace).await
        }
        Some(
            Mode::Conflict
            | Mode::StaleRead
            | Mode::Reorder
            | Mode::Keep
            | Mode::Partial
            | Mode::Delay(_),
        )
        | None => workers.run(function, payload, trace).await,
    }
}

fn exited(status: &str) -> InvokeError {
    InvokeError::Exited {
        status: status.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::Clock;
    use crate::functions::{Functions, Handler};
    use crate::model::Stack;

    #[tokio::test]
    async fn each_mode_of_a_fault_has_its_documented_outcome() {
        let cases = [
            ("throttle", Some("Lambda.TooManyRequestsException"), 0),
            ("error", Some("Lambda.ServiceException"), 0),
            ("timeout", Some("Sandbox.Timedout"), 0),
            ("kill-before", Some("Runtime.ExitError"), 0),
            ("lost-answer", Some("Runtime.ExitError"), 1),
            ("kill-after", Some("Runtime.ExitError"), 1),
            ("duplicate", None, 2),
            ("delay:1", None, 1),
        ];
        for (mode, error, runs) in cases {
            let ran = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&ran);
            let handler: Handler = Arc::new(move |payload| {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(payload)
            });
            let handlers = BTreeMap::from([("Echo".to_owned(), handler)]);
            let functions = Functions::in_process(handlers, Clock::system());
            let faults = Faults::new(&Stack::default(), 0);
            faults
                .set_text(&[format!("lambda:Invoke@*={mode}#1")])
                .unwrap();
            functions.set_faults(faults);
            let first = functions.invoke("Echo", Bytes::from_static(b"1")).await;
            let failed = first.as_ref().err().map(InvokeError::error_type);
            assert_eq!(failed, error, "{mode}");
            assert_eq!(ran.load(Ordering::Relaxed), runs, "{mode}");
            functions
                .invoke("Echo", Bytes::from_static(b"2"))
                .await
                .unwrap();
        }
    }
}
