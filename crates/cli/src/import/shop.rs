//! A shop that takes imports: sends it a file, waits until its rows are imported, and says what came of it.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use oxcart_core::values::money::Currency;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::SHOWN;
use crate::{Error, demo};

/// How long to wait before the shop is asked again how far an import is.
const PAUSE: Duration = Duration::from_millis(500);

/// An import as the shop shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Import {
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
pub(crate) struct Shop {
    /// Sends the requests.
    pub(crate) client: Client,
    /// The shop's address.
    pub(crate) url: String,
    /// An admin's access token.
    pub(crate) token: String,
    /// An email address and a password with which another token can be had.
    pub(crate) admin: Option<(String, String)>,
}

impl Shop {
    /// Returns the shop at `url` with the demo's admin, who has not signed in yet.
    pub(crate) fn of_the_demo(client: Client, url: String) -> Self {
        let [admin, _] = demo::USERS;
        Self {
            client,
            url,
            token: String::new(),
            admin: Some((admin.email.to_owned(), admin.password.to_owned())),
        }
    }

    /// Imports a file of `products`, and then one of their `stock`, unless that is empty. Says what came of both.
    ///
    /// # Errors
    /// As [`Shop::import`] and [`report`].
    pub(crate) async fn import_with_stock(
        &mut self,
        products: &NamedTempFile,
        stock: &NamedTempFile,
        dry_run: bool,
    ) -> Result<(), Error> {
        let imported = self.import(products.path(), "products", dry_run).await?;
        let imported = report(&imported, "products", dry_run);
        // Without the products, their SKUs are not known.
        if !dry_run && stock.as_file().metadata()?.len() > 0 {
            let stock = self.import(stock.path(), "stock", false).await?;
            report(&stock, "stock", false)?;
        }
        imported
    }

    /// Returns the currency of the shop's products.
    ///
    /// # Errors
    /// If the shop does not respond, or has no products.
    pub(super) async fn currency(&self) -> Result<Currency, Error> {
        let list = self.client.get(format!("{}/products?limit=1", self.url));
        let list: Value = list.send().await?.json().await?;
        let currency = list["items"][0]["price"]["currency"].as_str();
        Ok(currency
            .ok_or("the shop has no products yet: give its --currency")?
            .parse()?)
    }

    /// Gets another token, if that can be had.
    ///
    /// # Errors
    /// If the shop refuses it.
    pub(crate) async fn sign_in(&mut self) -> Result<(), Error> {
        if let Some((email, password)) = &self.admin {
            self.token = demo::token(&self.client, &self.url, email, password).await?;
        }
        Ok(())
    }

    /// Imports `file`, and shows how far that is until it is over.
    ///
    /// # Errors
    /// If the file cannot be read, or the shop refuses it or stops responding.
    pub(crate) async fn import(
        &mut self,
        file: &Path,
        content: &str,
        dry_run: bool,
    ) -> Result<Import, Error> {
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
///
/// # Errors
/// If a row was at fault, or the import did not come to its end.
pub(crate) fn report(import: &Import, content: &str, dry_run: bool) -> Result<(), Error> {
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
