//! A running shop, and everything that does not use its HTTP API.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use oxcart_local::calls::CallLog;
use oxcart_local::clock::Clock;
use oxcart_local::functions::Log;
use oxcart_local::runner::{Options, Runner};
use reqwest::Method;
use tokio::sync::OnceCell;

use super::client::Call;
use super::people::{Person, unique};
use super::prices::{CURRENCY, amount};
use super::{build, given_url, operator, root};

/// Where a manual clock starts.
const START: &str = "2026-03-01T09:30:00Z";

/// The stack's name, as in the sample events.
pub(super) const STACK: &str = "oxcart";

/// The physical name of a resource.
pub(crate) fn physical(logical_id: &str) -> String {
    format!("{STACK}-{logical_id}")
}

/// Where a shop writes down what its functions ask of AWS: a file of its own in
/// `OXCART_RECORD_DIR`, for `oxcart policies`, which compares it with the template as it is by itself: with these parameters
/// functions may do more.
fn record(parameters: &[(&str, &str)]) -> Option<PathBuf> {
    let other = |(name, _): &(&str, &str)| ["PaymentGateway", "PaymentGateways"].contains(name);
    if parameters.iter().any(other) {
        return None;
    }
    let folder = PathBuf::from(std::env::var_os("OXCART_RECORD_DIR")?);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder.join(unique("shop") + ".jsonl"))
}

/// The client of the shop's API. It follows no redirect, so that tests see what the API itself responds.
fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().unwrap()
}

/// How much each caller may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Limits {
    /// A hundred times what a shop allows: tests send much.
    #[default]
    Wide,
    /// As in a shop.
    Real,
}

/// How a shop is set up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// Whether its time moves only when told to.
    pub(crate) manual_clock: bool,
    /// Whether its workflow is an EXPRESS one.
    pub(crate) express: bool,
    /// Whether access tokens live for a quarter of an hour of a manual clock, as they do in a shop,
    /// and not for a day.
    pub(crate) short_tokens: bool,
    /// How much each caller may send.
    pub(crate) limits: Limits,
    /// The least that its functions log; `info`, if nothing else is said.
    pub(crate) log_level: Option<&'static str>,
    /// The invocations that all its functions together may have at the same time; 1000, if nothing else is said.
    pub(crate) concurrency: Option<u32>,
    /// Collects when the functions' AWS calls began and ended.
    pub(crate) calls: Option<CallLog>,
    /// Parameters of the template that are others than a shop has by itself.
    pub(crate) parameters: &'static [(&'static str, &'static str)],
}

