//! The events of customers, built from the stored items.

use serde::{Deserialize, Serialize};

use super::item::RoleItem;
use super::rules::{GROUP_CHANGED, ROLES_CHANGED};
use crate::values::event::{DomainEvent, Stamp};
use crate::values::group::CustomerGroup;
use crate::values::id::CustomerId;

/// The attributes of a stored customer that its events need. The item of an email address has none of them.
#[derive(Deserialize)]
struct Image {
    customer_id: CustomerId,
    roles: Vec<RoleItem>,
    #[serde(default)]
    group: Option<CustomerGroup>,
    event: Stamp,
}

/// The data of [`ROLES_CHANGED`].
#[derive(Serialize)]
struct RolesChanged {
    roles: Vec<RoleItem>,
}

/// The data of [`GROUP_CHANGED`].
#[derive(Serialize)]
struct GroupChanged {
    group: Option<CustomerGroup>,
}

/// Returns the event that the stored item `image` carries, or `None` if it carries none.
///
/// # Errors
/// Returns an error if the item does not have the shape of a customer.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    if !image.contains_key("event") {
        return Ok(None);
    }
    let Image {
        customer_id,
        roles,
        group,
        event,
    } = serde_dynamo::from_item(image)?;
    let data = match event.event_type.as_str() {
        ROLES_CHANGED => serde_json::to_value(RolesChanged { roles }),
        GROUP_CHANGED => serde_json::to_value(GroupChanged { group }),
        _ => Ok(serde_json::Value::Object(serde_json::Map::new())),
    };
    let data = data.map_err(<serde_dynamo::Error as serde::de::Error>::custom)?;
    Ok(Some(DomainEvent::new(customer_id, event, data)))
}
