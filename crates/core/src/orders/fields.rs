//! The fields that the bodies of quotes and of orders share.

use super::lines::{Item, MOST_ITEMS, MOST_OF_ONE};
use crate::customers::model::Email;
use crate::http::body::{Body, Json};
use crate::pricing::api::collections::is_slug;
use crate::pricing::model::{Code, NotACode};
use crate::values::id::ProductId;

/// Reads the field `items`.
pub(super) fn items(body: &mut Body<'_>) -> Option<Vec<Item>> {
    body.required("items", |json| {
        json.list(1..=MOST_ITEMS, |json| json.object(item))
    })
}

fn item(item: &mut Body<'_>) -> Option<Item> {
    let product_id = item.required("product_id", |json| {
        json.parsed("this must be a product's id", str::parse::<ProductId>)
    });
    let quantity = item.required("quantity", |json| json.integer(1..=MOST_OF_ONE));
    Some(Item {
        product_id: product_id?,
        quantity: quantity?,
    })
}

/// Reads the email address of a guest.
pub(super) fn email(json: Json<'_>) -> Option<Email> {
    json.parsed("this must be an email address", str::parse::<Email>)
}

/// Reads the identifier of a shipping method.
pub(super) fn shipping_method(json: Json<'_>) -> Option<String> {
    json.parsed("this must be a shipping method's id", |text| {
        if is_slug(text) {
            Ok(text.to_owned())
        } else {
            Err(())
        }
    })
}

/// Reads the code of a discount.
pub(super) fn discount_code(json: Json<'_>) -> Option<Code> {
    json.parsed(&NotACode.to_string(), str::parse)
}
