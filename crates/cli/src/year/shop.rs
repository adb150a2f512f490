//! The shop that the year is played in: the local runner with a clock that moves only when told to, and its functions
//! behind the routes, which are invoked with the events that API Gateway would send.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use oxcart_core::values::money::{Currency, Money, MoneyError};
use oxcart_local::aws::Caller;
use oxcart_local::clock::Clock;
use oxcart_local::functions::Log;
use oxcart_local::runner::{Options, Runner};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::edge::{Edge, Figures};
use super::request::{Request, Response, Returned};
use crate::{Error, build};

/// When the year begins.
pub(super) const START: &str = "2026-01-05T00:00:00Z";

/// The stack's name.
const STACK: &str = "year";

/// The queue of events that cannot be published: like dead letters, they wait for an operator.
const SET_ASIDE: &str = "SetAsideQueue";

/// The lowest total of an order, in the currency's smallest units: lower than every price of the year.
const LOWEST_TOTAL: u64 = 1_000;

/// How long caches may keep what shoppers look at, in seconds.
const EDGE_SECONDS: &str = "60";

/// How far the clock moves while something waits for it.
const STEP: Duration = Duration::from_secs(20);

/// The most steps until a shop must have come to rest: four hours.
const STEPS: usize = 720;

/// The longest that functions may work without a pause.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often a client sends a request again that the shop could not carry out.
const TRIES: usize = 12;

/// A running shop.
pub(super) struct Shop {
    pub(super) runner: Runner,
    pub(super) clock: Clock,
    pub(super) currency: Currency,
    /// The cache through which shoppers look, if they do.
    edge: Option<Mutex<Edge>>,
    client: Client,
}

impl Shop {
    /// Starts a shop with nothing in it, whose prices are in `currency`. With `browse`, shoppers can look at it.
    ///
    /// # Errors
    /// If the runner does not start.
    pub(super) async fn start(seed: u64, currency: Currency, browse: bool) -> Result<Self, Error> {
        let clock = Clock::manual(START.parse()?);
        let minimum = Money::from_minor_units(LOWEST_TOTAL, currency)?;
        let kept_seconds = if browse { EDGE_SECONDS } else { "0" };
        let parameters = [
            ("EdgeCacheSeconds", kept_seconds.to_owned()),
            ("LogLevel", "error".to_owned()),
            ("MinimumOrderAmount", minimum.amount().to_string()),
            // Rate limits have nothing to do with the number of orders, and their writes would hide what lists cost.
            ("RateLimitPercent", "0".to_owned()),
            ("ShopCurrency", currency.code().to_owned()),
        ];
        let runner = Runner::start(Options {
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            clock: clock.clone(),
            fault_seed: seed,
            stack_name: STACK.to_owned(),
            log: Log::Silent,
            ..Options::new(
                build::repository().join("template.yaml"),
                build::binaries()?,
            )
        })
        .await?;
        Ok(Self {
            runner,
            clock,
            currency,
            edge: browse.then(Mutex::default),
            client: Client::builder().build()?,
        })
    }

    /// Returns an amount of the smallest units of the shop's currency, as the API takes it.
    ///
    /// # Errors
    /// If it is too large.
    pub(super) fn amount(&self, units: u64) -> Result<Value, MoneyError> {
        amount(units, self.currency)
    }

    /// Reads an amount of the shop's currency, or `None` if it is something else.
    pub(super) fn units(&self, amount: &str) -> Option<u64> {
        units(amount, self.currency)
    }

    /// Sends a request until the shop has carried it out or refused it: with faults, a function may fail or respond
    /// with a 5xx.
    ///
    /// # Errors
    /// If it fails each time.
    pub(super) async fn send(&self, request: &Request<'_>) -> Result<Response, Error> {
        let event = request.event(self.clock.now());
        let mut failure = String::new();
        for _ in 0..TRIES {
            match self.invoke(request.function(), &event).await {
                Ok(returned) => {
                    let returned: Returned = serde_json::from_value(returned)?;
                    let body = returned.body.unwrap_or_default();
                    if returned.status_code < 500 && returned.status_code != 429 {
                        return Ok(Response {
                            status: returned.status_code,
                            headers: returned.headers,
                            body: serde_json::from_str(&body).unwrap_or_default(),
                        });
                    }
                    failure = format!("{} {body}", returned.status_code);
                }
                Err(error) => failure = error.to_string(),
            }
        }
        Err(format!("{} failed {TRIES} times: {failure}", request.name()).into())
    }

