//! The shop's rules for orders: its built-in rules, and after them the operators'.

use std::sync::Arc;

use super::credit::{Applicant, CreditScores, OwnOrders, ScoreUnknown};
use super::evidence::Evidence;
use super::minimum::MinimumOrder;
use super::model::Order;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError, Settings};
use crate::aws::{Aws, telemetry};
use crate::pricing::breakdown::BreakdownError as Unequal;
use crate::screening::cel::Needs;
use crate::screening::engine::{Engine, EvaluationError, Judgement, Objection, Verdict};
use crate::screening::model::Severity;
use crate::screening::operator::{Compiled, OperatorRules};
use crate::screening::view::Facts;
use crate::values::money::MoneyError;

/// The enabled rules of operators, compiled.
pub type OperatorsRules = Arc<Vec<Arc<Compiled>>>;

/// The result of all rules together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order goes on.
    Passed,
    /// An admin has to review the order, for these reasons.
    Review(String),
    /// The order fails, for these reasons.
    Rejected(String),
}

/// The settings of the built-in rules.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The least that an order has to cost.
    pub minimum: MinimumOrder,
    /// The least credit score of a customer.
    pub credit: u32,
}

impl Bounds {
    /// Reads `settings`.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            minimum: MinimumOrder::read(settings)?,
            credit: settings.read(Setting::MinimumCreditScore)?,
        })
    }
}

/// The rules, and where their facts are read.
#[derive(Clone, Debug)]
pub struct Rules<C = OwnOrders> {
    bounds: Bounds,
    operators: OperatorRules,
    evidence: Evidence,
    scores: C,
}

/// An order as the rules see it.
struct Case {
    order: Order,
    score: Result<u32, ScoreUnknown>,
    facts: Result<Facts, EvaluationError>,
}

impl Rules {
    /// Returns the rules as they are set, with credit scores from the customers' own orders.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let bounds = Bounds::read(aws.settings())?;
        Self::with(aws, bounds, OwnOrders)
    }
}

impl<C: CreditScores> Rules<C> {
    /// Returns the rules with `bounds` and the credit scores of `scores`.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn with(aws: &Aws, bounds: Bounds, scores: C) -> Result<Self, SettingError> {
        Ok(Self {
            bounds,
            operators: OperatorRules::new(aws)?,
            evidence: Evidence::new(aws)?,
            scores,
        })
    }

    /// Returns the operators' rules that are in force.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn operators(&self) -> Result<OperatorsRules, StoreError> {
        self.operators.current().await
    }

    /// Returns what the shop's rules and `operators` say of `order`.
    ///
    /// # Errors
    /// [`StoreError`] if the facts that the rules need cannot be read now, which says nothing of the order.
    pub async fn verdicts(
        &self,
        order: &Order,
        operators: &OperatorsRules,
    ) -> Result<Vec<Verdict>, StoreError> {
        let needs = operators.iter().map(|rule| rule.needs());
        let needs = needs.fold(Needs::default(), Needs::and);
        let (earlier, facts) = self.evidence.gather(order, needs).await?;
        let applicant = Applicant::from_order(order, earlier.latest);
        let score = self.scores.score(&applicant).await;
        let mut engine = built_in(self.bounds);
        for rule in operators.iter() {
            let (name, severity) = (rule.name.as_str(), rule.draft.severity);
            let rule = Arc::clone(rule);
            engine.register(name, severity, move |case: &Case| {
                let facts = case.facts.as_ref().map_err(Clone::clone)?;
                rule.judge(facts)
            });
        }
        let order = order.clone();
        Ok(engine.execute(&Case {
            order,
            score,
            facts,
        }))
    }

    /// Returns the result of all rules together for `order`, with the messages of those that it does not pass.
    ///
    /// # Errors
    /// As [`Rules::verdicts`].
    pub async fn check(
        &self,
        order: &Order,
        operators: &OperatorsRules,
    ) -> Result<Outcome, StoreError> {
        let verdicts = self.verdicts(order, operators).await?;
        for broken in verdicts.iter().filter(|found| found.code == "rule_broken") {
            tracing::warn!(order.id = %order.id, rule = broken.rule, error = broken.message, "rule broken");
        }
        Ok(Outcome::from_verdicts(verdicts))
    }
}

impl Outcome {
    /// Returns the result of `verdicts`: one rejection outweighs all reviews.
    #[must_use]
    pub fn from_verdicts(verdicts: Vec<Verdict>) -> Self {
        let against: Vec<Verdict> = verdicts.into_iter().filter(|found| !found.valid).collect();
        let messages = |severity| {
            let of_severity = against.iter().filter(|found| found.severity == severity);
            let messages: Vec<&str> = of_severity.map(|found| found.message.as_str()).collect();
            messages.join("; ")
        };
        if against.is_empty() {
            Self::Passed
        } else if against
            .iter()
            .any(|found| found.severity == Severity::Reject)
        {
            Self::Rejected(messages(Severity::Reject))
        } else {
            Self::Review(messages(Severity::Review))
        }
    }
}

/// Returns the built-in rules ([`crate::screening::model::BUILT_IN`]).
fn built_in(bounds: Bounds) -> Engine<Case> {
    let mut engine = Engine::default();
    engine.register("total_is_sum_of_lines", Severity::Reject, |case: &Case| {
        total_is_sum_of_lines(&case.order)
    });
    engine.register(
        "minimum_order_amount",
        Severity::Reject,
        move |case: &Case| minimum_order_amount(&case.order, bounds.minimum),
    );
    engine.register("customer_credit", Severity::Reject, move |case: &Case| {
        customer_credit(&case.score, bounds.credit)
    });
    engine
}

/// Checks that the order's total is the sum of its lines, discounts, shipping and tax.
pub(crate) fn total_is_sum_of_lines(order: &Order) -> Judgement {
    let objection = |message| {
        Ok(Err(Objection {
            code: "total_differs".to_owned(),
            message,
        }))
    };
    let sum = super::lines::total(order.total.currency(), &order.lines)?;
    let totals = match order.breakdown.check() {
        Ok(totals) => totals,
        Err(Unequal::Money(error)) => return Err(error.into()),
        Err(error) => return objection(error.to_string()),
    };
    if (totals.subtotal, totals.total) == (sum, order.total) {
        return Ok(Ok(()));
    }
    let total = totals.total;
    objection(format!(
        "the lines cost {total}, but the order's total is {}",
        order.total
    ))
}

fn minimum_order_amount(order: &Order, minimum: MinimumOrder) -> Judgement {
    let shortfall = minimum.shortfall(&order.breakdown, order.total)?;
    Ok(match shortfall {
        None => Ok(()),
        Some(shortfall) => Err(Objection {
            code: "below_minimum".to_owned(),
            message: shortfall.to_string(),
        }),
    })
}

fn customer_credit(score: &Result<u32, ScoreUnknown>, least: u32) -> Judgement {
    let score = score
        .as_ref()
        .map_err(|error| EvaluationError(telemetry::chain(error)))?;
    Ok(if *score >= least {
        Ok(())
    } else {
        Err(Objection {
            code: "credit_too_low".to_owned(),
            // The score itself stays within the shop.
            message: "too many payments were declined lately".to_owned(),
        })
    })
}

impl From<MoneyError> for EvaluationError {
    fn from(error: MoneyError) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests;
