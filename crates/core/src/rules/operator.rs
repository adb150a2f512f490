//! Operators' rules as orders meet them: compiled once, kept in the process, read again only when the
//! table's revision has changed.

use std::sync::{Arc, Mutex, PoisonError};

use super::cel::{CompileError, Expression, Needs};
use super::engine::{Broken, Judgement, Objection};
use super::model::Draft;
use super::store::RuleStore;
use super::view::Facts;
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::values::money::Currency;

/// A rule with its expression compiled, or why it does not compile any more.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// What it says.
    pub draft: Draft,
    expression: Result<Expression, CompileError>,
}

impl Compiled {
    /// The rule `name` that says `draft`, compiled.
    #[must_use]
    pub fn of(name: &str, draft: Draft, currency: Currency) -> Self {
        Self {
            name: name.to_owned(),
            expression: Expression::compile(&draft.expression, currency),
            draft,
        }
    }

    /// What it reads of what is not with the order itself.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.expression
            .as_ref()
            .map_or(Needs::default(), Expression::needs)
    }

    /// What it says of `facts`.
    ///
    /// # Errors
    /// [`Broken`] if it is neither true nor false of them, or does not compile.
    pub fn judge(&self, facts: &Facts) -> Judgement {
        let broken = |error: &dyn std::error::Error| Broken(error.to_string());
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
struct Kept {
    revision: u64,
    rules: Arc<Vec<Arc<Compiled>>>,
}

/// The rules that are enabled.
#[derive(Clone, Debug)]
pub struct OperatorRules {
    store: RuleStore,
    currency: Currency,
    kept: Arc<Mutex<Option<Kept>>>,
}

impl OperatorRules {
    /// The rules of the table that the settings name (`RULES_TABLE`, `SHOP_CURRENCY`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            store: RuleStore::new(aws)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
            kept: Arc::default(),
        })
    }

    /// The enabled rules, in the order in which they were made, as they were a moment ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn current(&self) -> Result<Arc<Vec<Arc<Compiled>>>, StoreError> {
        let revision = self.store.revision().await?;
        if let Some(rules) = self.known(revision) {
            return Ok(rules);
        }
        // A shop whose table has no head never had a rule.
        let rules = if revision == 0 {
            Vec::new()
        } else {
            self.store.all().await?
        };
        let enabled = rules.into_iter().filter(|rule| rule.draft.enabled);
        let compiled = enabled
            .map(|rule| Arc::new(Compiled::of(rule.name.as_str(), rule.draft, self.currency)));
        let rules: Arc<Vec<Arc<Compiled>>> = Arc::new(compiled.collect());
        let kept = Kept {
            revision,
            rules: Arc::clone(&rules),
        };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(rules)
    }

    fn known(&self, revision: u64) -> Option<Arc<Vec<Arc<Compiled>>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| kept.revision == revision);
        kept.map(|kept| Arc::clone(&kept.rules))
    }
}