    /// Lets a shopper look at something, through the cache that shoppers share. Does nothing if they do not look.
    ///
    /// # Errors
    /// If the shop fails or refuses the request.
    pub(super) async fn look(&self, request: &Request<'_>) -> Result<(), Error> {
        let Some(edge) = &self.edge else {
            return Ok(());
        };
        let (address, now) = (request.address(), self.clock.now());
        let edge = || edge.lock().map_err(|_| "a shopper panicked");
        if !edge()?.ask(&address, now)? {
            return Ok(());
        }
        let response = self.send(request).await?;
        edge()?.keep(&address, response.status, &response.headers, now)?;
        response.expect(&[200]).map(drop)
    }

    /// Returns what shoppers have looked at, if they look.
    pub(super) fn looked_at(&self) -> Option<Figures> {
        let edge = self.edge.as_ref()?.lock().ok()?;
        Some(edge.figures())
    }

    /// Invokes a function once.
    ///
    /// # Errors
    /// If there is no such function, or it fails.
    pub(super) async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Error> {
        let functions = self.runner.functions();
        let id = functions
            .find(function)
            .ok_or_else(|| format!("the template has no function {function}"))?;
        let returned = functions.invoke(id, event.to_string().into()).await?;
        Ok(serde_json::from_slice(&returned)?)
    }

    /// The physical name of a table.
    pub(super) fn table(logical_id: &str) -> String {
        format!("{STACK}-{logical_id}")
    }