impl Setup {
    /// The template's parameters.
    fn parameters(&self) -> BTreeMap<String, String> {
        let minimum_order = amount("10.00");
        let day = self.manual_clock && !self.short_tokens;
        let machine = if self.express { "EXPRESS" } else { "STANDARD" };
        let mut parameters = vec![
            ("LogLevel", self.log_level.unwrap_or("info")),
            (
                "RateLimitPercent",
                match self.limits {
                    Limits::Wide => "10000",
                    Limits::Real => "100",
                },
            ),
            ("TokenLifetimeSeconds", if day { "86400" } else { "900" }),
            ("WorkflowType", machine),
        ];
        let names_currency = |(name, _): &(&str, &str)| *name == "ShopCurrency";
        if !self.parameters.iter().any(names_currency) {
            parameters.push(("ShopCurrency", CURRENCY.code()));
            parameters.push(("MinimumOrderAmount", &minimum_order));
        }
        parameters.extend(self.parameters);
        let parameters = parameters.into_iter();
        parameters
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// A person whom many tests share, who signs in again before the token expires: all tests together may take longer.
#[derive(Default)]
struct SignedIn(tokio::sync::Mutex<Option<(Instant, &'static Person)>>);

/// How long a token is given to further tests: the longest of them take minutes, and a token lasts for fifteen.
const SHARED_FOR: Duration = Duration::from_mins(5);

impl SignedIn {
    async fn get(&self, sign_in: impl AsyncFnOnce(Option<&Person>) -> Person) -> &Person {
        let mut last = self.0.lock().await;
        if let Some((since, person)) = *last
            && since.elapsed() < SHARED_FOR
        {
            return person;
        }
        let since = Instant::now();
        let before = last.map(|(_, person)| person);
        // Leaked, because tests still use the one before: one in five minutes.
        let person = Box::leak(Box::new(sign_in(before).await));
        *last = Some((since, person));
        person
    }
}

/// A running shop, and what the tests know about it.
pub(crate) struct Shop {
    url: String,
    runner: Option<Runner>,
    pub(super) http: reqwest::Client,
    admin: SignedIn,
    buyer: SignedIn,
    /// What was put on hand and on backorder of each product.
    on_hand: Mutex<BTreeMap<String, u64>>,
    pub(crate) log: PathBuf,
}

/// The shop of all tests that need none of their own: every test brings its own products and
/// customers. Its workflow is a STANDARD one, its time the machine's.
pub(crate) async fn shared() -> &'static Shop {
    static SHOP: OnceCell<Shop> = OnceCell::const_new();
    SHOP.get_or_init(async || match given_url() {
        Some(url) => Shop::at(url),
        None => Shop::start(Setup::default()).await,
    })
    .await
}

/// As [`shared`], with an EXPRESS workflow.
pub(crate) async fn express() -> &'static Shop {
    static SHOP: OnceCell<Shop> = OnceCell::const_new();
    let setup = Setup {
        express: true,
        ..Setup::default()
    };
    SHOP.get_or_init(|| Shop::start(setup)).await
}

impl Shop {
    /// Returns its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Starts a shop with nothing in it.
    pub(crate) async fn start(setup: Setup) -> Self {
        let binaries = tokio::task::spawn_blocking(build::binaries).await.unwrap();
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("shop") + ".log");
        let file = Arc::new(Mutex::new(File::create(&log).unwrap()));
        let options = Options {
            parameters: setup.parameters(),
            clock: if setup.manual_clock {
                Clock::manual(START.parse().unwrap())
            } else {
                Clock::system()
            },
            record: record(setup.parameters),
            calls: setup.calls,
            concurrency: setup.concurrency.unwrap_or(1000),
            stack_name: STACK.to_owned(),
            log: Log::File(file),
            ..Options::new(root().join("template.yaml"), binaries)
        };
        let runner = Runner::start(options).await.unwrap();
        let url = runner.urls().shop.clone();
        Self {
            runner: Some(runner),
            log,
            ..Self::at(url)
        }
    }

    /// A shop that runs elsewhere.
    fn at(url: String) -> Self {
        Self {
            url,
            runner: None,
            http: client(),
            admin: SignedIn::default(),
            buyer: SignedIn::default(),
            on_hand: Mutex::default(),
            log: PathBuf::new(),
        }
    }

    pub(super) fn runner(&self) -> &Runner {
        self.runner
            .as_ref()
            .expect("this test needs the local runner")
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let url = format!("{}{path}", self.url);
        Call::documented(&self.http, method, &url, path)
    }

    /// The shop's admin.
    pub(crate) async fn admin(&self) -> &Person {
        let sign_in = async |before: Option<&Person>| match (&self.runner, before) {
            (None, _) => self.given_admin().await,
            (Some(_), None) => self.new_admin().await,
            (Some(_), Some(admin)) => self.again(admin).await,
        };
        self.admin.get(sign_in).await
    }

    /// A customer for tests that place many orders and look at none of the customer's own.
    pub(crate) async fn buyer(&self) -> &Person {
        let sign_in = async |before: Option<&Person>| match before {
            None => self.customer().await,
            Some(buyer) => self.again(buyer).await,
        };
        self.buyer.get(sign_in).await
    }

    /// The same person with a new token.
    async fn again(&self, person: &Person) -> Person {
        Person {
            token: self.login(&person.email).await,
            ..person.clone()
        }
    }

    /// The admin of a shop that runs elsewhere.
    async fn given_admin(&self) -> Person {
        let email = std::env::var("OXCART_ADMIN_EMAIL").expect("OXCART_URL needs an admin");
        let password = std::env::var("OXCART_ADMIN_PASSWORD").expect("OXCART_URL needs an admin");
        let token = self.login_with(&email, &password).await;
        Person {
            id: String::new(),
            email,
            token,
        }
    }

    /// What an operator does: gives a customer the role admin.
    pub(crate) async fn grant_admin(&self, email: &str) {
        operator::grant_admin(
            &self.runner().urls().aws,
            &physical("CustomersTable"),
            email,
        )
        .await;
    }

    /// What was put on hand of a product, if a test did that.
    pub(crate) fn on_hand(&self, product: &str) -> Option<u64> {
        self.on_hand.lock().unwrap().get(product).copied()
    }

    pub(crate) fn note_on_hand(&self, product: &str, on_hand: u64) {
        self.on_hand
            .lock()
            .unwrap()
            .insert(product.to_owned(), on_hand);
    }

    /// What the functions have logged.
    pub(crate) fn logs(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}
