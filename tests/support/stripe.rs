//! A shop that charges cards with localstripe, which others wrote.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

use super::root;
use super::shop::{Setup, Shop, physical};

/// The accounts that have a name, beside the one that has none.
pub(crate) const ACCOUNTS: [&str; 2] = ["eu", "us"];

/// An account at a localstripe of this test's own. The program ends with its standard input, which its process has.
#[derive(Clone)]
pub(crate) struct Localstripe {
    _process: Arc<Child>,
    url: String,
    http: reqwest::Client,
    account: Option<&'static str>,
}

impl Localstripe {
    /// Starts one, or says that the test is skipped. Returns the account without a name.
    pub(crate) fn start() -> Option<Self> {
        let started = Command::new("python3")
            .arg(root().join("tests/support/run_localstripe.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut line = "none".to_owned();
        let process = started.ok().map(|mut process| {
            line.clear();
            let output = process.stdout.as_mut().unwrap();
            BufReader::new(output).read_line(&mut line).unwrap();
            process
        });
        if line.trim() == "none" {
            eprintln!("skipped: there is no localstripe, nor does OXCART_LOCALSTRIPE name one");
            return None;
        }
        let port: u16 = line.trim().parse().expect("localstripe does not start");
        Some(Self {
            _process: Arc::new(process?),
            url: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::new(),
            account: None,
        })
    }

    /// Returns the account with `name`.
    pub(crate) fn account(&self, name: &'static str) -> Self {
        Self {
            account: Some(name),
            ..self.clone()
        }
    }

    /// Returns its key, by which localstripe knows it.
    fn api_key(&self) -> String {
        match self.account {
            Some(name) => format!("sk_tests@{name}"),
            None => "sk_tests".to_owned(),
        }
    }

    /// Returns the secret with which it signs its events.
    pub(crate) fn signing_secret(&self) -> String {
        format!("whsec_{}", self.account.unwrap_or("tests"))
    }

    /// Starts a shop that charges with these accounts, and is sent their events.
    pub(crate) async fn shop(&self, setup: Setup) -> Shop {
        let url: &'static str = self.url.clone().leak();
        let mut parameters = vec![("PaymentGateway", "stripe"), ("StripeUrl", url)];
        parameters.extend(setup.parameters);
        let shop = Shop::start(Setup {
            parameters: parameters.leak(),
            ..setup
        })
        .await;
        let keys = |account: &Self| json!({"api_key": account.api_key(), "signing_secrets": [account.signing_secret()]});
        let mut secret = keys(self);
        for name in ACCOUNTS {
            secret["accounts"][name] = keys(&self.account(name));
        }
        shop.put_secret(&physical("StripeSecret"), &secret).await;
        let events = format!("{}/webhooks/payments/stripe", shop.url());
        let named = ACCOUNTS.map(|name| self.account(name));
        for account in named.iter().chain([self]) {
            let form = format!("url={events}&secret={}", account.signing_secret());
            account.send("POST", "/_config/webhooks/shop", form).await;
        }
        shop
    }

    /// Charges `cents` for somebody else who uses the account.
    pub(crate) async fn charge(&self, cents: u64) {
        let form = format!("amount={cents}&currency=eur&payment_method=pm_card_visa&confirm=true");
        let charged = self.call("POST", "/v1/payment_intents", form).await;
        assert_eq!(charged["status"], "succeeded", "{charged}");
    }

    /// Loses the answers to the next `times` of `call`, such as `POST /v1/payment_intents/*/confirm`, which are done.
    pub(crate) async fn lose_answers(&self, call: &str, times: u32) {
        let form = format!("call={call}&times={times}");
        self.send("POST", "/_config/faults", form).await;
    }

    /// Answers the next `times` of `call` with `status`, without doing them.
    pub(crate) async fn refuse(&self, call: &str, times: u32, status: u16) {
        let form = format!("call={call}&times={times}&status={status}");
        self.send("POST", "/_config/faults", form).await;
    }

    /// Opens a dispute of the charge of `intent`, and returns its identifier.
    pub(crate) async fn dispute(&self, intent: &str) -> String {
        let form = format!("payment_intent={intent}");
        let opened = self.call("POST", "/_config/disputes", form).await;
        opened["id"].as_str().unwrap().to_owned()
    }

    /// Has the bank decide the dispute with `id`.
    pub(crate) async fn decide(&self, id: &str, won: bool) {
        let evidence = if won { "winning" } else { "losing" };
        let form = format!("evidence[uncategorized_text]={evidence}_evidence");
        self.call("POST", &format!("/v1/disputes/{id}"), form).await;
    }

    /// Creates the payment method of a card with `number`.
    pub(crate) async fn card(&self, number: &str) -> String {
        let form = format!(
            "type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123"
        );
        let made = self.call("POST", "/v1/payment_methods", form).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Confirms the payment of the intent with `client_secret`, as its shopper would at the bank.
    pub(crate) async fn confirm(&self, client_secret: &str) {
        let intent = client_secret.split_once("_secret").unwrap().0;
        let path = format!("/v1/payment_intents/{intent}/_authenticate");
        let form = format!("client_secret={client_secret}&success=true");
        self.send("POST", &path, form).await;
    }

    /// Returns the intents that there are, each with its charge.
    pub(crate) async fn intents(&self) -> Vec<Value> {
        self.list("payment_intents").await
    }

    /// Returns those of `order`.
    pub(crate) async fn intents_of(&self, order: &str) -> Vec<Value> {
        let mut intents = self.intents().await;
        intents.retain(|intent| intent["metadata"]["order_id"] == *order);
        intents
    }

    /// Returns the refunds that there are, with what captures have released.
    pub(crate) async fn refunds(&self) -> Vec<Value> {
        self.list("refunds").await
    }

    /// Returns what has moved, the newest first.
    pub(crate) async fn balance_transactions(&self) -> Vec<Value> {
        self.list("balance_transactions").await
    }

    async fn list(&self, of: &str) -> Vec<Value> {
        let path = format!("/v1/{of}?limit=100");
        let list = self.call("GET", &path, String::new()).await;
        list["data"].as_array().unwrap().clone()
    }

    async fn call(&self, method: &str, path: &str, form: String) -> Value {
        serde_json::from_str(&self.send(method, path, form).await).unwrap()
    }

    async fn send(&self, method: &str, path: &str, form: String) -> String {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth(self.api_key()).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.unwrap().text().await.unwrap()
    }
}
