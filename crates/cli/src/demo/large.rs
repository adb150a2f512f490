//! The large demo: 100,000 products with stock in a tree of categories.

mod data;
mod goods;
mod texts;

use std::io::Write;
use std::ops::Range;

use oxcart_core::values::money::Currency;
use serde_json::json;

use crate::Error;

use goods::Assortment;

/// How many products the large demo has beside those of the small one.
pub(crate) const PRODUCTS: u32 = 100_000;

/// What rows of the large demo there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rows {
    Products,
    Stock,
}

/// Writes the rows of the products with these `numbers`, with prices in `currency`, one at a time.
///
/// # Errors
/// If they cannot be written.
pub(crate) fn write(
    rows: Rows,
    currency: Currency,
    numbers: Range<u32>,
    output: &mut impl Write,
) -> Result<(), Error> {
    let assortment = Assortment::new(currency)?;
    for number in numbers {
        let product = assortment.product(number)?;
        match rows {
            Rows::Products => writeln!(output, "{}", serde_json::to_string(&product)?)?,
            Rows::Stock => {
                for variant in product.sold.variants() {
                    let row = json!({"sku": variant.sku, "on_hand": variant.on_hand});
                    writeln!(output, "{row}")?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
