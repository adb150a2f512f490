//! An embedded DynamoDB for tests: the real SDK client on a real engine, with the tables of
//! `template.yaml`, and the faults that AWS has and the engine has not.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use aws_types::sdk_config::RetryConfig;
use dynoxide::Database;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::aws::settings::{Setting, Settings};
use crate::http::exchange::{Caller, Identity, Request};
use crate::values::clock::Time;
use crate::values::id::CustomerId;

mod engine;

pub(crate) use engine::{Engine, Fault};

/// AWS with an empty DynamoDB that has every table of `template.yaml`, named as its setting, and
/// ordinary values for all other settings.
pub(crate) fn aws() -> (Aws, Engine) {
    aws_with(&[])
}

/// AWS as [`aws`] has it, with these settings instead.
pub(crate) fn aws_with(changed: &[(&str, &str)]) -> (Aws, Engine) {
    let database = Arc::new(Database::memory().unwrap());
    let engine = Engine {
        database,
        faults: Arc::default(),
        others: Arc::default(),
        calls: Arc::default(),
        interruptions: Arc::default(),
    };
    for (logical_id, table) in tables() {
        let mut request = table;
        request["TableName"] = json!(setting_of(&logical_id));
        let (status, answer) = engine.call("CreateTable", &request.to_string());
        assert_eq!(status, 200, "{logical_id}: {answer}");
    }
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(std::time::Duration::from_millis(1));
    let config = SdkConfig::builder()
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(
            aws_credential_types::Credentials::new("test", "test", None, None, "test"),
        ))
        .retry_config(retries)
        .sleep_impl(aws_sdk_dynamodb::config::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .http_client(engine.clone())
        .build();
    let mut settings = settings();
    let changed = changed.iter();
    settings.extend(changed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    (Aws::with(config, Settings::Given(settings)), engine)
}

fn settings() -> BTreeMap<String, String> {
    let tables = Setting::ALL
        .iter()
        .map(|setting| (setting.name(), setting.name()));
    let others = [
        ("CACHE_CHECK_SECONDS", "1"),
        ("CACHE_MEGABYTES", "32"),
        // What changes a table here has no stream that says so.
        ("CATEGORY_CACHE_SECONDS", "0"),
        ("PRODUCT_CACHE_SECONDS", "0"),
        ("EDGE_CACHE_SECONDS", "0"),
        ("ERASURE_DAYS", "30"),
        ("LOG_LEVEL", "info"),
        ("LOW_STOCK_LEVEL", "5"),
        ("MINIMUM_CREDIT_SCORE", "600"),
        ("MINIMUM_ORDER_AMOUNT", "10.00"),
        ("MINIMUM_ORDER_BASIS", "total"),
        ("ORDER_DEADLINE_SECONDS", "900"),
        ("REVIEW_DEADLINE_SECONDS", "259200"),
        ("PAYMENT_GATEWAY", "sandbox"),
        ("PAYMENT_CAPTURE", "at_once"),
        ("PAYMENT_GATEWAYS", ""),
        ("PAYMENT_ROUTING", "primary_with_fallback"),
        ("RATE_LIMIT_PERCENT", "100"),
        ("SHARED_CACHE_URL", ""),
        ("SHOP_CURRENCY", "EUR"),
        ("SHOW_STOCK_QUANTITY", "false"),
        ("TOKEN_ALGORITHM", "EdDSA"),
        ("TOKEN_LIFETIME_SECONDS", "900"),
    ];
    tables
        .chain(others)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// `OrdersTable` is what the setting `ORDERS_TABLE` names.
fn setting_of(logical_id: &str) -> String {
    let mut name = String::new();
    for letter in logical_id.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// The `CreateTable` requests of the tables in `template.yaml`, by logical id.
fn tables() -> Vec<(String, Value)> {
    let template: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(include_str!("../../../template.yaml")).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table")
        .map(|(logical_id, resource)| {
            let mut request = json!({"BillingMode": "PAY_PER_REQUEST"});
            for name in [
                "AttributeDefinitions",
                "KeySchema",
                "GlobalSecondaryIndexes",
                "LocalSecondaryIndexes",
            ] {
                let part = serde_json::to_value(&resource["Properties"][name]).unwrap();
                if !part.is_null() {
                    request[name] = part;
                }
            }
            (logical_id.as_str().unwrap().to_owned(), request)
        })
        .collect()
}

/// A request of an admin at `now` with `body` as JSON, to be changed by the test.
pub(crate) fn request(now: Time, body: &Value) -> Request {
    let caller = Caller {
        customer_id: CustomerId::derived(&["admin"]),
        admin: true,
        group: None,
        locale: None,
    };
    Request {
        now,
        request_id: "MJy3ZgkZFiAEJ8Q=".to_owned(),
        path: "/test".to_owned(),
        source_ip: "192.0.2.1".to_owned(),
        headers: http::HeaderMap::new(),
        body: body.to_string().into_bytes(),
        path_parameters: std::collections::HashMap::new(),
        query: Vec::new(),
        identity: Some(Identity {
            caller,
            expires_at_seconds: now.as_seconds() + 900,
        }),
    }
    .with("content-type", "application/json")
}

impl Request {
    /// This request with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// This request to the address whose path parameter `name` is `value`.
    pub(crate) fn at(mut self, name: &str, value: impl ToString) -> Self {
        self.path_parameters
            .insert(name.to_owned(), value.to_string());
        self
    }

    /// This request with one more query parameter.
    pub(crate) fn with_query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This request of a customer who is not an admin.
    pub(crate) fn of_customer(mut self) -> Self {
        if let Some(identity) = &mut self.identity {
            identity.caller.admin = false;
        }
        self
    }
}

/// Returns how many things a test of volume has: `usual`, or what the environment variable `OXCART_VOLUME` says.
pub(crate) fn volume(usual: usize) -> usize {
    std::env::var("OXCART_VOLUME").map_or(usual, |number| number.parse().unwrap())
}

/// Returns how much memory this process has resident, its tables included, or 0 where the system does not say.
pub(crate) fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let resident = lines.find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0_u64) / 1024
}

/// Runs all `jobs` at once, each on a thread of its own, and answers what they answered.
pub(crate) fn at_once<T: Send>(
    jobs: impl IntoIterator<Item = impl AsyncFnOnce() -> T + Send>,
) -> Vec<T> {
    let jobs: Vec<_> = jobs.into_iter().collect();
    let start = std::sync::Barrier::new(jobs.len());
    std::thread::scope(|scope| {
        let running: Vec<_> = jobs
            .into_iter()
            .map(|job| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .unwrap();
                    start.wait();
                    runtime.block_on(job())
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}
