//! The table of rules.
//!
//! Its items have the `part` `rule` (the rules), `removed` (a tombstone for each removed rule, so that
//! the numbers of its events go on), or `head` (one item, whose revision every change increments in the
//! same transaction).

use serde::{Deserialize, Serialize};

use super::model::{Draft, MAX_RULES, Rule, RuleError, RuleName, Severity};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;
use crate::values::money::Currency;

/// The version of the stored shape.
const SCHEMA: u32 = 1;

/// A rule as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct RuleItem {
    part: String,
    rule_name: RuleName,
    expression: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    message: String,
    code: String,
    severity: Severity,
    enabled: bool,
    version: u64,
    author: CustomerId,
    created_at: Time,
    updated_at: Time,
    schema: u32,
    event: Stamp,
}

/// The tombstone of a removed rule.
#[derive(Debug, Serialize, Deserialize)]
struct RemovedItem {
    part: String,
    rule_name: RuleName,
    version: u64,
    schema: u32,
    event: Stamp,
}

#[derive(Debug, Deserialize)]
struct HeadItem {
    revision: u64,
}

impl RuleItem {
    fn new(rule: &Rule) -> Self {
        let draft = rule.draft.clone();
        Self {
            part: "rule".to_owned(),
            rule_name: rule.name.clone(),
            expression: draft.expression,
            currency: draft.currency,
            message: draft.message,
            code: draft.code,
            severity: draft.severity,
            enabled: draft.enabled,
            version: rule.version,
            author: rule.author,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            schema: SCHEMA,
            event: rule.event.clone(),
        }
    }
}

impl From<RuleItem> for Rule {
    fn from(item: RuleItem) -> Self {
        Self {
            name: item.rule_name,
            draft: Draft {
                expression: item.expression,
                currency: item.currency,
                message: item.message,
                code: item.code,
                severity: item.severity,
                enabled: item.enabled,
            },
            version: item.version,
            author: item.author,
            created_at: item.created_at,
            updated_at: item.updated_at,
            event: item.event,
        }
    }
}

fn rule_key(name: &RuleName) -> Key {
    Key::new("part", "rule").and("rule_name", name)
}

fn removed_key(name: &RuleName) -> Key {
    Key::new("part", "removed").and("rule_name", name)
}

fn head_key() -> Key {
    Key::new("part", "head").and("rule_name", "head")
}

/// The table of rules.
#[derive(Clone, Debug)]
pub struct RuleStore {
    table: Table,
}

impl RuleStore {
    /// Returns the table that the settings name (`RULES_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::RulesTable)?;
        Ok(Self { table })
    }

    /// Returns the rule `name`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, name: &RuleName) -> Result<Option<Rule>, StoreError> {
        let item: Option<RuleItem> = self.table.get(rule_key(name)).await?;
        Ok(item.map(Rule::from))
    }

    /// Returns all rules in the order of their creation: at most [`MAX_RULES`], in one query.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all(&self) -> Result<Vec<Rule>, StoreError> {
        let query = self.table.query("part = :part").value(":part", "rule");
        let items: Vec<RuleItem> = query.consistent().all().await?;
        let mut rules: Vec<Rule> = items.into_iter().map(Rule::from).collect();
        rules.sort_by_cached_key(Rule::position);
        Ok(rules)
    }

    /// Returns how many changes the table has seen. The read is eventually consistent and costs half a
    /// read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revision(&self) -> Result<u64, StoreError> {
        let head: Option<HeadItem> = self.table.get_eventually(head_key()).await?;
        Ok(head.map_or(0, |head| head.revision))
    }

    /// Returns the version of the last removal of the rule `name`, or 0 if it was never removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn removed_version(&self, name: &RuleName) -> Result<u64, StoreError> {
        let item: Option<RemovedItem> = self.table.get(removed_key(name)).await?;
        Ok(item.map_or(0, |item| item.version))
    }

    /// Stores a new rule and deletes the tombstone of its name.
    ///
    /// # Errors
    /// [`RuleError::Stale`] if the rule exists by now; [`RuleError::TooMany`] if the table is full.
    pub async fn create(&self, rule: &Rule) -> Result<(), RuleError> {
        let put = self.table.put(&RuleItem::new(rule))?;
        let before = rule.version.saturating_sub(1);
        let tombstone = self.table.delete(removed_key(&rule.name));
        let tombstone = if before == 0 {
            tombstone.when("attribute_not_exists(rule_name)")
        } else {
            tombstone
                .when("version = :before")
                .value(":before", &before)?
        };
        let head = self.update_head("ADD revision :one, rule_count :one")?;
        let head = head
            .when("attribute_not_exists(rule_count) OR rule_count < :most")
            .value(":most", &MAX_RULES)?;
        let writes = vec![put.when("attribute_not_exists(rule_name)"), tombstone, head];
        match self.table.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(places) => match self.get(&rule.name).await? {
                // Our own write, whose response was lost.
                Some(stored) if stored == *rule => Ok(()),
                None if places == [2] => Err(RuleError::TooMany),
                Some(_) | None => Err(RuleError::Stale),
            },
        }
    }

    /// Replaces the version before `rule`.
    ///
    /// # Errors
    /// [`RuleError::Stale`] if another version is stored.
    pub async fn replace(&self, rule: &Rule) -> Result<(), RuleError> {
        let put = self.table.put(&RuleItem::new(rule))?;
        let put = put
            .when("version = :before")
            .value(":before", &rule.version.saturating_sub(1))?;
        let head = self.update_head("ADD revision :one")?;
        match self.table.transact(vec![put, head]).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => match self.get(&rule.name).await? {
                Some(stored) if stored == *rule => Ok(()),
                Some(_) | None => Err(RuleError::Stale),
            },
        }
    }

    /// Removes `rule` and stores `event`, the event of its removal.
    ///
    /// # Errors
    /// [`RuleError::Stale`] if another version is stored, or the rule is gone.
    pub async fn remove(&self, rule: &Rule, event: Stamp) -> Result<(), RuleError> {
        let delete = self.table.delete(rule_key(&rule.name));
        let delete = delete
            .when("version = :version")
            .value(":version", &rule.version)?;
        let version = event.version;
        let tombstone = self.table.put(&RemovedItem {
            part: "removed".to_owned(),
            rule_name: rule.name.clone(),
            version,
            schema: SCHEMA,
            event,
        })?;
        let head = self.update_head("ADD revision :one, rule_count :less")?;
        let writes = vec![delete, tombstone, head.value(":less", &-1)?];
        match self.table.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(_) if self.removed_version(&rule.name).await? == version => Ok(()),
            Written::Refused(_) => Err(RuleError::Stale),
        }
    }

    /// Returns an update of the head, in which `:one` is 1.
    fn update_head(&self, expression: &str) -> Result<Write, StoreError> {
        let update = self.table.update(head_key(), expression);
        update.value(":one", &1)
    }
}
