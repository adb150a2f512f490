//! A running shop, and all that is not done over its HTTP API.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use oxcart_local::clock::Clock;
use oxcart_local::functions::Log;
use oxcart_local::runner::{Options, Runner};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::client::Call;
use super::people::{Person, unique};
use super::{PATIENCE, build, given_url, operator, root, until};

/// Where a manual clock starts.
const START: &str = "2026-03-01T09:30:00Z";

/// The stack's name, as in the sample events.
const STACK: &str = "oxcart";

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
}

/// A running shop, and what is known of it.
pub(crate) struct Shop {
    url: String,
    runner: Option<Runner>,
    http: reqwest::Client,
    admin: OnceCell<Person>,
    buyer: OnceCell<Person>,
    /// What was put on hand of each product.
    on_hand: Mutex<BTreeMap<String, u64>>,
    log: PathBuf,
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
    /// Starts a shop with nothing in it.
    pub(crate) async fn start(setup: Setup) -> Self {
        let binaries = tokio::task::spawn_blocking(build::binaries).await.unwrap();
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("shop") + ".log");
        let file = Arc::new(Mutex::new(File::create(&log).unwrap()));
        let machine = if setup.express { "EXPRESS" } else { "STANDARD" };
        let day = setup.manual_clock && !setup.short_tokens;
        let parameters = [
            ("TokenLifetimeSeconds", if day { "86400" } else { "900" }),
            ("WorkflowType", machine),
        ];
        let options = Options {
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            clock: match setup.manual_clock {
                true => Clock::manual(START.parse().unwrap()),
                false => Clock::system(),
            },
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
            http: reqwest::Client::new(),
            admin: OnceCell::new(),
            buyer: OnceCell::new(),
            on_hand: Mutex::default(),
            log: PathBuf::new(),
        }
    }

    fn runner(&self) -> &Runner {
        self.runner
            .as_ref()
            .expect("this test needs the local runner")
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(&self.http, method, &format!("{}{path}", self.url))
    }

    /// The shop's admin.
    pub(crate) async fn admin(&self) -> &Person {
        self.admin
            .get_or_init(async || match self.runner {
                Some(_) => self.new_admin().await,
                None => self.given_admin().await,
            })
            .await
    }

    /// A customer for tests that place many orders and look at none of the customer's own.
    pub(crate) async fn buyer(&self) -> &Person {
        self.buyer.get_or_init(|| self.customer()).await
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
            &self.physical("CustomersTable"),
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

    /// The physical name of a resource.
    pub(crate) fn physical(&self, logical_id: &str) -> String {
        format!("{STACK}-{logical_id}")
    }

    /// What the functions have logged.
    pub(crate) fn logs(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    // The control port ---------------------------------------------------------------------------

    fn local(&self, method: Method, path: &str) -> Call {
        Call::new(
            &self.http,
            method,
            &format!("{}/_local/{path}", self.runner().urls().control),
        )
    }

    /// What `GET /_local/...` answers.
    pub(crate) async fn control(&self, path: &str) -> Value {
        self.local(Method::GET, path)
            .send()
            .await
            .expect(200)
            .json()
    }

    /// Puts these faults in force, in the place of all others.
    pub(crate) async fn fault(&self, faults: &str) {
        self.set_faults(json!([faults])).await;
    }

    /// Ends all faults.
    pub(crate) async fn no_faults(&self) {
        self.set_faults(json!([])).await;
    }

    async fn set_faults(&self, faults: Value) {
        let body = json!({"faults": faults});
        self.local(Method::POST, "faults")
            .json(&body)
            .send()
            .await
            .expect(200);
    }

    /// How many calls the faults in force have hit, the last of them.
    pub(crate) async fn fault_hits(&self) -> u64 {
        let faults = self.control("faults").await;
        faults.as_array().unwrap().last().unwrap()["hit"]
            .as_u64()
            .unwrap()
    }

    /// What was mailed.
    pub(crate) async fn mail(&self) -> Vec<Value> {
        self.control("mail").await["messages"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// An execution of the workflow; null if there is none of this name.
    pub(crate) async fn execution(&self, name: &str) -> Value {
        let answer = self
            .local(Method::GET, &format!("executions/{name}"))
            .send()
            .await;
        if answer.status == 200 {
            answer.json()
        } else {
            Value::Null
        }
    }

    /// The time in the shop.
    pub(crate) async fn now(&self) -> String {
        let now = self.control("clock").await["now"]
            .as_str()
            .unwrap()
            .to_owned();
        format!("{:.3}", now.parse::<jiff::Timestamp>().unwrap())
    }

    /// Moves a manual clock.
    pub(crate) async fn advance(&self, seconds: u64) {
        let body = json!({"seconds": seconds});
        self.local(Method::POST, "clock/advance")
            .json(&body)
            .send()
            .await
            .expect(200);
    }

    pub(crate) async fn bill(&self) -> Value {
        self.control("bill").await
    }

    pub(crate) async fn reset_bill(&self) {
        self.local(Method::POST, "bill/reset")
            .send()
            .await
            .expect(204);
    }

    /// Invokes a function: its answer, or its error's name. Tried once.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value, String> {
        let call = self.local(Method::POST, &format!("invoke/{function}"));
        let answer = call.json(event).send().await.expect(200);
        if answer.header("x-amz-function-error").is_none() {
            return Ok(answer.json());
        }
        Err(answer.json()["errorType"].as_str().unwrap().to_owned())
    }

    // The AWS endpoint ---------------------------------------------------------------------------

    /// Calls an AWS API as an operator does. Nothing on this machine checks signatures.
    async fn aws(&self, service: &str, target: &str, version: &str, body: &Value) -> Value {
        let credential = format!("operator/20260301/eu-central-1/{service}/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        Call::new(&self.http, Method::POST, &self.runner().urls().aws)
            .header("x-amz-target", target)
            .header("authorization", &authorization)
            .raw(
                &format!("application/x-amz-json-{version}"),
                body.to_string(),
            )
            .send()
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        self.aws("dynamodb", &target, "1.0", body).await
    }

    /// Starts another run of the order's workflow.
    pub(crate) async fn start_workflow(&self, order: &str, run: &str) {
        let name = self.physical("OrderWorkflow");
        let body = json!({
            "stateMachineArn": format!("arn:aws:states:eu-central-1:000000000000:stateMachine:{name}"),
            "name": format!("{order}-{run}"),
            "input": json!({"order_id": order}).to_string(),
        });
        self.aws("states", "AWSStepFunctions.StartExecution", "1.0", &body)
            .await;
    }

    // Waiting ------------------------------------------------------------------------------------

    /// Waits until all that the order's status demands is done.
    pub(crate) async fn until_settled(&self, order: &str) {
        until("the order is settled", async || self.settled(order).await).await;
    }

    async fn settled(&self, order: &str) -> Result<(), String> {
        let key = json!({"order_id": {"S": order}, "part": {"S": "header"}});
        let request =
            json!({"TableName": self.physical("OrdersTable"), "Key": key, "ConsistentRead": true});
        let item = self.dynamodb("GetItem", &request).await["Item"].clone();
        let done = !item.is_null() && item["status"]["S"] != "pending" && item["due_at"].is_null();
        if done { Ok(()) } else { Err(item.to_string()) }
    }

    /// Moves a manual clock on, step by step, until `ask` has an answer: what waits for the clock
    /// gets its turn, and what is under way has time to go on.
    pub(crate) async fn run_until<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<T, String>,
    ) -> T {
        let begun = Instant::now();
        loop {
            let step = Instant::now();
            while step.elapsed() < Duration::from_millis(120) {
                match ask().await {
                    Ok(answer) => return answer,
                    Err(refusal) => {
                        let overdue = begun.elapsed() > 2 * PATIENCE;
                        assert!(!overdue, "{what}: {refusal}, log in {}", self.log.display());
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.advance(10).await;
        }
    }

    /// Moves a manual clock on until all that the order's status demands is done.
    pub(crate) async fn run_until_settled(&self, order: &str) {
        self.run_until("the order is settled", async || self.settled(order).await)
            .await;
    }

    /// Moves a manual clock on by `seconds`, with time for what is under way to go on.
    pub(crate) async fn advance_in_steps(&self, seconds: u64) {
        for _ in 0..seconds.div_ceil(20) {
            self.advance(20).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Moves a manual clock on until the order's history is `events`, and answers it.
    pub(crate) async fn run_until_history(
        &self,
        person: &Person,
        order: &str,
        events: &[&str],
    ) -> Value {
        self.run_until("history", async || {
            self.history_is(person, order, events).await
        })
        .await
    }

    /// Moves a manual clock on until as many messages were sent to `email`, and nothing more is on
    /// its way; answers them.
    pub(crate) async fn run_until_mail(&self, email: &str, count: usize) -> Vec<Value> {
        let sent = async || -> Vec<Value> {
            let mail = self.mail().await.into_iter();
            mail.filter(|message| message["to"] == email).collect()
        };
        self.run_until("mail", async || match sent().await {
            messages if messages.len() >= count => Ok(()),
            messages => Err(format!("{messages:?}")),
        })
        .await;
        self.run_until("quiet", async || self.is_quiet().await)
            .await;
        sent().await
    }

    /// Waits until nothing is on its way through streams and queues.
    pub(crate) async fn quiet(&self) {
        until("quiet", async || self.is_quiet().await).await;
    }

    async fn is_quiet(&self) -> Result<(), String> {
        self.streams_idle().await?;
        let queues = self.control("queues").await;
        let queues = queues["queues"].as_object().unwrap();
        for (name, queue) in queues {
            let count = |what: &str| queue[what].as_u64().unwrap();
            let waiting = count("visible") + count("in_flight") + count("delayed");
            if waiting > 0 && !name.ends_with("DeadLetters") {
                return Err(format!("{name}: {queue}"));
            }
        }
        // What a queue's consumer has written may be on a stream by now.
        self.streams_idle().await
    }

    async fn streams_idle(&self) -> Result<(), String> {
        let idle = self.runner().tables().streams_idle();
        let waited = tokio::time::timeout(Duration::from_millis(100), idle).await;
        waited.map_err(|_| "a stream is not read to its end".to_owned())
    }
}
