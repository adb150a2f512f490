//! The events of pricing: `DiscountCreated`, `DiscountChanged` and `DiscountEnded` (data `{name}`) of the
//! aggregate `<discount_id>`, `TaxRatesChanged`,
//! `ShippingMethodsChanged`, `PriceListsChanged` and `DiscountSettingsChanged` (data `{}`) of the aggregates `tax-rates`,
//! `shipping-methods`, `price-lists` and `discount-settings`, and `ListPriceChanged` (data `{price_list, variant_id}`) of
//! the aggregate `price#<price_list>#<variant_id>`.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::{DiscountId, VariantId};

/// The attributes that are read from a changed item.
#[derive(Deserialize)]
struct Image {
    pk: String,
    discount_id: Option<DiscountId>,
    terms: Option<NamedTerms>,
    price_list: Option<String>,
    variant_id: Option<VariantId>,
    event: Option<Stamp>,
}

#[derive(Deserialize)]
struct NamedTerms {
    name: String,
}

#[derive(Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_id: Option<VariantId>,
}

/// Returns the last event of the item `image`; `None` for the price book and for codes, which change
/// together with a discount.
///
/// # Errors
/// Returns an error if `image` is not an item of the pricing table.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let image: Image = serde_dynamo::from_item(image)?;
    let Some(stamp) = image.event else {
        return Ok(None);
    };
    let data = Data {
        name: image.terms.map(|terms| terms.name),
        price_list: image.price_list,
        variant_id: image.variant_id,
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    let aggregate = image.discount_id.map_or(image.pk, |id| id.to_string());
    Ok(Some(DomainEvent::new(aggregate, stamp, data)))
}
