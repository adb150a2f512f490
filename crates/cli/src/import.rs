//! `oxcart import`: sends a file of products, prices or stock to a shop, and shows how far its import is.

mod convert;
mod other_shops;
pub(crate) mod shop;

use std::fs::File;
use std::path::PathBuf;

use reqwest::Client;

use crate::Error;

use shop::{Shop, report};

/// How many faults are shown.
const SHOWN: usize = 20;

/// `oxcart import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(
        help = "The file: CSV or NDJSON (docs/imports.md), or the products that Shopify or WooCommerce exports as CSV"
    )]
    file: PathBuf,
    /// The shop's address.
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    url: String,
    /// An admin's email address. Without it, and without a token, the demo's admin signs in, if the shop runs here.
    #[arg(long, requires = "password")]
    email: Option<String>,
    /// The admin's password.
    #[arg(long, env = "OXCART_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// An admin's access token. It may expire before a long import is over; the import goes on then.
    #[arg(long, env = "OXCART_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// What the rows are: products, prices or stock.
    #[arg(long, default_value = "products", value_parser = ["products", "prices", "stock"])]
    content: String,
    /// Only checks the rows.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    given: convert::Given,
}

/// Sends the file, and returns once its import is over.
///
/// # Errors
/// If the file cannot be read, the shop refuses it, or a row or the file was at fault.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let client = Client::builder().build()?;
    let url = arguments.url.trim_end_matches('/').to_owned();
    let admin = arguments.email.zip(arguments.password);
    let mut shop = match (arguments.token, admin) {
        (Some(token), _) => Shop {
            client,
            url,
            token,
            admin: None,
        },
        (None, None) if !is_here(&url) => {
            return Err("give an admin's --email and --password, or an access --token".into());
        }
        (None, None) => Shop::of_the_demo(client, url),
        (None, admin) => Shop {
            client,
            url,
            token: String::new(),
            admin,
        },
    };
    shop.sign_in().await?;
    let (file, dry_run) = (&arguments.file, arguments.dry_run);
    let unreadable = |error| format!("cannot read {}: {error}", file.display());
    let opened = File::open(file).map_err(unreadable)?;
    if arguments.content != "products" || other_shops::dialect_of(opened).is_none() {
        let import = shop.import(file, &arguments.content, dry_run).await?;
        return report(&import, &arguments.content, dry_run);
    }
    let currency = match arguments.given.currency()? {
        Some(currency) => currency,
        None => shop.currency().await?,
    };
    let converted = arguments.given.convert(file, currency)?;
    let (products, stock) = (&converted.products, &converted.stock);
    shop.import_with_stock(products, stock, dry_run).await?;
    match converted.faults {
        0 => Ok(()),
        faults => Err(format!("{faults} products could not be read").into()),
    }
}

/// Returns whether the shop at `url` runs on this machine.
fn is_here(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or_default();
    host.starts_with("127.0.0.1:") || host.starts_with("localhost:")
}
