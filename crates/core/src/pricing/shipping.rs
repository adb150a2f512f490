//! Shipping methods, and what they cost.

use serde::{Deserialize, Serialize};

use super::cart::CartLine;
use super::tax::Destination;
use crate::values::money::{Money, MoneyError};

/// A step of a method's prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Step<T> {
    /// The most that this step is for; only the last step may be for all that is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<T>,
    /// What shipping costs then.
    pub price: Money,
}

/// What shipping by a method costs.
///
/// Stored shape, as on the wire: `{"type": "flat", "price": ...}`, `{"type": "by_weight", "steps":
/// [{"up_to": 1000, "price": ...}, ...]}`, grams, and `by_amount`, money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Cost {
    /// Always the same.
    Flat {
        /// How much.
        price: Money,
    },
    /// By what all pieces weigh together, in grams; a product whose weight is not known weighs nothing.
    ByWeight {
        /// In ascending order.
        steps: Vec<Step<u32>>,
    },
    /// By what the lines cost together, before discounts.
    ByAmount {
        /// In ascending order.
        steps: Vec<Step<Money>>,
    },
}

/// A way in which orders are shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    /// Its identifier: 1 to 40 of `a` to `z`, `0` to `9` and `-`.
    pub id: String,
    /// What the customer reads.
    pub name: String,
    /// The countries that it goes to; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// What it costs.
    pub cost: Cost,
    /// From which amount of the lines, before discounts, it costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<Money>,
}

/// Why a method does not ship an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShipped {
    /// It does not go there.
    #[error("this method does not ship to the order's country")]
    Country,
    /// The order is beyond its last step.
    #[error("this method does not ship an order as large as this")]
    TooLarge,
    /// The price cannot be told.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl ShippingMethod {
    /// What it costs to ship `lines`, which cost `subtotal` before discounts, so that no discount makes
    /// shipping dearer.
    ///
    /// # Errors
    /// [`NotShipped`].
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
                let weight: u64 = lines.iter().map(CartLine::weight_grams).sum();
                step(steps, |most| Ok(weight <= u64::from(*most)))?
            }
            Cost::ByAmount { steps } => step(steps, |most| Ok(subtotal.compare(*most)?.is_le()))?,
        };
        let price = price.ok_or(NotShipped::TooLarge)?;
        match self.free_from {
            Some(from) if subtotal.compare(from)?.is_ge() => Ok(Money::zero(price.currency())),
            Some(_) | None => Ok(price),
        }
    }
}

/// The price of the first step that is for so much.
fn step<T>(
    steps: &[Step<T>],
    is_for: impl Fn(&T) -> Result<bool, MoneyError>,
) -> Result<Option<Money>, MoneyError> {
    for step in steps {
        let taken = match &step.up_to {
            None => true,
            Some(most) => is_for(most)?,
        };
        if taken {
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
    fn a_step_is_for_all_up_to_its_bound() {
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
        assert_eq!(cost_of(&parcel, None, "10.00"), "4.90");
        assert_eq!(cost_of(&parcel, Some(500), "10.00"), "4.90");
        assert_eq!(cost_of(&parcel, Some(501), "10.00"), "6.90");
        assert_eq!(
            cost_of(&parcel, Some(2_501), "10.00"),
            "this method does not ship an order as large as this"
        );
    }

    #[test]
    fn steps_by_amount_and_a_bound_from_which_shipping_is_free() {
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
    fn a_method_goes_to_its_countries_only() {
        let mut parcel = method("parcel", Cost::Flat { price: eur("4.90") });
        parcel.countries = vec!["AT".to_owned()];
        let refused = parcel.price(&[], eur("1.00"), &germany());
        assert_eq!(refused, Err(NotShipped::Country));
    }
}
