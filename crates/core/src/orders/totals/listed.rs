//! The currency of an order, and the prices of the price lists that are for it.

use std::iter;

use crate::aws::dynamo::StoreError;
use crate::http::problem::{Fault, Problem};
use crate::orders::lines::Item;
use crate::orders::model::Line;
use crate::pricing::lists::{ListedFor, PriceList, lists_for};
use crate::pricing::store::PricingStore;
use crate::values::money::Currency;

/// Returns the currency of an order for which `named` is wanted: the shop's, or that of one of the `lists`.
///
/// # Errors
/// Returns [`Problem::InvalidBody`] for one that the shop has no prices in.
pub(super) fn currency(
    named: Option<Currency>,
    shop_currency: Currency,
    lists: &[PriceList],
) -> Result<Currency, Problem> {
    let currency = named.unwrap_or(shop_currency);
    let of_lists = lists.iter().map(|list| list.currency);
    let mut sold_in: Vec<&str> = Vec::new();
    for known in iter::once(shop_currency).chain(of_lists) {
        if known == currency {
            return Ok(currency);
        }
        if !sold_in.contains(&known.code()) {
            sold_in.push(known.code());
        }
    }
    let detail = format!("the shop sells in {}", sold_in.join(", "));
    Err(Problem::field("/currency", "other_currency", detail))
}

/// Gives the `lines` the prices of those of the `lists` that are for the `order`.
///
/// # Errors
/// Returns [`StoreError`] if a request to DynamoDB fails.
pub(super) async fn apply(
    pricing: &PricingStore,
    lists: &[PriceList],
    order: &ListedFor<'_>,
    lines: &mut [Line],
) -> Result<(), StoreError> {
    let lists = lists_for(lists, order);
    if lists.is_empty() {
        return Ok(());
    }
    let variants = lines.iter().map(|line| line.variant_id);
    let prices = pricing.list_prices(&lists, variants).await?;
    for line in lines {
        if let Some((list, price)) = prices.find(line.variant_id, line.quantity) {
            line.unit_price = price;
            line.price_list = Some(list.to_owned());
        }
    }
    Ok(())
}

/// Checks that the `lines`, which the `items` ask for, have prices in `currency`.
///
/// # Errors
/// Returns [`Problem::InvalidBody`] with a fault for each line that has none.
pub(super) fn check(lines: &[Line], items: &[Item], currency: Currency) -> Result<(), Problem> {
    let others = lines
        .iter()
        .filter(|line| line.unit_price.currency() != currency);
    let faults = others.map(|line| {
        let item = items.iter().position(|item| item.is_of(line));
        Fault {
            pointer: format!("/items/{}", item.unwrap_or_default()),
            code: "no_price",
            detail: format!("\"{}\" has no price in {currency}", line.name),
        }
    });
    let faults: Vec<Fault> = faults.collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::InvalidBody(faults))
    }
}