    /// Calls DynamoDB as an operator: no fault, no invocation.
    ///
    /// # Errors
    /// As DynamoDB.
    pub(super) fn dynamodb(&self, operation: &str, body: Value) -> Result<Value, Error> {
        let tables = self.runner.tables();
        let answer = tables.call(&Caller::operator(), operation, body)?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Passes every item of a table to `each`.
    ///
    /// # Errors
    /// As DynamoDB.
    pub(super) fn scan(&self, table: &str, mut each: impl FnMut(&Value)) -> Result<(), Error> {
        let mut request = json!({"TableName": Self::table(table), "ConsistentRead": true});
        loop {
            let page = self.dynamodb("Scan", request.clone())?;
            for item in page["Items"].as_array().into_iter().flatten() {
                each(item);
            }
            match page.get("LastEvaluatedKey") {
                Some(last) if !last.is_null() => request["ExclusiveStartKey"] = last.clone(),
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Returns the header of an order.
    ///
    /// # Errors
    /// As DynamoDB.
    pub(super) fn header(&self, order: &str) -> Result<Value, Error> {
        let request = json!({
            "TableName": Self::table("OrdersTable"),
            "Key": {"order_id": {"S": order}, "part": {"S": "header"}},
            "ConsistentRead": true,
        });
        Ok(self.dynamodb("GetItem", request)?["Item"].take())
    }

    /// Moves the clock on, each time that nothing moves without it, until all that these orders' status demands is
    /// done and nothing is on its way through streams and queues.
    ///
    /// # Errors
    /// If that takes more than four hours of the shop's time, or functions never stop working.
    pub(super) async fn settle(&self, orders: impl IntoIterator<Item = &str>) -> Result<(), Error> {
        let mut open: Vec<&str> = orders.into_iter().collect();
        for _ in 0..STEPS {
            self.still().await?;
            let mut still_open = Vec::new();
            for order in open {
                if !is_over(&self.header(order)?) {
                    still_open.push(order);
                }
            }
            open = still_open;
            if open.is_empty() && self.is_quiet().await? {
                return Ok(());
            }
            let _ = self.clock.advance(STEP);
        }
        let waiting = self.queues().await?;
        let first = open.first().map(|order| self.header(order)).transpose()?;
        let first = first.unwrap_or_default();
        Err(format!(
            "the shop does not come to rest: {} orders are open, the first is {first}; queues: {waiting:?}",
            open.len()
        )
        .into())
    }

    /// Waits until no function is at work: until then the clock would run away from it.
    async fn still(&self) -> Result<(), Error> {
        let begun = Instant::now();
        let mut seen = 0;
        // What follows from what, as one step from another, takes a moment without a function.
        while seen < 3 {
            let working = self.runner.functions().under_way() > 0;
            seen = if working { 0 } else { seen + 1 };
            if begun.elapsed() > PATIENCE {
                return Err("some function is always at work".into());
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        Ok(())
    }

    /// Whether nothing is on its way through streams and queues.
    async fn is_quiet(&self) -> Result<bool, Error> {
        Ok(self.streams_idle().await
            && self.queues().await?.is_empty()
            // What a queue's consumer has written may be on a stream by now.
            && self.streams_idle().await)
    }

    async fn streams_idle(&self) -> bool {
        let idle = self.runner.tables().streams_idle();
        tokio::time::timeout(Duration::from_millis(50), idle)
            .await
            .is_ok()
    }

    /// Returns the queues in which messages wait, each with their number; dead letters too if they are `dead`.
    async fn waiting(&self, dead: bool) -> Result<Vec<(String, u64)>, Error> {
        let queues = self.control("queues").await?;
        let queues = queues["queues"].as_object().cloned().unwrap_or_default();
        let waiting = queues.into_iter().map(|(name, queue)| {
            let states = ["visible", "in_flight", "delayed"];
            let count = states.map(|state| queue[state].as_u64().unwrap_or(0));
            (name, count.iter().sum())
        });
        let is_dead = |name: &str| name.ends_with("DeadLetters") || name == SET_ASIDE;
        Ok(waiting
            .filter(|(name, count)| *count > 0 && is_dead(name) == dead)
            .collect())
    }

    async fn queues(&self) -> Result<Vec<(String, u64)>, Error> {
        self.waiting(false).await
    }

    /// Returns the queues of dead letters and of what is set aside that are not empty, each with the number of messages.
    ///
    /// # Errors
    /// If the runner does not tell.
    pub(super) async fn dead_letters(&self) -> Result<Vec<(String, u64)>, Error> {
        self.waiting(true).await
    }

    /// Returns the response of `GET /_local/...`.
    ///
    /// # Errors
    /// If the runner does not respond with JSON.
    pub(super) async fn control(&self, path: &str) -> Result<Value, Error> {
        let url = format!("{}/_local/{path}", self.runner.urls().control);
        let response = self.client.get(url).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Puts a file at an address that the shop has given.
    ///
    /// # Errors
    /// If the bucket fails each time, or refuses it.
    pub(super) async fn upload(&self, url: &str, file: String) -> Result<(), Error> {
        let put = || self.client.put(url).body(file.clone());
        self.repeat(put).await.map(drop)
    }

    /// Returns the file at an address that the shop has given.
    ///
    /// # Errors
    /// If the bucket fails each time, or refuses it.
    pub(super) async fn download(&self, url: &str) -> Result<String, Error> {
        self.repeat(|| self.client.get(url)).await
    }

    /// Sends a request of the bucket until that has carried it out, and returns the body.
    async fn repeat(&self, request: impl Fn() -> RequestBuilder) -> Result<String, Error> {
        let mut failure = String::new();
        for _ in 0..TRIES {
            match request().send().await {
                Ok(response) if response.status().is_server_error() => {
                    failure = response.status().to_string();
                }
                Ok(response) => return Ok(response.error_for_status()?.text().await?),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(format!("the bucket failed {TRIES} times: {failure}").into())
    }

    /// Counts units from zero.
    ///
    /// # Errors
    /// If the runner refuses it.
    pub(super) async fn reset_bill(&self) -> Result<(), Error> {
        let url = format!("{}/_local/bill/reset", self.runner.urls().control);
        self.client.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Replaces the faults in force.
    ///
    /// # Errors
    /// If the runner does not understand them.
    pub(super) async fn set_faults(&self, faults: &[String]) -> Result<(), Error> {
        let url = format!("{}/_local/faults", self.runner.urls().control);
        let request = self.client.put(url).json(&json!({"faults": faults}));
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

/// Whether the order with this header has an outcome and nothing is left to do for it but to erase its address later.
pub(super) fn is_over(header: &Value) -> bool {
    let due = header.get("due_at");
    // Where `due_at` is the time to erase the address, `run_at` is the time of the next run, if there is one.
    let only_erased = due == header.get("erase") && header.get("run_at").is_none();
    !header.is_null() && header["status"]["S"] != "pending" && (due.is_none() || only_erased)
}

/// Returns an amount of the smallest units of `currency`, as the API takes it.
///
/// # Errors
/// If it is too large.
pub(super) fn amount(units: u64, currency: Currency) -> Result<Value, MoneyError> {
    let money = Money::from_minor_units(units, currency)?;
    Ok(json!({"amount": money.amount().to_string(), "currency": currency.code()}))
}

/// Returns an amount of `currency` in its smallest units, or `None` if it is something else.
pub(super) fn units(amount: &str, currency: Currency) -> Option<u64> {
    Money::parse(amount, currency).ok()?.minor_units()
}
