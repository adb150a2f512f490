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

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::Value;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        given: Given,
    }

    #[test]
    fn an_export_becomes_a_file_of_products_and_one_of_their_stock() {
        for (name, products, stock, zone) in [
            ("shopify_2019", 2, 3, "UTC"),
            ("shopify_2025", 1, 2, "Europe/Berlin"),
            ("woocommerce", 3, 3, "Asia/Kolkata"),
            ("woocommerce_de", 1, 1, "America/New_York"),
        ] {
            let given = Command::parse_from(["import", "--time-zone", zone]).given;
            let file =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import/other_shops/testdata");
            let file = file.join(name).with_extension("csv");
            let converted = given.convert(&file, "EUR".parse().unwrap()).unwrap();
            let rows = |file: &NamedTempFile| -> Vec<Value> {
                let text = std::fs::read_to_string(file.path()).unwrap();
                text.lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect()
            };
            let (made, stocked) = (rows(&converted.products), rows(&converted.stock));
            assert_eq!((made.len(), stocked.len()), (products, stock), "{name}");
            assert!(made.iter().all(|product| product["name"].is_string()));
            assert!(stocked.iter().all(|stock| stock["on_hand"].is_u64()));
        }
        let unknown = Command::parse_from(["import", "--time-zone", "Europe/Atlantis"]).given;
        assert!(
            unknown
                .convert(Path::new("none.csv"), "EUR".parse().unwrap())
                .is_err()
        );
    }
}
