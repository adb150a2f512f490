//! The shop's rules for orders: those that come with it are registered here, operators' after them.

use std::sync::Arc;

use super::credit::{Applicant, CreditScores, OwnOrders, ScoreUnknown};
use super::evidence::Evidence;
use super::model::Order;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError, Settings};
use crate::aws::{Aws, telemetry};
use crate::pricing::breakdown::Broken as Unequal;
use crate::rules::cel::Needs;
use crate::rules::engine::{Broken, Engine, Judgement, Objection, Verdict};
use crate::rules::model::Severity;
use crate::rules::operator::{Compiled, OperatorRules};
use crate::rules::view::Facts;
use crate::values::money::{Currency, Money, MoneyError};

/// The enabled rules of operators, compiled.
pub type OperatorsRules = Arc<Vec<Arc<Compiled>>>;

/// What all rules together make of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Passed,
    /// Somebody has to look at it, for these reasons.
    Review(String),
    /// It fails, for these reasons.
    Rejected(String),
}

/// What the rules that come with the shop are set to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The least total of an order.
    pub minimum: Money,
    /// The least credit score of a customer.
    pub credit: u32,
}

impl Bounds {
    /// As `settings` have them.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing, or the least amount is none in the shop's currency.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let currency: Currency = settings.read(Setting::ShopCurrency)?;
        let amount: String = settings.read(Setting::MinimumOrderAmount)?;
        let minimum = Money::parse(&amount, currency)
            .map_err(|_| SettingError::Invalid(Setting::MinimumOrderAmount.name(), amount))?;
        let credit = settings.read(Setting::MinimumCreditScore)?;
        Ok(Self { minimum, credit })
    }
}

/// The rules, and what they ask.
#[derive(Clone, Debug)]
pub struct Rules<C = OwnOrders> {
    bounds: Bounds,
    operators: OperatorRules,
    evidence: Evidence,
    scores: C,
}

/// What rules are asked about.
struct Case {
    order: Order,
    score: Result<u32, ScoreUnknown>,
    facts: Result<Facts, Broken>,
}

impl Rules {
    /// Rules as the settings have them, and the operators' with them; scores are made of the
    /// customers' own orders.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let bounds = Bounds::read(aws.settings())?;
        Self::with(aws, bounds, OwnOrders)
    }
}

impl<C: CreditScores> Rules<C> {
    /// Rules with other bounds, and scores by another.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
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
    /// [`StoreError`].
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
        let applicant = Applicant::of(order, earlier.latest);
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

    /// What all rules together make of `order`, with the messages of those that it does not pass.
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
        Ok(Outcome::of(verdicts))
    }
}

impl Outcome {
    /// What `verdicts` come to: one that rejects outweighs all that want a review.
    #[must_use]
    pub fn of(verdicts: Vec<Verdict>) -> Self {
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

/// The rules that come with the shop ([`crate::rules::model::BUILT_IN`]).
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

/// Whether the order costs what its lines, discounts, shipping and tax come to.
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
        "the lines cost {total}, the order says {}",
        order.total
    ))
}

fn minimum_order_amount(order: &Order, minimum: Money) -> Judgement {
    if order.total.compare(minimum)?.is_ge() {
        return Ok(Ok(()));
    }
    Ok(Err(Objection {
        code: "below_minimum".to_owned(),
        message: format!(
            "the total of {} is below the minimum of {minimum}",
            order.total
        ),
    }))
}

fn customer_credit(score: &Result<u32, ScoreUnknown>, least: u32) -> Judgement {
    let score = score
        .as_ref()
        .map_err(|error| Broken(telemetry::chain(error)))?;
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

impl From<MoneyError> for Broken {
    fn from(error: MoneyError) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests;
