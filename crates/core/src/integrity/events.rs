//! Published: `IntegrityViolated` and `IntegrityRestored` (`{subject, check, detail}`), of the
//! aggregate `finding#<subject>#<check>`.

use serde::Serialize;
use serde::de::Error as _;

use super::model::aggregate;
use super::store::FindingItem;
use crate::values::event::DomainEvent;

#[derive(Serialize)]
struct Data {
    subject: String,
    check: String,
    detail: String,
}

/// Returns the last event of the finding whose item is `image`.
///
/// # Errors
/// If `image` is not a finding.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
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
