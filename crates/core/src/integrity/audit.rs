//! `audit-integrity` checks everything that had an event since the last audit, records what is inconsistent, and
//! resolves findings that are not found again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, HeldQuantities};
use super::model::{Check, Finding, Run, Subject, Violation};
use super::rules;
use super::store::IntegrityStore;
use crate::aws::Aws;
use crate::aws::dynamo::{StoreError, Written};
use crate::aws::settings::SettingError;
use crate::runtime::StepError;
use crate::values::clock::Time;
use crate::values::id::{OrderId, ProductId};

/// How many subjects are read at the same time.
const AT_ONCE: usize = 16;

/// The most events that one audit reads; the next continues where it ended.
const MOST_EVENTS: usize = 10_000;

/// How far the first audit results back.
const FIRST_LOOKBACK: Duration = Duration::from_hours(25);

/// How far an audit results back beyond the end of the previous one, for events that were logged late.
const OVERLAP: Duration = Duration::from_mins(15);

/// The pause after which a violation is checked once more before it is recorded: an index lags, and something may
/// change between two reads.
const PAUSE_BEFORE_RECHECK: Duration = Duration::from_millis(500);

/// The resources of an audit.
#[derive(Clone, Debug)]
pub struct Audit {
    evidence: Evidence,
    store: IntegrityStore,
}

impl Audit {
    /// Creates the resources from the settings.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            evidence: Evidence::new(aws)?,
            store: IntegrityStore::new(aws)?,
        })
    }
}

/// The input of an audit: the event of the schedule, or the payload of an operator who invokes the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditRequest {
    /// The time of the audit.
    pub time: Time,
    /// The time from which events are read; since the last audit if absent.
    #[serde(default)]
    pub since: Option<Time>,
}

/// The outcome of an audit, which is also logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many subjects were checked.
    pub checked: u64,
    /// How many of them are still being worked on.
    pub unsettled: u64,
    /// How many findings are open.
    pub open_findings: u64,
}

/// The result of checking a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CheckResult {
    /// The subject is still being worked on.
    Unsettled,
    /// The subject is settled, and has these violations.
    Settled(Vec<Violation>),
}

