//! Turns the product exports of other shop systems into files that the shop imports.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;
use oxcart_core::values::money::Currency;
use serde_json::json;
use tempfile::NamedTempFile;

use super::SHOWN;
use super::other_shops::{self, Fault, Line, Options};
use crate::Error;

/// What an export says that is not in the file.
#[derive(Debug, clap::Args)]
pub(crate) struct Given {
    /// Of a file of another system: the currency of its prices. Without it, that of the shop's first product.
    #[arg(long)]
    currency: Option<String>,
    /// Of a file of another system: the zone of its times, such as Europe/Berlin.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    /// Of a file of another system: the category of products that have none.
    #[arg(long, default_value = "uncategorised")]
    category: String,
    /// Of a file of another system: how many there are of what is sold without being counted.
    #[arg(long)]
    uncounted: Option<u32>,
    /// Of a file of another system: a column that becomes a public attribute although it is left out otherwise. May be
    /// given several times.
    #[arg(long)]
    keep: Vec<String>,
    /// Of a file of another system: a column that is read as if it were empty. May be given several times.
    #[arg(long)]
    ignore: Vec<String>,
}

/// The files that an export has become.
pub(super) struct Converted {
    /// The products, as NDJSON.
    pub(super) products: NamedTempFile,
    /// Their stock, as NDJSON.
    pub(super) stock: NamedTempFile,
    /// How many products could not be read.
    pub(super) faults: usize,
}

impl Given {
    /// Returns the currency that was given, if it was.
    ///
    /// # Errors
    /// If it is not one.
    pub(super) fn currency(&self) -> Result<Option<Currency>, Error> {
        Ok(self.currency.as_deref().map(str::parse).transpose()?)
    }

    /// Reads the export in `file`, whose prices are in `currency`, and says what cannot be taken as it is.
    ///
    /// # Errors
    /// If the file cannot be read, or the ones that it becomes cannot be written.
    pub(super) fn convert(&self, file: &Path, currency: Currency) -> Result<Converted, Error> {
        let now = Timestamp::now();
        let options = Options {
            time_zone: jiff::tz::TimeZone::get(&self.time_zone)?,
            category: self.category.clone(),
            uncounted: self.uncounted,
            keep: self.keep.clone(),
            ignore: self.ignore.clone(),
            ..Options::new(currency, now)
        };
        let converted = Converted {
            products: NamedTempFile::new()?,
            stock: NamedTempFile::new()?,
            faults: 0,
        };
        let mut products = BufWriter::new(converted.products.as_file());
        let mut stock = BufWriter::new(converted.stock.as_file());
        let (mut faults, mut notes) = (0, 0);
        for line in other_shops::read(File::open(file)?, &options) {
            match line {
                Ok(Line::Product { body, .. }) => writeln!(products, "{body}")?,
                Ok(Line::Stock { sku, on_hand }) => {
                    writeln!(stock, "{}", json!({"sku": sku, "on_hand": on_hand}))?;
                }
                Ok(Line::Note(note)) => say(&mut notes, "note: ", &note)?,
                Err(fault) => say(&mut faults, "", &fault)?,
            }
        }
        products.flush()?;
        stock.flush()?;
        drop((products, stock));
        for (count, what) in [(faults, "faults"), (notes, "notes")] {
            if count > SHOWN {
                writeln!(std::io::stderr(), "and {} {what} more", count - SHOWN)?;
            }
        }
        Ok(Converted {
            faults,
            ..converted
        })
    }
}

/// Counts `fault`, and shows it if it is among the first.
fn say(count: &mut usize, kind: &str, fault: &Fault) -> Result<(), Error> {
    *count += 1;
    if *count <= SHOWN {
        let column = fault.column.as_ref();
        let column = column.map_or_else(String::new, |column| format!(", {column}"));
        writeln!(
            std::io::stderr(),
            "{kind}line {}{column}: {}",
            fault.line,
            fault.detail
        )?;
    }
    Ok(())
}
