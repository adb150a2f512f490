//! `PUT /orders/{order_id}/shipping-address`: corrects the address of an order that has not been shipped.

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt};
use crate::aws::settings::SettingError;
use crate::http::address;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::api;
use crate::orders::model::Order;
use crate::orders::rules;
use crate::orders::store::OrderStore;
use crate::pricing::store::{PriceBook, PricingStore};
use crate::pricing::tax::Destination;
use crate::values::address::Address;
use crate::values::id::OrderId;

/// What correcting an address needs.
#[derive(Clone, Debug)]
pub struct Corrections {
    orders: OrderStore,
    pricing: PricingStore,
}

impl Corrections {
    /// Opens the tables that the settings name.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            pricing: PricingStore::new(aws)?,
        })
    }
}

/// `PUT /orders/{order_id}/shipping-address`: replaces the address of an order that has not been shipped, and returns the
/// order. What the order costs does not change, so the new address must be in the same country, with the same tax number,
/// and its region and postal code must not lead to another price.
///
/// # Errors
/// Returns [`Problem::InvalidBody`], also for an address at which the order could cost something else;
/// [`Problem::PreconditionRequired`] or [`Problem::PreconditionFailed`] without a current `If-Match`;
/// [`Problem::Conflict`] once the order is shipped or over; and [`Problem::NotFound`], also for another customer's order.
pub async fn correct_address(
    corrections: &Corrections,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: OrderId = request.id("order_id", "order")?;
    let expected = request.if_match()?;
    let address: Address = request.json(address::read)?;
    let Corrections { orders, pricing } = corrections;
    let corrected = dynamo::change("the order", || async {
        let order = orders.get(id).await?;
        let order = order.filter(|order| api::is_visible(order, &caller));
        let order = order.ok_or(Problem::NotFound("order"))?;
        if order.shipping_address == address {
            // As it should be, perhaps because of this very request, whose response was lost.
            return Ok(Attempt::Done(order));
        }
        if !expected.allows(&order.tag()) {
            return Err(Problem::PreconditionFailed);
        }
        let book = pricing.current().await?;
        check_price(&book, &order, &address)?;
        let next = rules::correct_address(order, address.clone(), request.now)?;
        let replaced = orders.replace_with_address(next).await?;
        Ok::<_, Problem>(replaced.map_or(Attempt::Overtaken, Attempt::Done))
    });
    api::respond(corrected.await?)
}

/// Checks that `order` costs the same at `address` as at its present one, by the shop's taxes and shipping methods.
///
/// # Errors
/// Returns [`Problem::InvalidBody`] with the part of the address that may lead to another price.
fn check_price(book: &PriceBook, order: &Order, address: &Address) -> Result<(), Problem> {
    let old = Destination::from(&order.shipping_address);
    let new = Destination::from(address);
    let method = order.breakdown.shipping.as_ref();
    let method = method.map(|shipping| shipping.method.as_str());
    let pointer = if old.country != new.country {
        "/country"
    } else if old.tax_number != new.tax_number {
        "/tax_number"
    } else if old == new || is_priced_alike(book, method, &old, &new) {
        return Ok(());
    } else if old.region != new.region {
        "/region"
    } else {
        "/postal_code"
    };
    let detail = "the order may cost something else there; cancel it and place a new one";
    Err(Problem::field(pointer, "another_price", detail))
}

/// Returns whether the same taxes are charged at both destinations, and the shipping method with the identifier `method`
/// costs the same. It is not known of a method that the shop no longer has.
fn is_priced_alike(
    book: &PriceBook,
    method: Option<&str>,
    one: &Destination,
    other: &Destination,
) -> bool {
    let costs = |destination: &Destination| {
        let rates = book.taxes.rates_in(destination).ok()?;
        let surcharge = match method {
            None => None,
            Some(id) => {
                let mut known = book.methods.iter();
                let method = known.find(|known| known.id == id)?;
                method.surcharge(destination).ok()?
            }
        };
        Some((rates, surcharge))
    };
    let costs_here = costs(one);
    costs_here.is_some() && costs_here == costs(other)
}

#[cfg(test)]
mod tests;
