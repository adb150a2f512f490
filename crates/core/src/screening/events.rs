//! `RuleSet` (`{name, code, severity, enabled, author}`) and `RuleRemoved` (`{name}`), both of the aggregate
//! `rule#<name>`. What operators write, expression and message, stays in the table.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::changes::aggregate;
use super::model::{RuleName, Severity};
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::CustomerId;

/// The attributes that are read from a changed item: a rule, a tombstone, or the head, which has no
/// event.
#[derive(Deserialize)]
struct Image {
    rule_name: String,
    event: Option<Stamp>,
    code: Option<String>,
    severity: Option<Severity>,
    enabled: Option<bool>,
    author: Option<CustomerId>,
}

/// The data of the event; for a removed rule only its name.
#[derive(Serialize)]
struct Data {
    name: RuleName,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<CustomerId>,
}

/// Returns the last event of the rule whose item is `image`, or `None` for the head.
///
/// # Errors
/// If `image` is not an item of this table.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let image: Image = serde_dynamo::from_item(image)?;
    let Some(stamp) = image.event else {
        return Ok(None);
    };
    let name: RuleName = image
        .rule_name
        .parse()
        .map_err(serde_dynamo::Error::custom)?;
    let aggregate_id = aggregate(&name);
    let data = Data {
        name,
        code: image.code,
        severity: image.severity,
        enabled: image.enabled,
        author: image.author,
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    Ok(Some(DomainEvent::new(aggregate_id, stamp, data)))
}
