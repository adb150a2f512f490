//! How results become findings.

use std::collections::BTreeSet;

use super::checks::{CheckResult, Results};
use super::model::{Check, Finding, Subject, Violation};
use super::store::IntegrityStore;
use crate::aws::dynamo::{StoreError, Written};
use crate::values::clock::Time;

/// Records the violations in `results`, and resolves findings of the subjects in `open` that are not found again.
/// Returns by how much that changes the number of open findings. `open` then also has the subjects of new findings.
pub(super) async fn record(
    store: &IntegrityStore,
    open: &mut BTreeSet<Subject>,
    results: &Results,
    now: Time,
) -> Result<i64, StoreError> {
    let mut opened = 0;
    for (subject, result) in results {
        let CheckResult::Settled(violations) = result else {
            continue;
        };
        if violations.is_empty() && !open.contains(subject) {
            continue;
        }
        opened += record_of(store, subject, violations, now).await?;
        if violations.is_empty() {
            open.remove(subject);
        } else {
            open.insert(subject.clone());
        }
    }
    Ok(opened)
}

async fn record_of(
    store: &IntegrityStore,
    subject: &Subject,
    violations: &[Violation],
    now: Time,
) -> Result<i64, StoreError> {
    let stored = store.findings_of(subject).await?;
    let mut opened = 0;
    for check in Check::ALL {
        let before = stored.iter().find(|finding| finding.check == check);
        let found = violations.iter().find(|found| found.check == check);
        let next = match (before.cloned(), found) {
            (None, None) => None,
            (None, Some(found)) => Some(Finding::new(subject, found, now)),
            (Some(before), Some(found)) => before.found_again(&found.detail, now),
            (Some(before), None) => before.resolved(now),
        };
        let Some(next) = next else { continue };
        if store.store_finding(&next).await? == Written::Done {
            tracing::warn!(
                subject = %next.subject,
                check = next.check.name(),
                detail = next.detail,
                event = next.event.event_type,
                "finding changed"
            );
            let was_open = before.is_some_and(Finding::is_open);
            opened += i64::from(next.is_open()) - i64::from(was_open);
        }
    }
    Ok(opened)
}
