//! `audit-integrity` looks again at what is open, reads on in all tables, checks everything that had an event since the
//! last audit, records what is inconsistent, and resolves findings that are not found again.
//!
//! Each part is done in pieces, and after each piece the audit stores how far it has got. So an audit that is cut or dies
//! has advanced all the same, and the next one continues where it stopped.

use std::time::Duration;

use serde::Deserialize;

use super::pass::{Outcome, Pass};
use super::progress::Run;
use super::resources::Audit;
use crate::runtime::StepError;
use crate::values::clock::Time;

/// How far the first audit looks back.
const FIRST_LOOKBACK: Duration = Duration::from_hours(25);

/// How far an audit looks back beyond the end of a previous one that had caught up, for events that were logged late.
const OVERLAP: Duration = Duration::from_mins(15);

/// The input of an audit: the event of the schedule, or the payload of an operator who invokes the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditRequest {
    /// The time of the audit.
    pub time: Time,
    /// The time from which events are read; since the last audit if absent.
    #[serde(default)]
    pub since: Option<Time>,
}

/// Audits what is open, the next items of all tables, and everything that had an event since the previous audit.
///
/// # Errors
/// [`StepError`] if something cannot be read or stored; the next audit continues where this one stopped.
pub async fn audit_integrity(audit: &Audit, request: AuditRequest) -> Result<Outcome, StepError> {
    let previous = audit.store.latest_run().await?;
    let from = first_event(previous.as_ref(), request);
    let mut pass = Pass::begin(audit, previous, request.time).await?;
    pass.look_again().await?;
    pass.read_on().await?;
    pass.look_at_events(from).await?;
    pass.compare_stock().await?;
    Ok(pass.end().await?)
}

/// Returns the time from which events are read.
fn first_event(previous: Option<&Run>, request: AuditRequest) -> Time {
    match (request.since, previous) {
        (Some(since), _) => since,
        (None, Some(run)) if run.has_caught_up() => run.until.minus(OVERLAP),
        (None, Some(run)) => run.until,
        (None, None) => request.time.minus(FIRST_LOOKBACK),
    }
}
