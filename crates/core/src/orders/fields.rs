//! The fields that the bodies of quotes and of orders share.

use super::lines::{Item, MOST_ITEMS};
use crate::customers::model::Email;
use crate::http::body::{Body, Json};
use crate::pricing::cart::MOST_OF_ONE;
use crate::pricing::model::{Code, InvalidCode};
use crate::pricing::shipping::is_slug;
use crate::values::card_number::is_card_number;
use crate::values::id::{ProductId, VariantId};

/// Reads the field `items`.
pub(super) fn items(body: &mut Body<'_>) -> Option<Vec<Item>> {
    body.required("items", |json| {
        json.list(1..=MOST_ITEMS, |json| json.object(item))
    })
}

/// Reads an item: the product or the variant, and a quantity.
pub fn item(item: &mut Body<'_>) -> Option<Item> {
    let product_id = item.optional("product_id", |json| {
        json.parsed("this must be a product's id", str::parse::<ProductId>)
    });
    let variant_id = item.optional("variant_id", |json| {
        json.parsed("this must be a variant's id", str::parse::<VariantId>)
    });
    let is_named = match (product_id, variant_id) {
        (Some(None), Some(None)) => item.required("product_id", |_| None),
        _ => Some(()),
    };
    let quantity = item.required("quantity", |json| json.integer(1..=MOST_OF_ONE));
    is_named?;
    Some(Item {
        product_id: product_id?,
        variant_id: variant_id?,
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

/// The most discount codes of an order.
const MOST_CODES: usize = 5;

/// The discount codes of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// The codes, no two of which are the same.
    pub codes: Vec<Code>,
    /// Whether the field is `discount_codes` rather than `discount_code`.
    pub is_list: bool,
}

impl Codes {
    /// Returns the pointer to the code at the place `at`.
    #[must_use]
    pub fn pointer(&self, at: usize) -> String {
        if self.is_list {
            format!("/discount_codes/{at}")
        } else {
            "/discount_code".to_owned()
        }
    }
}

/// Reads the field `discount_code` or `discount_codes`.
pub(super) fn codes(body: &mut Body<'_>) -> Option<Codes> {
    let one = body.optional("discount_code", code);
    let has_one = matches!(one, Some(Some(_)));
    let list = body.optional("discount_codes", |json| {
        if has_one {
            return json.fault("conflict", "name either discount_code or discount_codes");
        }
        let mut codes: Vec<Code> = Vec::new();
        json.list(0..=MOST_CODES, |json| {
            let place = json.clone();
            let code = code(json)?;
            if codes.contains(&code) {
                return place.fault("repeated", "an earlier code is the same");
            }
            codes.push(code.clone());
            Some(code)
        })
    });
    let (one, list) = (one?, list?);
    Some(Codes {
        is_list: list.is_some(),
        codes: list.unwrap_or_else(|| one.into_iter().collect()),
    })
}

/// Reads the token of a payment. A card number is none: it must not be stored, not even by mistake.
#[must_use]
pub fn payment_token(json: Json<'_>) -> Option<String> {
    let place = json.clone();
    let token = json.parsed("this must be 1 to 255 visible ASCII characters", |text| {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let valid = (1..=255).contains(&text.len()) && visible;
        if valid { Ok(text.to_owned()) } else { Err(()) }
    })?;
    if is_card_number(&token) {
        return place.fault(
            "card_number",
            "this is a card number: send the token of the gateway's form",
        );
    }
    Some(token)
}

/// Reads a code as people type it: no code has white space, but some write it between groups of letters.
fn code(json: Json<'_>) -> Option<Code> {
    json.parsed(&InvalidCode.to_string(), |text| {
        text.split_whitespace().collect::<String>().parse()
    })
}
