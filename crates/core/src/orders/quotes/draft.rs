//! What a request for a quote says.

use crate::customers::model::Email;
use crate::http::address;
use crate::http::body::{self, Body, Json};
use crate::orders::fields::{self, Codes};
use crate::orders::gift_cards::code::GiftCardCode;
use crate::orders::gift_cards::preview;
use crate::orders::lines::Item;
use crate::orders::totals::PricingRequest;
use crate::pricing::tax::Destination;
use crate::values::clock::Time;
use crate::values::id::CustomerId;
use crate::values::money::Currency;

/// What a request wants to have priced.
pub(super) struct Choice {
    items: Vec<Item>,
    currency: Option<Currency>,
    destination: Destination,
    shipping_method: Option<String>,
    codes: Codes,
}

impl Choice {
    /// Returns it for the customer or the guest who asks.
    pub(super) fn wanted(
        self,
        customer: Option<CustomerId>,
        guest: Option<Email>,
        now: Time,
    ) -> PricingRequest {
        PricingRequest {
            items: self.items,
            currency: self.currency,
            destination: self.destination,
            tax_number_at: "/shipping_address/tax_number",
            shipping_method: self.shipping_method,
            codes: self.codes,
            customer,
            group: None,
            locale: None,
            guest,
            now,
        }
    }
}

/// Reads what is to be priced, and the codes of the gift cards that are to pay for it.
pub(super) fn draft(body: &mut Body<'_>) -> Option<(Choice, Vec<GiftCardCode>)> {
    let choice = choice(body);
    let codes = body.optional("payment", |json| json.object(preview::read));
    Some((choice?, codes?.unwrap_or_default()))
}

fn choice(body: &mut Body<'_>) -> Option<Choice> {
    let items = fields::items(body);
    let currency = body.optional("currency", body::currency);
    let destination = body.required("shipping_address", |json| json.object(destination));
    let shipping_method = body.optional("shipping_method", fields::shipping_method);
    let codes = fields::codes(body);
    Some(Choice {
        items: items?,
        currency: currency?,
        destination: destination?,
        shipping_method: shipping_method?,
        codes: codes?,
    })
}

/// Reads an address, of which only the country is required.
fn destination(body: &mut Body<'_>) -> Option<Destination> {
    let line = |json: Json<'_>| json.line(0..=100);
    for name in ["recipient", "line1", "line2", "city", "phone"] {
        body.optional(name, line)?;
    }
    let country = body.required("country", address::country);
    let region = body.optional("region", line);
    let postal_code = body.optional("postal_code", line);
    let tax_number = body.optional("tax_number", address::tax_number);
    Some(Destination {
        country: country?,
        region: region?.filter(|text| !text.is_empty()),
        postal_code: postal_code?.filter(|text| !text.is_empty()),
        tax_number: tax_number?,
    })
}
