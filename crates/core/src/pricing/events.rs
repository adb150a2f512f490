//! `DiscountCreated`, `DiscountChanged`, `DiscountEnded` (`{name}`), of the aggregate `<discount_id>`;
//! `TaxRatesChanged` and `ShippingMethodsChanged` (`{}`), of the aggregates `tax-rates` and
//! `shipping-methods`.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::DiscountId;

/// What is read of a changed item.
#[derive(Deserialize)]
struct Image {
    pk: String,
    discount_id: Option<DiscountId>,
    terms: Option<Named>,
    event: Option<Stamp>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// The last event of the item that is `image`; `None` for the book and for codes, which change with a
/// discount.
///
/// # Errors
/// If `image` is no item of the table.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let image: Image = serde_dynamo::from_item(image)?;
    let Some(stamp) = image.event else {
        return Ok(None);
    };
    let name = image.terms.map(|terms| terms.name);
    let data = serde_json::to_value(Data { name }).map_err(serde_dynamo::Error::custom)?;
    let aggregate = image.discount_id.map_or(image.pk, |id| id.to_string());
    Ok(Some(DomainEvent::new(aggregate, stamp, data)))
}
