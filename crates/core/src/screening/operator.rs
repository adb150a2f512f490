//! Operators' rules as orders are checked against them: compiled once, cached in the process, and read
//! again only when the table's revision has changed.

use std::sync::{Arc, Mutex, PoisonError};

use super::cel::{CompileError, Expression, Needs};
use super::engine::{EvaluationError, Judgement, Objection};
use super::model::Draft;
use super::store::RuleStore;
use super::view::Facts;
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::values::money::Currency;

/// A rule with its compiled expression, or the reason why it no longer compiles.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// Its content.
    pub draft: Draft,
    expression: Result<Expression, CompileError>,
}

impl Compiled {
    /// Compiles the rule `name` with the content `draft`, in a shop whose currency is `shop_currency`.
    #[must_use]
    pub fn new(name: &str, draft: Draft, shop_currency: Currency) -> Self {
        let currency = draft.currency.unwrap_or(shop_currency);
        Self {
            name: name.to_owned(),
            expression: Expression::compile(&draft.expression, currency),
            draft,
        }
    }

    /// Returns what it reads beyond the order itself.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.expression
            .as_ref()
            .map_or(Needs::default(), Expression::needs)
    }

    /// Evaluates the rule on `facts`. An order in another currency than the rule's own is not checked against it, and passes.
    ///
    /// # Errors
    /// [`EvaluationError`] if it cannot be evaluated or does not compile.
    pub fn judge(&self, facts: &Facts) -> Judgement {
        let own_currency = self.draft.currency;
        if own_currency.is_some_and(|currency| currency != facts.currency()) {
            return Ok(Ok(()));
        }
        let broken = |error: &dyn std::error::Error| EvaluationError(error.to_string());
        let expression = self.expression.as_ref().map_err(|error| broken(error))?;
        let holds = expression.holds(facts).map_err(|error| broken(&error))?;
        Ok(if holds {
            Ok(())
        } else {
            Err(Objection {
                code: self.draft.code.clone(),
                message: self.draft.message.clone(),
            })
        })
    }
}

#[derive(Debug)]
struct Cached {
    revision: u64,
    rules: Arc<Vec<Arc<Compiled>>>,
}

/// The enabled rules, with their cache.
#[derive(Clone, Debug)]
pub struct OperatorRules {
    store: RuleStore,
    currency: Currency,
    cached: Arc<Mutex<Option<Cached>>>,
}

impl OperatorRules {
    /// Returns the rules of the table that the settings name (`RULES_TABLE`, `SHOP_CURRENCY`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            store: RuleStore::new(aws)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
            cached: Arc::default(),
        })
    }

    /// Returns the enabled rules in the order of their creation. The read is eventually consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn current(&self) -> Result<Arc<Vec<Arc<Compiled>>>, StoreError> {
        let revision = self.store.revision().await?;
        if let Some(rules) = self.cached(revision) {
            return Ok(rules);
        }
        // A table without a head never had a rule.
        let rules = if revision == 0 {
            Vec::new()
        } else {
            self.store.all().await?
        };
        let enabled = rules.into_iter().filter(|rule| rule.draft.enabled);
        let compiled = enabled
            .map(|rule| Arc::new(Compiled::new(rule.name.as_str(), rule.draft, self.currency)));
        let rules: Arc<Vec<Arc<Compiled>>> = Arc::new(compiled.collect());
        let cached = Cached {
            revision,
            rules: Arc::clone(&rules),
        };
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(cached);
        Ok(rules)
    }

    fn cached(&self, revision: u64) -> Option<Arc<Vec<Arc<Compiled>>>> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = cached.as_ref().filter(|cached| cached.revision == revision);
        cached.map(|cached| Arc::clone(&cached.rules))
    }
}
