//! `oxcart import`: sends a file of products, prices or stock to a shop, and shows how far its import is.

mod convert;
mod other_shops;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use oxcart_core::values::money::Currency;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Error, demo};

/// How long to wait before the shop is asked again how far an import is.
const PAUSE: Duration = Duration::from_millis(500);

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

/// An import as the shop shows it.
#[derive(Debug, Deserialize)]
struct Import {
    id: String,
    status: String,
    upload_url: Option<String>,
    read_bytes: u64,
    rows: u64,
    imported: u64,
    changed: u64,
    failed: u64,
    faults: Vec<Fault>,
    failure: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    line: u64,
    column: Option<String>,
    pointer: String,
    detail: String,
}

#[derive(Debug, Deserialize)]
struct Failure {
    detail: String,
}

/// The shop that takes imports.
struct Shop {
    client: Client,
    url: String,
    token: String,
    /// With which another token can be had.
    admin: Option<(String, String)>,
}

/// Sends the file, and returns once its import is over.
///
/// # Errors
/// If the file cannot be read, the shop refuses it, or a row or the file was at fault.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let client = Client::builder().build()?;
    let url = arguments.url.trim_end_matches('/').to_owned();
    let demo = || {
        (
            demo::USERS[0].email.to_owned(),
            demo::USERS[0].password.to_owned(),
        )
    };
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
        (None, admin) => {
            let admin = Some(admin.unwrap_or_else(demo));
            Shop {
                client,
                url,
                token: String::new(),
                admin,
            }
        }
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
    let products = shop
        .import(converted.products.path(), "products", dry_run)
        .await?;
    let products = report(&products, "products", dry_run);
    // Without the products, their SKUs are not known.
    if !dry_run && converted.stock.as_file().metadata()?.len() > 0 {
        let stock = shop.import(converted.stock.path(), "stock", false).await?;
        report(&stock, "stock", false)?;
    }
    products?;
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

impl Shop {
    /// Returns the currency of the shop's products.
    async fn currency(&self) -> Result<Currency, Error> {
        let list = self.client.get(format!("{}/products?limit=1", self.url));
        let list: Value = list.send().await?.json().await?;
        let currency = list["items"][0]["price"]["currency"].as_str();
        Ok(currency
            .ok_or("the shop has no products yet: give its --currency")?
            .parse()?)
    }

    /// Gets another token, if that can be had.
    async fn sign_in(&mut self) -> Result<(), Error> {
        if let Some((email, password)) = &self.admin {
            self.token = demo::token(&self.client, &self.url, email, password).await?;
        }
        Ok(())
    }

    /// Imports `file`, and shows how far that is until it is over.
    async fn import(&mut self, file: &Path, content: &str, dry_run: bool) -> Result<Import, Error> {
        let unreadable = |error| format!("cannot read {}: {error}", file.display());
        let opened = tokio::fs::File::open(file).await.map_err(unreadable)?;
        let size = opened.metadata().await?.len();
        let body = json!({"content": content, "dry_run": dry_run});
        let created = self.client.post(format!("{}/imports", self.url));
        let created = created.bearer_auth(&self.token).json(&body).send().await?;
        let import: Import = answer(created).await?;
        let address = import
            .upload_url
            .ok_or("the shop gives no address for the file")?;
        let put = self.client.put(address).header(CONTENT_LENGTH, size);
        let uploaded = put.body(opened).send().await?;
        if !uploaded.status().is_success() {
            let status = uploaded.status();
            return Err(format!("uploading the file: {status} {}", uploaded.text().await?).into());
        }
        let bar = ProgressBar::new(size);
        bar.set_style(ProgressStyle::with_template(
            "{bar:30} {bytes}/{total_bytes} {msg} {elapsed} (left {eta})",
        )?);
        loop {
            let asked = self
                .client
                .get(format!("{}/imports/{}", self.url, import.id));
            let seen = asked.bearer_auth(&self.token).send().await?;
            if seen.status() == StatusCode::UNAUTHORIZED && self.admin.is_some() {
                self.sign_in().await?;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let seen = answer(seen).await.map_err(|error| {
                let id = &import.id;
                format!("{error}; the import goes on: GET /imports/{id}")
            })?;
            bar.set_position(seen.read_bytes);
            bar.set_message(format!("{} rows", seen.rows));
            if !matches!(seen.status.as_str(), "waiting" | "running") {
                bar.finish_and_clear();
                return Ok(seen);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn answer(response: Response) -> Result<Import, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response.json().await?);
    }
    let problem: Value = response.json().await.unwrap_or_default();
    Err(format!(
        "{status} {}",
        problem["detail"].as_str().unwrap_or_default()
    )
    .into())
}

/// Says what came of `import`.
fn report(import: &Import, content: &str, dry_run: bool) -> Result<(), Error> {
    let mut errors = std::io::stderr().lock();
    for fault in import.faults.iter().take(SHOWN) {
        let place = fault.column.as_deref().unwrap_or(&fault.pointer);
        writeln!(errors, "line {}, {place}: {}", fault.line, fault.detail)?;
    }
    let left = import.faults.len().saturating_sub(SHOWN);
    if left > 0 {
        writeln!(errors, "and {left} more: GET /imports/{}", import.id)?;
    }
    let (rows, imported, changed) = (import.rows, import.imported, import.changed);
    let done = if dry_run {
        "would be imported"
    } else {
        "imported"
    };
    println!(
        "{content}: {rows} rows, {imported} {done}, {changed} of them changed something, {} at fault",
        import.failed
    );
    match (&import.failure, import.failed) {
        (Some(failure), _) => Err(failure.detail.clone().into()),
        (None, 0) if import.status == "completed" => Ok(()),
        (None, 0) => Err(format!("the import is {}", import.status).into()),
        (None, _) => Err("some rows were at fault".into()),
    }
}
