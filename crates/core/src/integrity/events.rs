//! Published: `IntegrityViolated` and `IntegrityRestored` (`{subject, check, detail}`), of the
//! aggregate `finding#<subject>#<check>`; and events of other services that were lost, as these services made them.

use serde::Serialize;
use serde::de::Error as _;
use serde_dynamo::AttributeValue;

use super::model::aggregate;
use super::store::{FindingItem, LostItem};
use crate::values::event::DomainEvent;

#[derive(Serialize)]
struct Data {
    subject: String,
    check: String,
    detail: String,
}

/// Returns the `source` of the lost event that the item `image` brings back, or `None` if it is another item.
#[must_use]
pub fn source_of_lost(image: &serde_dynamo::Item) -> Option<&str> {
    match image.get("source") {
        Some(AttributeValue::S(source)) => Some(source),
        Some(_) | None => None,
    }
}

/// Returns the last event of the finding whose item is `image`, or the lost event that it brings back.
///
/// # Errors
/// If `image` is neither.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    if source_of_lost(&image).is_some() {
        let item: LostItem = serde_dynamo::from_item(image)?;
        return Ok(Some(item.into()));
    }
    let item: FindingItem = serde_dynamo::from_item(image)?;
    let aggregate = aggregate(&item.sk);
    let data = serde_json::to_value(Data {
        subject: item.subject,
        check: item.check,
        detail: item.detail,
    });
    let data = data.map_err(serde_dynamo::Error::custom)?;
    Ok(Some(DomainEvent::new(aggregate, item.event, data)))
}
