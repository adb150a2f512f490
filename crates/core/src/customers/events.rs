//! The events of customers, built from their stored items.

use serde::{Deserialize, Serialize};

use super::rules::ROLES_CHANGED;
use super::store::RoleItem;
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::CustomerId;

/// What of a stored customer its events need; the item of an address has none of it.
#[derive(Deserialize)]
struct Image {
    customer_id: CustomerId,
    roles: Vec<RoleItem>,
    event: Stamp,
}

/// The data of [`ROLES_CHANGED`].
#[derive(Serialize)]
struct RolesChanged {
    roles: Vec<RoleItem>,
}

/// The event that the stored item `image` carries; `None` for an item without one.
///
/// # Errors
/// If the item has not the shape of a customer.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    if !image.contains_key("event") {
        return Ok(None);
    }
    let Image {
        customer_id,
        roles,
        event,
    } = serde_dynamo::from_item(image)?;
    let data = if event.event_type == ROLES_CHANGED {
        serde_json::to_value(RolesChanged { roles })
    } else {
        Ok(serde_json::Value::Object(serde_json::Map::new()))
    };
    let data = data.map_err(<serde_dynamo::Error as serde::de::Error>::custom)?;
    Ok(Some(DomainEvent::new(customer_id, event, data)))
}
