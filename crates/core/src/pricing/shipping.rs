//! Shipping methods and their prices. Goods that are not shipped count nowhere here.

use serde::{Deserialize, Serialize};

use super::cart::CartLine;
use super::tax::Destination;
use crate::catalog::model::Category;
use crate::values::id::ProductId;
use crate::values::money::{Currency, Money, MoneyError};

mod zones;

pub use zones::{NotReached, Zone};

/// One step of a shipping method's price scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Step<T> {
    /// The upper bound of the step, inclusive. Only the last step may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<T>,
    /// The price of shipping within the step.
    pub price: Money,
}

/// How a shipping method is priced.
///
/// Stored shape, as on the wire: `{"type": "flat", "price": ...}`, `{"type": "by_weight", "steps":
/// [{"up_to": 1000, "price": ...}, ...]}`, grams, `by_amount`, money, and `by_quantity`, pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Cost {
    /// A fixed price.
    Flat {
        /// The price.
        price: Money,
    },
    /// By total weight in grams. It does not ship products whose weight is not known.
    ByWeight {
        /// The steps, in ascending order.
        steps: Vec<Step<u32>>,
    },
    /// By the sum of the lines, before discounts.
    ByAmount {
        /// The steps, in ascending order.
        steps: Vec<Step<Money>>,
    },
    /// By the number of pieces.
    ByQuantity {
        /// The steps, in ascending order.
        steps: Vec<Step<u32>>,
    },
}

/// The amount that [`ShippingMethod::free_from`] is compared with: what the goods that are shipped cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeFromBasis {
    /// Before discounts, so that no discount makes shipping more expensive.
    #[default]
    BeforeDiscounts,
    /// After discounts.
    AfterDiscounts,
}

impl FreeFromBasis {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How many days it takes from the order until the goods arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDays {
    /// The fewest days.
    pub min: u32,
    /// The most days, not fewer than `min`.
    pub max: u32,
}

/// A shipping method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    /// The method's identifier: 1 to 40 of `a` to `z`, `0` to `9` and `-`.
    pub id: String,
    /// The name that customers see.
    pub name: String,
    /// The currency of its amounts, and of the orders that it ships; without, the shop's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The countries it ships to. It ships everywhere if there are none, and no zones that it ships to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// The zones it ships to, in addition to its countries, and the zones that are excluded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
    /// The products, and variants of products, that it does not ship.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for_products: Vec<ProductId>,
    /// The categories that it does not ship.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for_categories: Vec<Category>,
    /// Its price.
    pub cost: Cost,
    /// The amount from which shipping is free, even where there is a surcharge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<Money>,
    /// The amount that `free_from` is compared with.
    #[serde(default, skip_serializing_if = "FreeFromBasis::is_default")]
    pub free_from_basis: FreeFromBasis,
    /// How long it takes, if the shop says that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_days: Option<DeliveryDays>,
}

/// Returns whether `text` can be a shipping method's identifier.
pub(crate) fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

/// Why a shipping method cannot be used for an order. Lines are given by their indexes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShipped {
    /// The method does not ship there.
    #[error(transparent)]
    Place(#[from] NotReached),
    /// The method does not ship these lines.
    #[error("this method does not ship all products of the order")]
    Goods(Vec<usize>),
    /// The method's price depends on the weight, and that of these lines is not known.
    #[error("this method is priced by weight, and the weight of a product is not known")]
    UnknownWeight(Vec<usize>),
    /// The order exceeds the method's last step.
    #[error("this order is too large for this method")]
    TooLarge,
    /// The price cannot be calculated.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl ShippingMethod {
    /// Returns the price of shipping `lines`, of which those that are shipped cost `subtotal` before discounts. It is
    /// zero if that makes it free before discounts.
    ///
    /// # Errors
    /// Returns [`NotShipped`] if the method cannot ship the lines to `destination`.
    pub fn price(
        &self,
        lines: &[CartLine],
        subtotal: Money,
        destination: &Destination,
    ) -> Result<Money, NotShipped> {
        let surcharge = self.surcharge(destination)?;
        let unsuitable = indexes(lines, |line| self.is_not_for(line));
        if !unsuitable.is_empty() {
            return Err(NotShipped::Goods(unsuitable));
        }
        let price = match &self.cost {
            Cost::Flat { price } => Some(*price),
            Cost::ByWeight { steps } => {
                let weight = weight_grams(lines)?;
                step_price(steps, |most| Ok(weight <= u64::from(*most)))?
            }
            Cost::ByAmount { steps } => {
                step_price(steps, |most| Ok(subtotal.compare(*most)?.is_le()))?
            }
            Cost::ByQuantity { steps } => {
                let shipped = lines.iter().filter(|line| line.shipped);
                let pieces: u64 = shipped.map(|line| u64::from(line.quantity)).sum();
                step_price(steps, |most| Ok(pieces <= u64::from(*most)))?
            }
        };
        let price = price.ok_or(NotShipped::TooLarge)?;
        let free_from = self.free_from(FreeFromBasis::BeforeDiscounts);
        match (free_from, surcharge) {
            (Some(from), _) if subtotal.compare(from)?.is_ge() => Ok(Money::zero(price.currency())),
            (Some(_) | None, Some(surcharge)) => Ok(price.plus(surcharge)?),
            (Some(_) | None, None) => Ok(price),
        }
    }

    /// Returns what shipping to `destination` costs in addition to the price, or `None` if that is nothing.
    ///
    /// # Errors
    /// Returns [`NotReached`] if the method does not ship there, or if that depends on a part of the address that is
    /// missing or not known.
    pub fn surcharge(&self, destination: &Destination) -> Result<Option<Money>, NotReached> {
        zones::surcharge(&self.countries, &self.zones, destination)
    }

    /// Returns the amount from which shipping is free, if it is compared with the amount of this `basis`.
    #[must_use]
    pub fn free_from(&self, basis: FreeFromBasis) -> Option<Money> {
        self.free_from.filter(|_| self.free_from_basis == basis)
    }

    fn is_not_for(&self, line: &CartLine) -> bool {
        line.is_one_of(&self.not_for_products) || self.not_for_categories.contains(&line.category)
    }
}

/// Returns the indexes of the lines that are shipped and that `matches`.
fn indexes(lines: &[CartLine], matches: impl Fn(&CartLine) -> bool) -> Vec<usize> {
    let found = lines.iter().enumerate();
    let found = found.filter(|(_, line)| line.shipped && matches(line));
    found.map(|(at, _)| at).collect()
}

/// Returns what all lines that are shipped weigh together.
fn weight_grams(lines: &[CartLine]) -> Result<u64, NotShipped> {
    let shipped = lines.iter().filter(|line| line.shipped);
    let weight: Option<u64> = shipped.map(CartLine::weight_grams).sum();
    weight.ok_or_else(|| {
        NotShipped::UnknownWeight(indexes(lines, |line| line.weight_grams.is_none()))
    })
}

/// Returns the price of the first step whose bound `covers` the order, or `None` if no step does.
fn step_price<T>(
    steps: &[Step<T>],
    covers: impl Fn(&T) -> Result<bool, MoneyError>,
) -> Result<Option<Money>, MoneyError> {
    for step in steps {
        let covered = match &step.up_to {
            None => true,
            Some(most) => covers(most)?,
        };
        if covered {
            return Ok(Some(step.price));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
