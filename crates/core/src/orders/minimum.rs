//! The least that an order has to cost.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use crate::aws::settings::{Setting, SettingError, Settings};
use crate::pricing::breakdown::Breakdown;
use crate::values::money::{Currency, Money, MoneyError};

/// What is compared with the minimum.
///
/// Setting and wire: `total`, `goods`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MinimumBasis {
    /// What is charged, with shipping and tax.
    Total,
    /// What the goods cost after discounts, without shipping and without tax that is added.
    Goods,
}

/// A text that is not a [`MinimumBasis`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be total or goods")]
pub struct InvalidBasis;

impl FromStr for MinimumBasis {
    type Err = InvalidBasis;

    fn from_str(text: &str) -> Result<Self, InvalidBasis> {
        match text {
            "total" => Ok(Self::Total),
            "goods" => Ok(Self::Goods),
            _ => Err(InvalidBasis),
        }
    }
}

/// The shop's minimum.
#[derive(Clone, Copy, Debug)]
pub struct MinimumOrder {
    /// The least amount.
    pub amount: Money,
    /// What is compared with it.
    pub basis: MinimumBasis,
}

/// What an order lacks to the minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// The least amount.
    pub minimum: Money,
    /// What is compared with it.
    pub basis: MinimumBasis,
    /// By how much more the order has to cost.
    pub missing: Money,
    /// What the order has of it.
    #[serde(skip)]
    counted: Money,
}

impl MinimumOrder {
    /// Reads `settings`.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing, or the minimum is not an amount. An amount that the shop's currency
    /// cannot express is rounded up, so that no value that the template accepts stops the function.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let currency: Currency = settings.read(Setting::ShopCurrency)?;
        let amount: String = settings.read(Setting::MinimumOrderAmount)?;
        Ok(Self {
            amount: round_up(&amount, currency)
                .ok_or_else(|| SettingError::Invalid(Setting::MinimumOrderAmount.name(), amount))?,
            basis: settings.read(Setting::MinimumOrderBasis)?,
        })
    }

    /// Returns what an order with these parts and this `total` lacks to the minimum, or `None` if it has enough. An order in
    /// another currency than the shop's has no minimum.
    ///
    /// # Errors
    /// Returns [`MoneyError`] if the parts cannot be added.
    pub fn shortfall(
        &self,
        breakdown: &Breakdown,
        total: Money,
    ) -> Result<Option<Shortfall>, MoneyError> {
        let counted = match self.basis {
            MinimumBasis::Total => total,
            MinimumBasis::Goods => breakdown.goods()?,
        };
        let is_enough =
            counted.currency() != self.amount.currency() || counted.compare(self.amount)?.is_ge();
        if is_enough {
            return Ok(None);
        }
        Ok(Some(Shortfall {
            minimum: self.amount,
            basis: self.basis,
            missing: self.amount.minus(counted)?,
            counted,
        }))
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            minimum, counted, ..
        } = self;
        match self.basis {
            MinimumBasis::Total => write!(
                f,
                "the total of {counted} is below the minimum of {minimum}"
            ),
            MinimumBasis::Goods => write!(
                f,
                "the goods cost {counted}, which is below the minimum of {minimum}"
            ),
        }
    }
}

fn round_up(amount: &str, currency: Currency) -> Option<Money> {
    let amount = Decimal::from_str_exact(amount).ok()?;
    let amount = amount.round_dp_with_strategy(currency.exponent(), RoundingStrategy::AwayFromZero);
    Money::new(amount, currency).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::fixtures::eur;
    use crate::pricing::breakdown::{PricedLine, PricedShipping};
    use crate::pricing::tax::Tax;

    /// Two lines of together 12.00, 3.00 off one of them, shipping for 4.00, and tax of 0.90 and 0.40 on top.
    fn breakdown() -> Breakdown {
        let tax = |base, amount| Tax {
            name: "Tax".to_owned(),
            rate: "0.1".parse().unwrap(),
            included: false,
            base: eur(base),
            amount: eur(amount),
        };
        let line = |subtotal, off: &[&str], taxes| PricedLine {
            subtotal: eur(subtotal),
            discounts: off.iter().map(|off| share(off)).collect(),
            taxes,
        };
        Breakdown {
            currency: eur("0.00").currency(),
            lines: vec![
                line("8.00", &["3.00"], vec![tax("5.00", "0.50")]),
                line("4.00", &[], vec![tax("4.00", "0.40")]),
            ],
            discounts: Vec::new(),
            shipping: Some(PricedShipping {
                method: "parcel".to_owned(),
                name: "Parcel".to_owned(),
                delivery_days: None,
                price: eur("4.00"),
                discounts: Vec::new(),
                taxes: vec![tax("4.00", "0.40")],
            }),
            reverse_charge: false,
            tax_number_check: None,
        }
    }

    fn share(off: &str) -> crate::pricing::discounts::Share {
        crate::pricing::discounts::Share {
            discount_id: crate::values::id::DiscountId::derived(&["off"]),
            amount: eur(off),
        }
    }

    #[test]
    fn the_minimum_is_for_the_total_or_for_the_goods() {
        let total = eur("14.30");
        for (basis, amount, expected) in [
            (MinimumBasis::Total, "14.30", None),
            (
                MinimumBasis::Total,
                "14.31",
                Some("the total of 14.30 EUR is below the minimum of 14.31 EUR, 0.01 EUR missing"),
            ),
            (MinimumBasis::Goods, "9.00", None),
            (
                MinimumBasis::Goods,
                "10.00",
                Some(
                    "the goods cost 9.00 EUR, which is below the minimum of 10.00 EUR, 1.00 EUR missing",
                ),
            ),
        ] {
            let amount = eur(amount);
            let minimum = MinimumOrder { amount, basis };
            let shortfall = minimum.shortfall(&breakdown(), total).unwrap();
            let told = shortfall.map(|it| format!("{it}, {} missing", it.missing));
            assert_eq!(told.as_deref(), expected);
        }
    }

    #[test]
    fn the_minimum_is_rounded_up_and_a_text_is_an_invalid_setting() {
        let given = |currency: &str, amount: &str| {
            let values = [
                ("SHOP_CURRENCY", currency),
                ("MINIMUM_ORDER_AMOUNT", amount),
                ("MINIMUM_ORDER_BASIS", "goods"),
            ];
            let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
            MinimumOrder::read(&Settings::Given(values.into_iter().collect()))
        };
        for (currency, amount, minimum) in [
            ("EUR", "10.00", "10.00 EUR"),
            ("EUR", "1.001", "1.01 EUR"),
            ("JPY", "10.00", "10 JPY"),
            ("JPY", "10.5", "11 JPY"),
            ("KWD", "10", "10.000 KWD"),
        ] {
            let read = given(currency, amount).unwrap();
            assert_eq!(read.amount.to_string(), minimum);
            assert_eq!(read.basis, MinimumBasis::Goods);
        }
        let invalid = SettingError::Invalid(Setting::MinimumOrderAmount.name(), "10,00".to_owned());
        assert_eq!(given("EUR", "10,00").unwrap_err(), invalid);
    }
}
