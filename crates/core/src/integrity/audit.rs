//! `audit-integrity`: looks at everything that had an event since it looked last, records what does
//! not fit together, and closes findings that are no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Promised};
use super::model::{Check, Finding, Run, Subject, Violation};
use super::rules;
use super::store::IntegrityStore;
use crate::aws::Aws;
use crate::aws::dynamo::{StoreError, Written};
use crate::aws::settings::SettingError;
use crate::runtime::StepError;
use crate::values::clock::Time;
use crate::values::id::{OrderId, ProductId};

/// How many subjects are read at a time.
const AT_ONCE: usize = 16;

/// The most events that one audit goes through; the next goes on where it ended.
const MOST_EVENTS: usize = 10_000;

/// How far the first audit looks back.
const FIRST: Duration = Duration::from_hours(25);

/// How far an audit looks back beyond the end of the one before: events that came into the log late.
const OVERLAP: Duration = Duration::from_mins(15);

/// After how long something that does not fit together is looked at once more, before it is a finding:
/// an index lags, and a change may have come between two reads.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// What an audit needs.
#[derive(Clone, Debug)]
pub struct Audit {
    evidence: Evidence,
    store: IntegrityStore,
}

impl Audit {
    /// The resources of this function.
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

/// What is asked of an audit: the event of a schedule, or what somebody sends who invokes the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Asked {
    /// The audit's now.
    pub time: Time,
    /// From when on events are looked at; since the last audit if absent.
    #[serde(default)]
    pub since: Option<Time>,
}

/// What came of an audit: what its log line says, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many subjects were looked at.
    pub checked: u64,
    /// How many are still being worked on.
    pub unsettled: u64,
    /// How many findings are open.
    pub open_findings: u64,
}

/// What a look at a subject says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Look {
    /// It is still being worked on.
    Unsettled,
    /// It is at rest, and this does not fit together.
    Settled(Vec<Violation>),
}