/// Audits everything that had an event since the previous audit, everything that was unsettled then, and every subject
/// with an open finding.
///
/// # Errors
/// [`StepError`] if something cannot be read or stored; the next audit begins where this one did.
pub async fn audit_integrity(audit: &Audit, request: AuditRequest) -> Result<Outcome, StepError> {
    let now = request.time;
    let previous = audit.store.latest_run().await?;
    let from = match (request.since, &previous) {
        (Some(since), _) => since,
        (None, Some(run)) => run.until.minus(OVERLAP),
        (None, None) => now.minus(FIRST_LOOKBACK),
    };
    let (mut subjects, until) = audit
        .evidence
        .changed_subjects(from, now, MOST_EVENTS)
        .await?;
    subjects.extend(previous.into_iter().flat_map(|run| run.unsettled));
    let findings = audit.store.findings().await?;
    let open = findings.iter().filter(|finding| finding.is_open());
    subjects.extend(open.map(|finding| finding.subject.clone()));

    let mut results = check_all(audit, &subjects, now).await?;
    let violated = results.iter().filter(|(_, result)| result.is_violation());
    let violated: BTreeSet<Subject> = violated.map(|(subject, _)| subject.clone()).collect();
    if !violated.is_empty() {
        tokio::time::sleep(PAUSE_BEFORE_RECHECK).await;
        for (subject, second) in check_all(audit, &violated, now).await? {
            if let Some(first) = results.remove(&subject) {
                results.insert(subject, first.confirmed_by(second));
            }
        }
    }
    let open = record(&audit.store, findings, &results, now).await?;
    let unsettled = results
        .iter()
        .filter(|(_, result)| **result == CheckResult::Unsettled);
    let unsettled: Vec<Subject> = unsettled.map(|(subject, _)| subject.clone()).collect();
    let run = Run {
        at: now,
        until,
        checked: count(results.len()),
        unsettled,
        open,
    };
    // It is refused if another audit has got further meanwhile, which is then kept.
    audit.store.store_run(&run).await?;
    let outcome = Outcome {
        checked: run.checked,
        unsettled: count(run.unsettled.len()),
        open_findings: open,
    };
    // A metric filter in template.yaml reads `open_findings` for an alarm.
    tracing::info!(
        checked = outcome.checked,
        unsettled = outcome.unsettled,
        open_findings = outcome.open_findings,
        "integrity audited"
    );
    Ok(outcome)
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Checks `subjects`, and the stock of every product of the orders among them.
async fn check_all(
    audit: &Audit,
    subjects: &BTreeSet<Subject>,
    now: Time,
) -> Result<BTreeMap<Subject, CheckResult>, StoreError> {
    let mut results = BTreeMap::new();
    let mut products = BTreeSet::new();
    let subjects = subjects.iter().cloned();
    let checks = subjects.map(|subject| Box::pin(check_subject(audit, subject, now)));
    let mut checks = futures::stream::iter(checks).buffer_unordered(AT_ONCE);
    while let Some(checked) = checks.next().await {
        let (result, of_order) = checked?;
        results.extend(result);
        products.extend(of_order);
    }
    if products.is_empty() {
        return Ok(results);
    }
    let held = audit.evidence.held_quantities().await?;
    let products = products.into_iter();
    let stocks = products.map(|product| check_stock(audit, product, &held, now));
    let mut stocks = futures::stream::iter(stocks).buffer_unordered(AT_ONCE);
    while let Some(result) = stocks.next().await {
        results.extend([result?]);
    }
    Ok(results)
}

/// Checks the subject, unless it is stock. Returns its result and the products whose stock has to be checked.
async fn check_subject(
    audit: &Audit,
    subject: Subject,
    now: Time,
) -> Result<(Option<(Subject, CheckResult)>, Vec<ProductId>), StoreError> {
    let (result, products) = match &subject {
        Subject::Order(id) => check_order(audit, *id, now).await?,
        Subject::Stock(id) => return Ok((None, vec![*id])),
        Subject::Aggregate(id) => {
            let events = audit.evidence.events(id).await?;
            (CheckResult::Settled(rules::aggregate(&events)), Vec::new())
        }
    };
    Ok((Some((subject, result)), products))
}

/// Checks a product's stock, of which open reservations hold what `held` says.
async fn check_stock(
    audit: &Audit,
    product: ProductId,
    held: &HeldQuantities,
    now: Time,
) -> Result<(Subject, CheckResult), StoreError> {
    let cases = audit.evidence.stocks(product, held).await?;
    let mut times = cases.iter().map(|case| case.stock.updated_at);
    let result = if times.all(|at| rules::is_quiet(at, now)) {
        CheckResult::Settled(cases.iter().flat_map(rules::stock).collect())
    } else {
        CheckResult::Unsettled
    };
    Ok((Subject::Stock(product), result))
}

/// Checks an order. Returns its result and its products.
async fn check_order(
    audit: &Audit,
    id: OrderId,
    now: Time,
) -> Result<(CheckResult, Vec<ProductId>), StoreError> {
    let Some(case) = Box::pin(audit.evidence.order(id)).await? else {
        let violation = Violation {
            check: Check::LogIsRow,
            detail: "there are events, but no order".to_owned(),
        };
        return Ok((CheckResult::Settled(vec![violation]), Vec::new()));
    };
    let products = case
        .order
        .lines
        .iter()
        .map(|line| line.product_id)
        .collect();
    let result = if rules::is_settled(&case.order, now) {
        CheckResult::Settled(rules::order(&case))
    } else {
        CheckResult::Unsettled
    };
    Ok((result, products))
}

impl CheckResult {
    fn is_violation(&self) -> bool {
        match self {
            Self::Unsettled => false,
            Self::Settled(violations) => !violations.is_empty(),
        }
    }

    /// Returns the violations that both this check and the `second` found, as the second found them.
    fn confirmed_by(self, second: Self) -> Self {
        let (Self::Settled(first), Self::Settled(mut violations)) = (self, second) else {
            return Self::Unsettled;
        };
        violations.retain(|found| first.iter().any(|before| before.check == found.check));
        Self::Settled(violations)
    }
}

/// Records the violations in `results`, given the stored `findings`. Returns how many findings are open then.
async fn record(
    store: &IntegrityStore,
    findings: Vec<Finding>,
    results: &BTreeMap<Subject, CheckResult>,
    now: Time,
) -> Result<u64, StoreError> {
    let mut recorded: BTreeMap<(Subject, Check), Finding> = findings
        .into_iter()
        .map(|finding| ((finding.subject.clone(), finding.check), finding))
        .collect();
    for (subject, result) in results {
        let CheckResult::Settled(violations) = result else {
            continue;
        };
        for check in Check::ALL {
            let key = (subject.clone(), check);
            let mut details = violations.iter().filter(|found| found.check == check);
            let next = match (recorded.get(&key), details.next()) {
                (None, None) => None,
                (None, Some(found)) => Some(Finding::new(subject, found, now)),
                (Some(stored), Some(found)) => stored.clone().found_again(&found.detail, now),
                (Some(stored), None) => stored.clone().resolved(now),
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
                recorded.insert(key, next);
            }
        }
    }
    Ok(count(
        recorded
            .values()
            .filter(|finding| finding.is_open())
            .count(),
    ))
}
