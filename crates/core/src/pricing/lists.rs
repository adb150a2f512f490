//! Price lists: other prices of some variants, for some customers, countries, quantities or times.
//!
//! The lists are a collection in the price book; the prices are items of their own, because a list may have one for each
//! variant of a large shop. Of the lists that are for an order, the first that has a price for a variant decides what it
//! costs, in the place of the product's price and its sale.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::model::Group;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::group::CustomerGroup;
use crate::values::id::VariantId;
use crate::values::money::{Currency, Money};

/// The most price lists of a shop.
pub const MOST_LISTS: usize = 100;

/// The most countries that a list can name.
pub const MOST_COUNTRIES: usize = 50;

/// The most lists in which an order looks for the prices of its lines: the first that are for it. Each takes half a read
/// unit for a line.
pub const MOST_FOR_ORDER: usize = 5;

/// The most prices of a variant in a list, each from another quantity on.
pub const MOST_BREAKS: usize = 20;

/// The customers that a list is for.
///
/// Wire and stored shape: `guest`, `customer`, or the name of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ForCustomers {
    /// All without an account, or all with one.
    Kind(Group),
    /// The customers whom an admin has put into this group.
    Group(CustomerGroup),
}

/// A list of prices for some orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    /// Its identifier: a slug.
    pub id: String,
    /// Its name, for admins: 1 to 100 characters.
    pub name: String,
    /// The currency of its prices, and of the orders that it is for.
    pub currency: Currency,
    /// The customers that it is for; without, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_group: Option<ForCustomers>,
    /// The countries (ISO 3166-1 alpha-2) to which the orders go that it is for; all, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
}

/// What decides which lists are for an order.
#[derive(Clone, Debug)]
pub struct ListedFor<'a> {
    /// The currency of the order.
    pub currency: Currency,
    /// Whether the customer has an account.
    pub kind: Group,
    /// The group in which the customer is.
    pub group: Option<&'a CustomerGroup>,
    /// The country to which the order goes.
    pub country: &'a str,
    /// When it is placed.
    pub now: Time,
}

impl PriceList {
    /// Returns whether the list is for an order.
    #[must_use]
    pub fn is_for(&self, order: &ListedFor<'_>) -> bool {
        let customers = match &self.customer_group {
            None => true,
            Some(ForCustomers::Kind(kind)) => *kind == order.kind,
            Some(ForCustomers::Group(group)) => Some(group) == order.group,
        };
        let mut countries = self.countries.iter();
        let country = self.countries.is_empty() || countries.any(|code| code == order.country);
        customers
            && country
            && self.currency == order.currency
            && self.starts_at.is_none_or(|start| start <= order.now)
            && self.ends_at.is_none_or(|end| order.now < end)
    }
}

/// Returns those of the `lists` in which an order looks for prices, in their order.
#[must_use]
pub fn lists_for<'a>(lists: &'a [PriceList], order: &ListedFor<'_>) -> Vec<&'a PriceList> {
    let lists = lists.iter().filter(|list| list.is_for(order));
    lists.take(MOST_FOR_ORDER).collect()
}

/// The price of one piece from a quantity on.
///
/// Wire and stored shape: `{"min_quantity": 10, "price": {"amount": "8.90", "currency": "EUR"}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The least number of pieces of the variant in an order.
    pub min_quantity: u32,
    /// What one piece costs.
    pub price: Money,
}

/// The prices of a variant in a list. Without any, the list has no price for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPrice {
    /// The list.
    pub list: String,
    /// The variant.
    pub variant_id: VariantId,
    /// The prices, by ascending quantities.
    pub breaks: Vec<Break>,
    /// The number of its changes, from 1.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl ListPrice {
    /// Returns what one piece costs in an order of `quantity`, or `None` if the list has no price for so few.
    #[must_use]
    pub fn of(&self, quantity: u32) -> Option<Money> {
        let reached = self.breaks.iter().rev();
        let mut reached = reached.filter(|step| step.min_quantity <= quantity);
        reached.next().map(|step| step.price)
    }
}

/// The prices that some lists have for the lines of an order.
#[derive(Clone, Debug, Default)]
pub struct ListPrices {
    /// The lists, the first first.
    lists: Vec<String>,
    prices: HashMap<(String, VariantId), ListPrice>,
}

impl ListPrices {
    /// Returns the `prices` that were found in `lists`. Those that were set while their list had another currency are left
    /// out.
    #[must_use]
    pub fn new(lists: &[&PriceList], prices: Vec<ListPrice>) -> Self {
        let counts = |price: &ListPrice| {
            let mut lists = lists.iter();
            let list = lists.find(|list| list.id == price.list);
            let mut breaks = price.breaks.iter();
            list.is_some_and(|list| breaks.all(|step| step.price.currency() == list.currency))
        };
        let prices = prices.into_iter().filter(counts);
        Self {
            lists: lists.iter().map(|list| list.id.clone()).collect(),
            prices: prices
                .map(|price| ((price.list.clone(), price.variant_id), price))
                .collect(),
        }
    }

    /// Returns what one piece of `variant` costs in an order of `quantity`, and the list that says so: the first that has a
    /// price.
    #[must_use]
    pub fn find(&self, variant: VariantId, quantity: u32) -> Option<(&str, Money)> {
        let mut lists = self.lists.iter();
        lists.find_map(|list| {
            let price = self.prices.get(&(list.clone(), variant))?;
            Some((list.as_str(), price.of(quantity)?))
        })
    }
}

/// Returns the next version of `stored`, the prices of `variant` in `list`, which are `breaks` now, in ascending order;
/// `None` if they are so already.
#[must_use]
pub fn set(
    stored: Option<&ListPrice>,
    (list, variant_id): (&str, VariantId),
    breaks: Vec<Break>,
    now: Time,
) -> Option<ListPrice> {
    let known = stored.map_or(&[][..], |price| &price.breaks);
    if known == breaks {
        return None;
    }
    let version = stored.map_or(0, |price| price.version) + 1;
    let updated_at = stored.map_or(now, |price| now.no_earlier_than(price.updated_at));
    let event = Stamp::new(pk(list, variant_id), version, CHANGED, updated_at);
    Some(ListPrice {
        list: list.to_owned(),
        variant_id,
        breaks,
        version,
        updated_at,
        event,
    })
}

/// The type of the event of a change of a price.
const CHANGED: &str = "ListPriceChanged";

/// Returns the key of the prices of `variant` in `list`, which is also the aggregate of their events.
#[must_use]
pub fn pk(list: &str, variant: VariantId) -> String {
    format!("price#{list}#{variant}")
}

#[cfg(test)]
mod tests;