/// Audits everything that had an event since the audit before, all that was unsettled then, and what
/// has an open finding.
///
/// # Errors
/// [`StepError`] if something cannot be read or stored now; the next audit begins where this one did.
pub async fn audit_integrity(audit: &Audit, asked: Asked) -> Result<Outcome, StepError> {
    let now = asked.time;
    let before = audit.store.latest().await?;
    let from = match (asked.since, &before) {
        (Some(since), _) => since,
        (None, Some(run)) => run.until.minus(OVERLAP),
        (None, None) => now.minus(FIRST),
    };
    let (mut subjects, until) = audit.evidence.touched(from, now, MOST_EVENTS).await?;
    subjects.extend(before.into_iter().flat_map(|run| run.unsettled));
    let findings = audit.store.findings().await?;
    let open = findings.iter().filter(|finding| finding.is_open());
    subjects.extend(open.map(|finding| finding.subject.clone()));

    let mut looks = look_at(audit, &subjects, now).await?;
    let doubtful = looks.iter().filter(|(_, look)| look.is_violation());
    let doubtful: BTreeSet<Subject> = doubtful.map(|(subject, _)| subject.clone()).collect();
    if !doubtful.is_empty() {
        tokio::time::sleep(SECOND_LOOK).await;
        for (subject, second) in look_at(audit, &doubtful, now).await? {
            if let Some(first) = looks.remove(&subject) {
                looks.insert(subject, first.confirmed_by(second));
            }
        }
    }
    let open = record(&audit.store, findings, &looks, now).await?;
    let unsettled = looks.iter().filter(|(_, look)| **look == Look::Unsettled);
    let unsettled: Vec<Subject> = unsettled.map(|(subject, _)| subject.clone()).collect();
    let run = Run {
        at: now,
        until,
        checked: count(looks.len()),
        unsettled,
        open,
    };
    // Refused if another audit has come further meanwhile, which then stands.
    audit.store.keep(&run).await?;
    let outcome = Outcome {
        checked: run.checked,
        unsettled: count(run.unsettled.len()),
        open_findings: open,
    };
    // A metric filter in template.yaml reads `open_findings`; an alarm looks at it.
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

/// Looks at `subjects`, and at the stock of every product of the orders among them.
async fn look_at(
    audit: &Audit,
    subjects: &BTreeSet<Subject>,
    now: Time,
) -> Result<BTreeMap<Subject, Look>, StoreError> {
    let mut looks = BTreeMap::new();
    let mut products = BTreeSet::new();
    let subjects = subjects.iter().cloned();
    let seen = subjects.map(|subject| Box::pin(subject_and_products(audit, subject, now)));
    let mut seen = futures::stream::iter(seen).buffer_unordered(AT_ONCE);
    while let Some(seen) = seen.next().await {
        let (look, of_order) = seen?;
        looks.extend(look);
        products.extend(of_order);
    }
    if products.is_empty() {
        return Ok(looks);
    }
    let promised = audit.evidence.promised().await?;
    let products = products.into_iter();
    let stocks = products.map(|product| stock(audit, product, &promised, now));
    let mut stocks = futures::stream::iter(stocks).buffer_unordered(AT_ONCE);
    while let Some(look) = stocks.next().await {
        looks.extend([look?]);
    }
    Ok(looks)
}

/// A look at the subject, unless it is a stock, and the products whose stock is to be looked at.
async fn subject_and_products(
    audit: &Audit,
    subject: Subject,
    now: Time,
) -> Result<(Option<(Subject, Look)>, Vec<ProductId>), StoreError> {
    let (look, products) = match &subject {
        Subject::Order(id) => order(audit, *id, now).await?,
        Subject::Stock(id) => return Ok((None, vec![*id])),
        Subject::Aggregate(id) => {
            let events = audit.evidence.events(id).await?;
            (Look::Settled(rules::aggregate(&events)), Vec::new())
        }
    };
    Ok((Some((subject, look)), products))
}

/// A look at a product's stock, of which open reservations hold what `promised` says.
async fn stock(
    audit: &Audit,
    product: ProductId,
    promised: &Promised,
    now: Time,
) -> Result<(Subject, Look), StoreError> {
    let cases = audit.evidence.stocks(product, promised).await?;
    let mut times = cases.iter().map(|case| case.stock.updated_at);
    let look = if times.all(|at| rules::is_quiet(at, now)) {
        Look::Settled(cases.iter().flat_map(rules::stock).collect())
    } else {
        Look::Unsettled
    };
    Ok((Subject::Stock(product), look))
}

/// A look at an order, and its products.
async fn order(
    audit: &Audit,
    id: OrderId,
    now: Time,
) -> Result<(Look, Vec<ProductId>), StoreError> {
    let Some(case) = Box::pin(audit.evidence.order(id)).await? else {
        // There are events of an order that is not stored.
        let violation = Violation {
            check: Check::LogIsRow,
            detail: "there are events, but no order".to_owned(),
        };
        return Ok((Look::Settled(vec![violation]), Vec::new()));
    };
    let products = case
        .order
        .lines
        .iter()
        .map(|line| line.product_id)
        .collect();
    let look = if rules::is_settled(&case.order, now) {
        Look::Settled(rules::order(&case))
    } else {
        Look::Unsettled
    };
    Ok((look, products))
}

impl Look {
    fn is_violation(&self) -> bool {
        match self {
            Self::Unsettled => false,
            Self::Settled(violations) => !violations.is_empty(),
        }
    }

    /// What both this look and the `second` found, as the second has it.
    fn confirmed_by(self, second: Self) -> Self {
        let (Self::Settled(first), Self::Settled(mut violations)) = (self, second) else {
            return Self::Unsettled;
        };
        violations.retain(|found| first.iter().any(|before| before.check == found.check));
        Self::Settled(violations)
    }
}

/// Records what `looks` found beside the `findings` that there were, and answers how many are open.
async fn record(
    store: &IntegrityStore,
    findings: Vec<Finding>,
    looks: &BTreeMap<Subject, Look>,
    now: Time,
) -> Result<u64, StoreError> {
    let mut known: BTreeMap<(Subject, Check), Finding> = findings
        .into_iter()
        .map(|finding| ((finding.subject.clone(), finding.check), finding))
        .collect();
    for (subject, look) in looks {
        let Look::Settled(violations) = look else {
            continue;
        };
        for check in Check::ALL {
            let key = (subject.clone(), check);
            let mut details = violations.iter().filter(|found| found.check == check);
            let next = match (known.get(&key), details.next()) {
                (None, None) => None,
                (None, Some(found)) => Some(Finding::new(subject, found, now)),
                (Some(stored), Some(found)) => stored.clone().seen(&found.detail, now),
                (Some(stored), None) => stored.clone().resolved(now),
            };
            let Some(next) = next else { continue };
            if store.put(&next).await? == Written::Done {
                tracing::warn!(
                    subject = %next.subject,
                    check = next.check.name(),
                    detail = next.detail,
                    event = next.event.event_type,
                    "finding changed"
                );
                known.insert(key, next);
            }
        }
    }
    Ok(count(
        known.values().filter(|finding| finding.is_open()).count(),
    ))
}
