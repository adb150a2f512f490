//! `oxcart goods`: the products of the large demo as rows, for any shop that imports them.

use std::io::{BufWriter, Write as _};

use oxcart_core::values::money::Currency;

use crate::Error;
use crate::demo::large::{self, PRODUCTS, Rows};

/// `oxcart goods`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many products. The first ones are the same, however many there are.
    #[arg(long, default_value_t = PRODUCTS)]
    products: u32,
    /// The currency of their prices.
    #[arg(long, default_value = "EUR")]
    currency: Currency,
    /// What the rows are: products or stock.
    #[arg(long, value_enum, default_value_t = Rows::Products)]
    content: Rows,
}

/// Prints the rows.
///
/// # Errors
/// If they cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    let (currency, numbers) = (arguments.currency, 0..arguments.products);
    large::write(arguments.content, currency, numbers, &mut output)?;
    Ok(output.flush()?)
}
