//! The body of a request to place an order, and who places it.

use crate::http::address;
use crate::http::body::{Body, Json, currency};
use crate::orders::details::{self, Details};
use crate::orders::fields::{self, Codes};
use crate::orders::gift_cards::payment::{self, PaymentDraft};
use crate::orders::lines::Item;
use crate::orders::model::Guest;
use crate::orders::totals::PricingRequest;
use crate::pricing::tax::Destination;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::group::CustomerGroup;
use crate::values::id::{CustomerId, OrderId};
use crate::values::locale::Locale;
use crate::values::money::{Currency, Money};
use crate::values::tax_number::TaxNumber;

/// The length of the longest quote. A quote of fifty lines fits, with discounts and tax on each.
const QUOTE_CHARACTERS: usize = 40 * 1024;

/// The body of a request to place an order.
#[derive(Debug)]
pub(in crate::orders) struct Draft {
    pub(super) items: Vec<Item>,
    pub(super) currency: Option<Currency>,
    pub(super) shipping_address: Address,
    pub(super) details: Details,
    pub(super) payment: PaymentDraft,
    pub(super) shipping_method: Option<String>,
    pub(super) codes: Codes,
    pub(super) quote: Option<String>,
    pub(super) expected_total: Option<Money>,
}

/// The customer or guest who places an order, and the order's identifier.
#[derive(Debug)]
pub(in crate::orders) struct Buyer {
    pub(in crate::orders) order_id: OrderId,
    pub(in crate::orders) customer_id: CustomerId,
    /// The group whose prices the customer has.
    pub(in crate::orders) group: Option<CustomerGroup>,
    /// The language that the buyer reads, if it is known.
    pub(in crate::orders) locale: Option<Locale>,
    pub(in crate::orders) guest: Option<Guest>,
}

impl Draft {
    /// Returns the tax number of the business that buys, in whichever address it stands, and where that is.
    pub(super) fn tax_number(&self) -> (Option<TaxNumber>, &'static str) {
        let billing = self.details.billing_address.as_ref();
        let of_billing = billing.and_then(|address| address.tax_number.clone());
        match &self.shipping_address.tax_number {
            None if of_billing.is_some() => (of_billing, "/billing_address/tax_number"),
            of_shipping => (of_shipping.clone(), "/shipping_address/tax_number"),
        }
    }

    /// Returns the part of the draft that its price depends on.
    pub(super) fn wanted(&self, buyer: &Buyer, now: Time) -> PricingRequest {
        // The business that pays may have the goods sent elsewhere.
        let (tax_number, tax_number_at) = self.tax_number();
        PricingRequest {
            items: self.items.clone(),
            currency: self.currency,
            destination: Destination {
                tax_number,
                ..Destination::from(&self.shipping_address)
            },
            tax_number_at,
            shipping_method: self.shipping_method.clone(),
            codes: self.codes.clone(),
            customer: buyer.guest.is_none().then_some(buyer.customer_id),
            group: buyer.group.clone(),
            locale: buyer.locale.clone(),
            guest: buyer.guest.as_ref().map(|guest| guest.email.clone()),
            now,
        }
    }
}

/// Reads the body of a request to place an order.
pub(in crate::orders) fn read(body: &mut Body<'_>) -> Option<Draft> {
    let items = fields::items(body);
    let currency = body.optional("currency", currency);
    let shipping_address = body.required("shipping_address", |json| {
        json.object(address::read_as_known)
    });
    let details = details::read(body);
    let payment = body.required("payment", |json| json.object(payment::read));
    let shipping_method = body.optional("shipping_method", fields::shipping_method);
    let codes = fields::codes(body);
    let quote = body.optional("quote", |json| json.secret(1..=QUOTE_CHARACTERS));
    let expected_total = body.optional("expected_total", |json: Json<'_>| {
        json.money_in_any_currency()
    });
    let payment = payment?;
    Some(Draft {
        items: items?,
        currency: currency?,
        shipping_address: shipping_address?,
        details: Details {
            retryable: payment.retryable,
            ..details?
        },
        payment,
        shipping_method: shipping_method?,
        codes: codes?,
        quote: quote?,
        expected_total: expected_total?,
    })
}
