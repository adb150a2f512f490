//! The demo shop: a catalogue with stock and two users, loaded over HTTP like anybody's.

use futures::stream::{self, StreamExt, TryStreamExt};
use oxcart_core::values::money::{Currency, Money};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, admin, environment};

pub(crate) mod large;

const CATALOGUE: &str = include_str!("../demo/catalogue.json");

/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

/// A user of the demo.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct User {
    /// Signs in with.
    pub(crate) email: &'static str,
    /// Signs in with.
    pub(crate) password: &'static str,
    /// `admin` or `customer`.
    pub(crate) role: &'static str,
}

/// The demo's users.
pub(crate) const USERS: [User; 2] = [
    User {
        email: "admin@example.com",
        password: "oxcart-demo-admin",
        role: "admin",
    },
    User {
        email: "customer@example.com",
        password: "oxcart-demo-customer",
        role: "customer",
    },
];

#[derive(Deserialize)]
struct Entry {
    name: String,
    description: String,
    category: String,
    price: String,
    attributes: Value,
    on_hand: u32,
}

/// What the demo holds, for the line that shows how to order from it.
#[derive(Debug)]
pub(crate) struct Demo {
    /// A product that can be ordered.
    pub(crate) product_id: String,
    /// The demo customer's access token.
    pub(crate) access_token: String,
    /// The shop's currency.
    pub(crate) currency: Currency,
}

/// Loads the demo into the shop at `url`. What is there from an earlier run stays as it is.
///
/// # Errors
/// If the shop refuses anything of it.
pub(crate) async fn load(url: &str, control: &str) -> Result<Demo, Error> {
    let client = Client::builder().build()?;
    futures::future::try_join_all(USERS.map(|user| register(&client, url, user))).await?;
    let aws = admin::local(&environment::of_function("register-customer", control).await?)?;
    admin::grant(&aws, USERS[0].email).await?;
    let [admin, access_token] = [
        sign_in(&client, url, USERS[0]).await?,
        sign_in(&client, url, USERS[1]).await?,
    ];
    let settings = environment::of_function("create-product", control).await?;
    let currency = settings.get("SHOP_CURRENCY");
    let currency: Currency = currency.ok_or("the shop has no currency")?.parse()?;
    let entries: Vec<Entry> = serde_json::from_str(CATALOGUE)?;
    let products: Vec<String> = stream::iter(entries)
        .map(|entry| add_product(&client, url, &admin, entry, currency))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let product_id = products
        .into_iter()
        .next()
        .ok_or("the demo catalogue is empty")?;
    Ok(Demo {
        product_id,
        access_token,
        currency,
    })
}

async fn register(client: &Client, url: &str, user: User) -> Result<(), Error> {
    let body = json!({"email": user.email, "password": user.password, "name": "Demo"});
    let answer = client
        .post(format!("{url}/customers"))
        .json(&body)
        .send()
        .await?;
    match answer.status() {
        StatusCode::CREATED | StatusCode::CONFLICT => Ok(()),
        status => Err(format!(
            "registering {}: {status} {}",
            user.email,
            answer.text().await?
        )
        .into()),
    }
}

/// Signs the user in and returns the access token.
///
/// # Errors
/// If the shop refuses it.
pub(crate) async fn sign_in(client: &Client, url: &str, user: User) -> Result<String, Error> {
    token(client, url, user.email, user.password).await
}

/// Signs in with an email address and a password, and returns the access token.
///
/// # Errors
/// If the shop refuses it.
pub(crate) async fn token(
    client: &Client,
    url: &str,
    email: &str,
    password: &str,
) -> Result<String, Error> {
    let body = json!({"email": email, "password": password});
    let answer = send(client.post(format!("{url}/auth/login")).json(&body))
        .await?
        .0;
    Ok(answer["access_token"]
        .as_str()
        .ok_or("no access token")?
        .to_owned())
}

/// Returns the price of a product in `currency`: the catalogue's `18.50` is 18.50 EUR, 1850 JPY and 18.500 KWD.
///
/// # Errors
/// If `price` is not an amount with two decimals.
fn price_in(currency: Currency, price: &str) -> Result<Money, Error> {
    let cents = Money::parse(price, "EUR".parse()?)?.minor_units();
    in_currency(currency, cents.ok_or("a price of the demo is negative")?)
}

/// Returns a price that is of the usual magnitude in `currency`: 1850 cents are 18.50 EUR, 1850 JPY and 18.500 KWD.
///
/// # Errors
/// If the amount is too large.
fn in_currency(currency: Currency, cents: u64) -> Result<Money, Error> {
    let further = 10_u64.pow(currency.exponent().saturating_sub(2));
    Ok(Money::from_minor_units(cents * further, currency)?)
}

/// Adds the product and sets its stock, unless it was there already.
async fn add_product(
    client: &Client,
    url: &str,
    admin: &str,
    entry: Entry,
    currency: Currency,
) -> Result<String, Error> {
    let product = json!({
        "name": entry.name,
        "description": entry.description,
        "category": entry.category,
        "price": price_in(currency, &entry.price)?,
        "attributes": entry.attributes,
    });
    let request = client
        .post(format!("{url}/products"))
        .bearer_auth(admin)
        .header(
            "Idempotency-Key",
            format!(
                "demo-{}",
                entry
                    .name
                    .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
            ),
        )
        .json(&product);
    let (answer, replayed) = send(request).await?;
    let id = answer["id"]
        .as_str()
        .ok_or("a product has no id")?
        .to_owned();
    if !replayed {
        let stock = client
            .put(format!("{url}/inventory/{id}"))
            .bearer_auth(admin);
        send(
            stock
                .header("If-Match", "*")
                .json(&json!({"on_hand": entry.on_hand})),
        )
        .await?;
    }
    Ok(id)
}

/// The answer's body, and whether it is one that was given before.
async fn send(request: RequestBuilder) -> Result<(Value, bool), Error> {
    let answer = request.send().await?;
    let status = answer.status();
    let replayed = answer.headers().contains_key("idempotent-replayed");
    let path = answer.url().path().to_owned();
    let body = answer.text().await?;
    if !status.is_success() {
        return Err(format!("{path}: {status} {body}").into());
    }
    Ok((serde_json::from_str(&body)?, replayed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_the_demo_are_sensible_in_each_currency() {
        for (currency, expected) in [
            ("EUR", "18.50 EUR"),
            ("USD", "18.50 USD"),
            ("JPY", "1850 JPY"),
            ("KWD", "18.500 KWD"),
        ] {
            let price = price_in(currency.parse().unwrap(), "18.50").unwrap();
            assert_eq!(price.to_string(), expected);
        }
        let entries: Vec<Entry> = serde_json::from_str(CATALOGUE).unwrap();
        for entry in entries {
            for currency in ["EUR", "JPY", "KWD"] {
                assert!(price_in(currency.parse().unwrap(), &entry.price).is_ok());
            }
        }
    }
}
