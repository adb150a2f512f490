//! The shop that is measured: the local runner with the demo, on free ports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt, TryStreamExt};
use oxcart_local::calls::CallLog;
use oxcart_local::functions::Log;
use oxcart_local::runner::{Options, Runner};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use super::requests::Target;
use crate::{Error, build, demo};

/// What is put on hand of each product: enough for every order of a run.
const ON_HAND: u32 = 1_000_000;

/// How many products are stocked at a time.
const AT_ONCE: usize = 8;

/// How long no function may have been invoked for a shop to be at rest.
const AT_REST: Duration = Duration::from_secs(1);

/// How long to wait for that.
const SETTLES_WITHIN: Duration = Duration::from_mins(2);

/// A running shop.
pub(crate) struct Shop {
    runner: Runner,
    client: Client,
    target: Target,
}

/// Invocations of each function, by the name of its binary.
pub(super) type Invocations = BTreeMap<String, u64>;

#[derive(Deserialize)]
struct Bill {
    functions: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
struct Row {
    invocations: u64,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    id: String,
}

impl Shop {
    /// Starts a shop, loads the demo and stocks every product. Limits on how much one caller may send
    /// are counted but out of reach.
    ///
    /// # Errors
    /// If the runner does not start or the shop refuses anything of it.
    pub(crate) async fn start(calls: Option<CallLog>) -> Result<Self, Error> {
        let parameters = [
            ("RateLimitPercent", "100000"),
            ("TokenLifetimeSeconds", "86400"),
        ];
        let runner = Runner::start(Options {
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            calls,
            log: Log::Silent,
            ..Options::new(
                build::repository().join("template.yaml"),
                build::binaries()?,
            )
        })
        .await?;
        let client = Client::builder().build()?;
        let urls = runner.urls().clone();
        let demo = demo::load(&urls.shop, &urls.control).await?;
        let products = stock_up(&client, &urls.shop).await?;
        let shop = Self {
            target: Target {
                shop: urls.shop,
                token: demo.access_token,
                products: products.into(),
                series: String::new(),
            },
            runner,
            client,
        };
        shop.settle().await?;
        Ok(shop)
    }

    /// What clients need, for a series of requests of this name.
    pub(super) fn target(&self, series: &str) -> Target {
        Target {
            series: series.to_owned(),
            ..self.target.clone()
        }
    }

    /// Delays every AWS call that a function makes from now on.
    ///
    /// # Errors
    /// If the runner refuses it.
    pub(crate) async fn delay_calls(&self, by: Duration) -> Result<(), Error> {
        let services = [
            "dynamodb",
            "events",
            "s3",
            "secretsmanager",
            "ses",
            "sqs",
            "states",
        ];
        let faults = services.map(|service| format!("{service}:*@*=delay:{}", by.as_millis()));
        let url = format!("{}/_local/faults", self.runner.urls().control);
        let request = self.client.put(url).json(&json!({"faults": faults}));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// The invocations since the last call of [`Shop::reset_invocations`].
    ///
    /// # Errors
    /// If the runner does not tell them.
    pub(super) async fn invocations(&self) -> Result<Invocations, Error> {
        let url = format!("{}/_local/bill", self.runner.urls().control);
        let bill: Bill = self.client.get(url).send().await?.json().await?;
        let rows = bill.functions.into_iter();
        Ok(rows
            .map(|(name, row)| (name, row.invocations))
            .filter(|(_, n)| *n > 0)
            .collect())
    }

    /// Counts invocations from zero.
    ///
    /// # Errors
    /// If the runner refuses it.
    pub(super) async fn reset_invocations(&self) -> Result<(), Error> {
        let url = format!("{}/_local/bill/reset", self.runner.urls().control);
        self.client.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Waits until no function has been invoked for a second: events and messages are through.
    ///
    /// # Errors
    /// If functions are still invoked after two minutes.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        let started = Instant::now();
        let mut before = self.invocations().await?;
        while started.elapsed() < SETTLES_WITHIN {
            tokio::time::sleep(AT_REST).await;
            let now = self.invocations().await?;
            if now == before && self.runner.functions().under_way() == 0 {
                return Ok(());
            }
            before = now;
        }
        Err("the shop does not come to rest".into())
    }

    /// Where the shop is, and an admin's access token.
    ///
    /// # Errors
    /// If the shop refuses the demo's admin.
    pub(crate) async fn as_admin(&self) -> Result<(&str, String), Error> {
        let url = &self.target.shop;
        let token = demo::sign_in(&self.client, url, demo::USERS[0]).await?;
        Ok((url, token))
    }

    /// Where functions reach AWS.
    pub(crate) fn aws(&self) -> &str {
        &self.runner.urls().aws
    }

    /// The whole environment of the function with this binary.
    pub(crate) fn environment(&self, binary: &str) -> Option<BTreeMap<String, String>> {
        let functions = self.runner.functions();
        functions.environment(functions.find(binary)?)
    }

    /// The logical id of the function with this binary.
    pub(super) fn logical_id(&self, binary: &str) -> Option<&str> {
        self.runner.functions().find(binary)
    }

    /// Ends the shop.
    pub(crate) async fn stop(self) {
        self.runner.stop().await;
    }
}

/// Sets what is on hand of every product and returns the products' ids.
async fn stock_up(client: &Client, shop: &str) -> Result<Vec<String>, Error> {
    let admin = demo::sign_in(client, shop, demo::USERS[0]).await?;
    let page = client.get(format!("{shop}/products?limit=100"));
    let page: Page = page.send().await?.error_for_status()?.json().await?;
    let admin = Arc::new(admin);
    stream::iter(page.items)
        .map(|product| {
            let request = client
                .put(format!("{shop}/inventory/{}", product.id))
                .bearer_auth(&admin)
                .header("If-Match", "*")
                .json(&json!({"on_hand": ON_HAND}));
            async {
                request.send().await?.error_for_status()?;
                Ok(product.id)
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}
