//! The requests that the shop is measured with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::Error;

/// How long an order may take to be confirmed.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(30);

/// How often an order is read again that is not confirmed yet.
const READ_AGAIN: Duration = Duration::from_millis(50);

/// What is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `GET /health`: a function that does nothing.
    Health,
    /// `GET /products/{product_id}`, one product after the other.
    Product,
    /// `GET /products?limit=20`: the first page.
    List,
    /// `POST /orders` of one line, one product after the other, until the order is confirmed.
    Order {
        /// Whether the response is waited for as long as the order is pending (`Prefer: wait`), so
        /// that one request does.
        wait: bool,
    },
}

/// The shop as the clients see it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The shop's URL.
    pub(super) shop: String,
    /// A customer's access token.
    pub(super) token: String,
    /// Products in stock.
    pub(super) products: Arc<[String]>,
    /// Distinguishes the idempotency keys of one series of requests from those of others.
    pub(super) series: String,
}

#[derive(Deserialize)]
struct Order {
    id: String,
    status: String,
}

impl Kind {
    /// Its name in tables and in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Product => "get-product",
            Self::List => "list-products",
            Self::Order { .. } => "order",
        }
    }

    /// Sends the request number `n` and reads the whole response.
    ///
    /// # Errors
    /// If the response is another one than expected.
    pub(super) async fn send(self, client: &Client, target: &Target, n: u64) -> Result<(), Error> {
        let shop = &target.shop;
        let wait = match self {
            Self::Health => return read(client.get(format!("{shop}/health"))).await,
            Self::Product => {
                let product = target.product(n)?;
                return read(client.get(format!("{shop}/products/{product}"))).await;
            }
            Self::List => return read(client.get(format!("{shop}/products?limit=20"))).await,
            Self::Order { wait } => wait,
        };
        let mut request = client
            .post(format!("{shop}/orders"))
            .bearer_auth(&target.token)
            .header("Idempotency-Key", format!("bench-{}-{n}", target.series))
            .json(&json!({
                "items": [{"product_id": target.product(n)?, "quantity": 1}],
                "shipping_address": {
                    "recipient": "Ada Example", "line1": "Hauptstr. 1", "city": "Berlin",
                    "postal_code": "10115", "country": "DE",
                },
                "payment": {"token": "tok_ok"},
            }));
        if wait {
            request = request.header("Prefer", "wait=5");
        }
        confirmed(client, target, request).await
    }
}

impl Target {
    fn product(&self, n: u64) -> Result<&str, Error> {
        let products = self.products.len();
        let product = usize::try_from(n)?
            .checked_rem(products)
            .and_then(|index| self.products.get(index));
        Ok(product.ok_or("the shop has no products")?)
    }
}

async fn read(request: RequestBuilder) -> Result<(), Error> {
    let response = request.send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(format!("{status} {}", String::from_utf8_lossy(&body)).into())
}

/// Places an order and reads it until it is confirmed.
async fn confirmed(client: &Client, target: &Target, place: RequestBuilder) -> Result<(), Error> {
    let started = Instant::now();
    let mut request = place;
    loop {
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let refused = || format!("{status} {}", String::from_utf8_lossy(&body));
        let order: Order = serde_json::from_slice(&body).map_err(|_| refused())?;
        match order.status.as_str() {
            "confirmed" => return Ok(()),
            "pending" if started.elapsed() < CONFIRMED_WITHIN => {}
            _ => return Err(refused().into()),
        }
        tokio::time::sleep(READ_AGAIN).await;
        let order = format!("{}/orders/{}", target.shop, order.id);
        request = client.get(order).bearer_auth(&target.token);
    }
}
