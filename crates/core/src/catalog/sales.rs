//! Decides what a price and a sale that are asked for make of the prices of a variant.

use crate::values::clock::Time;
use crate::values::money::Money;

use super::prices::{Prices, Sale};

/// A sale as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaleTerms {
    /// As [`Sale::price`].
    pub price: Money,
    /// From when on, at the earliest from now on; `None` for the start of the sale that is set, or else now.
    pub starts_at: Option<Time>,
    /// As [`Sale::ends_at`].
    pub ends_at: Option<Time>,
}

/// Why a sale cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaleError {
    /// The sale price is not lower than the price.
    #[error("this must be less than the price without the sale, {} {}", .0.amount(), .0.currency())]
    NotLower(Money),
    /// The price becomes as low as the price of the sale that is set.
    #[error("a sale at {} {} is set; the price must be more, or send \"sale\": null", .0.amount(), .0.currency())]
    NotHigher(Money),
    /// The sale ends before it starts.
    #[error("this must be later than the start of the sale, {0}")]
    Window(Time),
}

impl SaleError {
    /// Returns the pointer to the field at fault, from where the price stands.
    #[must_use]
    pub fn pointer(self) -> &'static str {
        match self {
            Self::NotLower(_) => "/sale/price",
            Self::NotHigher(_) => "/price",
            Self::Window(_) => "/sale/ends_at",
        }
    }
}

/// Returns the first prices of something that costs `regular` without a sale.
///
/// # Errors
/// [`SaleError`].
pub fn first(regular: Money, terms: Option<SaleTerms>, now: Time) -> Result<Prices, SaleError> {
    let sale = terms.map(|terms| sale(terms, None, regular, now));
    Ok(Prices {
        regular,
        sale: sale.transpose()?,
        since: now,
        past: Vec::new(),
    })
}

/// Returns `prices` with another `regular` price and other `terms` of a sale. What is `None` stays as it is;
/// `Some(None)` ends the sale.
///
/// # Errors
/// [`SaleError`].
pub fn changed(
    prices: &Prices,
    regular: Option<Money>,
    terms: Option<Option<SaleTerms>>,
    now: Time,
) -> Result<Prices, SaleError> {
    let set = prices.sale_at(now);
    let regular = regular.unwrap_or(prices.regular);
    let sale = match (terms, set) {
        (Some(terms), _) => {
            let sale = terms.map(|terms| sale(terms, set, regular, now));
            sale.transpose()?
        }
        (None, Some(set)) if set.price.amount() >= regular.amount() => {
            return Err(SaleError::NotHigher(set.price));
        }
        (None, set) => set,
    };
    if (regular, sale) == (prices.regular, set) {
        return Ok(prices.clone());
    }
    Ok(prices.changed(regular, sale, now))
}

/// Returns the sale of `terms` of something that costs `regular` without it, where `set` is on or will be.
fn sale(terms: SaleTerms, set: Option<Sale>, regular: Money, now: Time) -> Result<Sale, SaleError> {
    let set = set.map(|set| set.starts_at);
    let starts_at = match terms.starts_at.or(set) {
        // It goes on, at another price.
        Some(start) if Some(start) == set => start,
        Some(start) => start.max(now),
        None => now,
    };
    if terms.ends_at.is_some_and(|end| end <= starts_at) {
        return Err(SaleError::Window(starts_at));
    }
    if terms.price.amount() >= regular.amount() {
        return Err(SaleError::NotLower(regular));
    }
    Ok(Sale {
        price: terms.price,
        starts_at,
        ends_at: terms.ends_at,
    })
}
