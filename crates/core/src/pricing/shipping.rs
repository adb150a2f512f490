//! Shipping methods and their prices.

use serde::{Deserialize, Serialize};

use super::cart::CartLine;
use super::tax::Destination;
use crate::values::id::ProductId;
use crate::values::money::{Money, MoneyError};

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
/// [{"up_to": 1000, "price": ...}, ...]}`, grams, and `by_amount`, money.
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
}

/// A shipping method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    /// The method's identifier: 1 to 40 of `a` to `z`, `0` to `9` and `-`.
    pub id: String,
    /// The name that customers see.
    pub name: String,
    /// The countries it ships to, or empty for all countries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Its price.
    pub cost: Cost,
    /// The sum of the lines, before discounts, from which shipping is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<Money>,
}

/// Returns whether `text` can be a shipping method's identifier.
pub(crate) fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

/// Why a shipping method cannot be used for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShipped {
    /// The method does not ship to the order's country.
    #[error("this method does not ship to the country of the address")]
    Country,
    /// The order exceeds the method's last step.
    #[error("this order is too large for this method")]
    TooLarge,
    /// The method's price depends on the weight, and that of a product is not known.
    #[error("this method is priced by weight, and the weight of the product {0} is not known")]
    UnknownWeight(ProductId),
    /// The price cannot be calculated.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl ShippingMethod {
    /// Returns the price of shipping `lines`, which cost `subtotal` before discounts. Discounts do not
    /// count, so that no discount makes shipping more expensive.
    ///
    /// # Errors
    /// Returns [`NotShipped`] if the method cannot ship the lines to `destination`.
    pub fn price(
        &self,
        lines: &[CartLine],
        subtotal: Money,
        destination: &Destination,
    ) -> Result<Money, NotShipped> {
        if !self.countries.is_empty() && !self.countries.contains(&destination.country) {
            return Err(NotShipped::Country);
        }
        let price = match &self.cost {
            Cost::Flat { price } => Some(*price),
            Cost::ByWeight { steps } => {
                let weights = lines.iter().map(|line| {
                    let weight = line.weight_grams();
                    weight.ok_or(NotShipped::UnknownWeight(line.product_id))
                });
                let weight: u64 = weights.sum::<Result<_, _>>()?;
                step_price(steps, |most| Ok(weight <= u64::from(*most)))?
            }
            Cost::ByAmount { steps } => {
                step_price(steps, |most| Ok(subtotal.compare(*most)?.is_le()))?
            }
        };
        let price = price.ok_or(NotShipped::TooLarge)?;
        match self.free_from {
            Some(from) if subtotal.compare(from)?.is_ge() => Ok(Money::zero(price.currency())),
            Some(_) | None => Ok(price),
        }
    }
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
mod tests {
    use super::*;
    use crate::pricing::fixtures::{eur, line, method};

    fn germany() -> Destination {
        Destination {
            country: "DE".to_owned(),
            region: None,
            postal_code: None,
            tax_number: None,
        }
    }

    fn cost_of(method: &ShippingMethod, grams: Option<u32>, subtotal: &str) -> String {
        let line = CartLine {
            weight_grams: grams,
            ..line("tea", 2, "5.00")
        };
        match method.price(&[line], eur(subtotal), &germany()) {
            Ok(price) => price.amount().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_step_includes_its_upper_bound() {
        let steps = vec![
            Step {
                up_to: Some(1_000),
                price: eur("4.90"),
            },
            Step {
                up_to: Some(5_000),
                price: eur("6.90"),
            },
        ];
        let parcel = method("parcel", Cost::ByWeight { steps });
        // Two pieces each.
        let unknown = cost_of(&parcel, None, "10.00");
        assert!(unknown.ends_with("is not known"), "{unknown}");
        assert_eq!(cost_of(&parcel, Some(500), "10.00"), "4.90");
        assert_eq!(cost_of(&parcel, Some(501), "10.00"), "6.90");
        assert_eq!(
            cost_of(&parcel, Some(2_501), "10.00"),
            "this order is too large for this method"
        );
    }

    #[test]
    fn an_order_is_shipped_by_its_step_and_for_free_from_the_threshold() {
        let steps = vec![
            Step {
                up_to: Some(eur("20.00")),
                price: eur("4.90"),
            },
            Step {
                up_to: None,
                price: eur("2.90"),
            },
        ];
        let mut parcel = method("parcel", Cost::ByAmount { steps });
        parcel.free_from = Some(eur("50.00"));
        for (subtotal, price) in [
            ("20.00", "4.90"),
            ("20.01", "2.90"),
            ("49.99", "2.90"),
            ("50.00", "0.00"),
        ] {
            assert_eq!(cost_of(&parcel, None, subtotal), price, "{subtotal}");
        }
    }

    #[test]
    fn a_method_ships_only_to_its_countries() {
        let mut parcel = method("parcel", Cost::Flat { price: eur("4.90") });
        parcel.countries = vec!["AT".to_owned()];
        let refused = parcel.price(&[], eur("1.00"), &germany());
        assert_eq!(refused, Err(NotShipped::Country));
    }
}
