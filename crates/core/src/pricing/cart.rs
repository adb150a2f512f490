//! The lines of a cart that is to be priced.

use crate::catalog::model::Category;
use crate::values::id::{ProductId, VariantId};
use crate::values::money::{Money, MoneyError};

/// The most pieces of one variant that can be ordered, all entries of an order together.
pub const MOST_OF_ONE: u32 = 999;

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its category.
    pub category: Category,
    /// The number of pieces.
    pub quantity: u32,
    /// The price of one piece.
    pub unit_price: Money,
    /// The weight of one piece, if it is known.
    pub weight_grams: Option<u32>,
    /// Whether it is shipped, unlike a voucher or a download.
    pub shipped: bool,
}

impl CartLine {
    /// Returns the price of the line before discounts.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if the price exceeds what [`Money`] can hold.
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }

    /// Returns whether its product or its variant is one of `products`, which may be both.
    #[must_use]
    pub fn is_one_of(&self, products: &[ProductId]) -> bool {
        products.contains(&self.product_id) || products.contains(&self.variant_id.as_product())
    }

    /// Returns the weight of the line, if that of a piece is known.
    #[must_use]
    pub fn weight_grams(&self) -> Option<u64> {
        let piece = self.weight_grams?;
        Some(u64::from(piece) * u64::from(self.quantity))
    }
}
