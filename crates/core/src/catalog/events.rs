//! `ProductCreated`, `ProductUpdated` (`{name, category, price, sale, status}`, `sale` only if there is one) and `ProductDiscontinued`
//! (`{}`), all of the aggregate `<product_id>`.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::ProductId;
use crate::values::money::Money;

use super::model::{Category, Status};
use super::prices::Sale;

/// The attributes that are read from a changed product's item.
#[derive(Deserialize)]
struct Image {
    product_id: ProductId,
    name: String,
    category: Category,
    price: Money,
    sale: Option<Sale>,
    status: Status,
    event: Option<Stamp>,
}

#[derive(Serialize)]
struct Data {
    name: String,
    category: Category,
    price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    status: Status,
}

/// Returns the last event of the product whose item is `image`.
///
/// # Errors
/// If `image` is not the item of a product.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let image: Image = serde_dynamo::from_item(image)?;
    let Some(stamp) = image.event else {
        return Ok(None);
    };
    let data = if stamp.event_type == "ProductDiscontinued" {
        serde_json::Value::Object(serde_json::Map::new())
    } else {
        let data = Data {
            name: image.name,
            category: image.category,
            price: image.price,
            sale: image.sale,
            status: image.status,
        };
        serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?
    };
    Ok(Some(DomainEvent::new(image.product_id, stamp, data)))
}
