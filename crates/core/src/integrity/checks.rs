//! The checks of orders and of the events of other aggregates, with what they read.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use super::evidence::Evidence;
use super::model::{Check, Subject, Violation};
use super::rules;
use crate::aws::dynamo::StoreError;
use crate::values::clock::Time;
use crate::values::id::{OrderId, VariantId};

/// How many subjects are read at the same time.
const AT_ONCE: usize = 16;

/// The results of checks.
pub(super) type Results = BTreeMap<Subject, CheckResult>;

/// The result of checking a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CheckResult {
    /// The subject is still being worked on.
    Unsettled,
    /// The subject is settled, and has these violations.
    Settled(Vec<Violation>),
}

impl CheckResult {
    pub(super) fn is_violation(&self) -> bool {
        match self {
            Self::Unsettled => false,
            Self::Settled(violations) => !violations.is_empty(),
        }
    }

    /// Returns the violations that both this check and the `second` found, as the second found them.
    pub(super) fn confirmed_by(self, second: Self) -> Self {
        let (Self::Settled(first), Self::Settled(mut violations)) = (self, second) else {
            return Self::Unsettled;
        };
        violations.retain(|found| first.iter().any(|before| before.check == found.check));
        Self::Settled(violations)
    }
}

/// Returns `checked`, or the violation that an item of the subject cannot be read. It does not say why, because such an
/// error quotes the item, and findings have no personal data.
pub(super) fn readable(
    checked: Result<CheckResult, StoreError>,
) -> Result<CheckResult, StoreError> {
    match checked {
        Err(StoreError::Shape(_)) => Ok(CheckResult::Settled(vec![Violation {
            check: Check::RowIsReadable,
            detail: "an item does not have the shape of its table".to_owned(),
        }])),
        checked => checked,
    }
}

/// Checks `subjects` except for stock. Returns the results, and the products whose stock is to be checked: those among
/// the subjects, and those of the orders.
pub(super) async fn check_all(
    evidence: &Evidence,
    subjects: &BTreeSet<Subject>,
    now: Time,
) -> Result<(Results, BTreeSet<VariantId>), StoreError> {
    let mut results = Results::new();
    let mut products = BTreeSet::new();
    let checks = subjects.iter().cloned();
    let checks = checks.map(|subject| Box::pin(check_one(evidence, subject, now)));
    let mut checks = futures::stream::iter(checks).buffer_unordered(AT_ONCE);
    while let Some(checked) = checks.next().await {
        let (result, of_order) = checked?;
        results.extend(result);
        products.extend(of_order);
    }
    Ok((results, products))
}

async fn check_one(
    evidence: &Evidence,
    subject: Subject,
    now: Time,
) -> Result<(Option<(Subject, CheckResult)>, Vec<VariantId>), StoreError> {
    let mut products = Vec::new();
    let checked = match &subject {
        Subject::Order(id) => order(evidence, *id, now, &mut products).await,
        Subject::Stock(id) => return Ok((None, vec![*id])),
        Subject::Aggregate(id) => {
            let events = evidence.events(id).await;
            events.map(|events| CheckResult::Settled(rules::aggregate(&events)))
        }
    };
    Ok((Some((subject, readable(checked)?)), products))
}

/// Checks an order, and adds its products to `products`.
async fn order(
    evidence: &Evidence,
    id: OrderId,
    now: Time,
    products: &mut Vec<VariantId>,
) -> Result<CheckResult, StoreError> {
    let Some(case) = Box::pin(evidence.order(id)).await? else {
        let violation = Violation {
            check: Check::LogIsRow,
            detail: "there are events, but no order".to_owned(),
        };
        return Ok(CheckResult::Settled(vec![violation]));
    };
    products.extend(case.order.lines.iter().map(|line| line.variant_id));
    Ok(if rules::is_settled(&case, now) {
        CheckResult::Settled(rules::order(&case))
    } else {
        CheckResult::Unsettled
    })
}
