//! What the lines of an order are to the calculation of its price.

use std::collections::HashMap;

use super::refusals::not_totalled;
use crate::catalog::model::{Category, Product};
use crate::http::problem::Problem;
use crate::orders::model::Line;
use crate::pricing::cart::CartLine;
use crate::pricing::tax::place::TaxPlace;
use crate::values::id::VariantId;

/// What pricing needs to know about variants that lines do not hold.
pub(super) struct Facts(HashMap<VariantId, VariantFacts>);

/// The facts about one variant.
struct VariantFacts {
    category: Category,
    weight_grams: Option<u32>,
    shipped: bool,
}

impl Facts {
    pub(super) fn of_products(products: &[Product]) -> Self {
        let facts = products.iter().flat_map(|product| {
            product.variants.iter().map(|variant| {
                let facts = VariantFacts {
                    category: product.category.clone(),
                    weight_grams: variant.weight_grams,
                    shipped: product.shipped,
                };
                (variant.id, facts)
            })
        });
        Self(facts.collect())
    }

    /// Gives the `lines`, which have the catalogue's prices, the prices of `place`, and returns them as a cart.
    pub(super) fn cart_lines(
        mut self,
        lines: &mut [Line],
        place: &TaxPlace<'_>,
    ) -> Result<Vec<CartLine>, Problem> {
        let line = |line: &mut Line| {
            let facts = self.0.remove(&line.variant_id);
            let facts = facts.ok_or_else(|| Problem::internal("a line has no variant"))?;
            let price = place.price(line.unit_price, facts.category.as_str());
            line.unit_price = price.map_err(not_totalled)?;
            Ok(CartLine {
                product_id: line.product_id,
                variant_id: line.variant_id,
                category: facts.category,
                quantity: line.quantity,
                unit_price: line.unit_price,
                weight_grams: facts.weight_grams,
                shipped: facts.shipped,
            })
        };
        lines.iter_mut().map(line).collect()
    }
}
