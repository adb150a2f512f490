//! The lines of what is to be priced.

use crate::catalog::model::Category;
use crate::values::id::ProductId;
use crate::values::money::{Money, MoneyError};

/// A line of what is to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// The product.
    pub product_id: ProductId,
    /// Its category.
    pub category: Category,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// What one weighs, if that is known.
    pub weight_grams: Option<u32>,
}

impl CartLine {
    /// What the line costs, before discounts.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }

    /// What all pieces of the line weigh, as far as that is known.
    #[must_use]
    pub fn weight_grams(&self) -> u64 {
        u64::from(self.weight_grams.unwrap_or(0)) * u64::from(self.quantity)
    }
}
