//! The table of rules.
//!
//! Items: `part` = `rule` with the rules there are, `removed` with what is left of removed ones (so
//! that their events go on counting), and one `head`, which every change counts on in the same
//! transaction.

use serde::{Deserialize, Serialize};

use super::model::{Draft, MOST, Rule, RuleError, RuleName, Severity};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// The shape that is written now.
const SCHEMA: u32 = 1;

/// A rule as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct RuleItem {
    part: String,
    rule_name: RuleName,
    expression: String,
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

/// What is left of a removed rule.
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
    /// The table that the settings name (`RULES_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::RulesTable)?;
        Ok(Self { table })
    }

    /// The rule `name`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, name: &RuleName) -> Result<Option<Rule>, StoreError> {
        let item: Option<RuleItem> = self.table.get(rule_key(name)).await?;
        Ok(item.map(Rule::from))
    }

    /// All rules, in the order in which they were made: at most [`MOST`], in one query.
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

    /// How often any rule has changed, as it was a moment ago: half a read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revision(&self) -> Result<u64, StoreError> {
        let head: Option<HeadItem> = self.table.get_eventually(head_key()).await?;
        Ok(head.map_or(0, |head| head.revision))
    }

    /// The version of the removal of the rule that once was `name`; 0 if there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn removed_version(&self, name: &RuleName) -> Result<u64, StoreError> {
        let item: Option<RemovedItem> = self.table.get(removed_key(name)).await?;
        Ok(item.map_or(0, |item| item.version))
    }

    /// Stores a new rule; what is left of an older one of its name goes.
    ///
    /// # Errors
    /// [`RuleError::Stale`] if there is one meanwhile, [`RuleError::TooMany`].
    pub async fn create(&self, rule: &Rule) -> Result<(), RuleError> {
        let put = self.table.put(&RuleItem::new(rule))?;
        let before = rule.version.saturating_sub(1);
        let left = self.table.delete(removed_key(&rule.name));
        let left = if before == 0 {
            left.when("attribute_not_exists(rule_name)")
        } else {
            left.when("version = :before").value(":before", &before)?
        };
        let head = self.counted("ADD revision :one, rule_count :one")?;
        let head = head
            .when("attribute_not_exists(rule_count) OR rule_count < :most")
            .value(":most", &MOST)?;
        let writes = vec![put.when("attribute_not_exists(rule_name)"), left, head];
        match self.table.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(places) => match self.get(&rule.name).await? {
                // Our own write, whose answer was lost.
                Some(stored) if stored == *rule => Ok(()),
                None if places == [2] => Err(RuleError::TooMany),
                Some(_) | None => Err(RuleError::Stale),
            },
        }
    }

    /// Stores `rule` over the version before it.
    ///
    /// # Errors
    /// [`RuleError::Stale`] if that is not what is stored.
    pub async fn replace(&self, rule: &Rule) -> Result<(), RuleError> {
        let put = self.table.put(&RuleItem::new(rule))?;
        let put = put
            .when("version = :before")
            .value(":before", &rule.version.saturating_sub(1))?;
        let head = self.counted("ADD revision :one")?;
        match self.table.transact(vec![put, head]).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => match self.get(&rule.name).await? {
                Some(stored) if stored == *rule => Ok(()),
                Some(_) | None => Err(RuleError::Stale),
            },
        }
    }

    /// Removes `rule`, whose removal is `event`.
    ///
    /// # Errors
    /// [`RuleError::Stale`] if another version is stored, or none.
    pub async fn remove(&self, rule: &Rule, event: Stamp) -> Result<(), RuleError> {
        let delete = self.table.delete(rule_key(&rule.name));
        let delete = delete
            .when("version = :version")
            .value(":version", &rule.version)?;
        let version = event.version;
        let left = self.table.put(&RemovedItem {
            part: "removed".to_owned(),
            rule_name: rule.name.clone(),
            version,
            schema: SCHEMA,
            event,
        })?;
        let head = self.counted("ADD revision :one, rule_count :less")?;
        let writes = vec![delete, left, head.value(":less", &-1)?];
        match self.table.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(_) if self.removed_version(&rule.name).await? == version => Ok(()),
            Written::Refused(_) => Err(RuleError::Stale),
        }
    }

    /// A change of the head, which counts the revision on by one.
    fn counted(&self, expression: &str) -> Result<Write, StoreError> {
        let update = self.table.update(head_key(), expression);
        update.value(":one", &1)
    }
}
