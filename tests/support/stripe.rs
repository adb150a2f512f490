//! A shop that charges cards with localstripe, which others wrote.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use super::root;
use super::shop::{Setup, Shop, physical};

/// The secret with which localstripe signs its events.
const SIGNING_SECRET: &str = "whsec_tests";

/// A localstripe of this test's own.
pub(crate) struct Localstripe {
    child: Child,
    _until: ChildStdin,
    url: String,
    http: reqwest::Client,
}

impl Drop for Localstripe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the program: what `OXCART_LOCALSTRIPE` names, or one in the path.
fn program() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("OXCART_LOCALSTRIPE") {
        return Some(given.into());
    }
    let path = std::env::var_os("PATH")?;
    let programs = std::env::split_paths(&path).map(|folder| folder.join("localstripe"));
    programs.into_iter().find(|program| program.is_file())
}

impl Localstripe {
    /// Starts one, or says that the test is skipped.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: there is no localstripe, nor does OXCART_LOCALSTRIPE name one");
            return None;
        };
        // Its first line names the interpreter that has the package.
        let text = std::fs::read_to_string(&program).unwrap();
        let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!"));
        let mut child = Command::new(interpreter.expect("localstripe is a script").trim())
            .arg(root().join("tests/support/run_localstripe.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = child.stdin.take().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port: u16 = line.trim().parse().expect("localstripe does not start");
        Some(Self {
            child,
            _until: until,
            url: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::new(),
        })
    }

    /// Starts a shop that charges with it, and is sent its events.
    pub(crate) async fn shop(&self, setup: Setup) -> Shop {
        let url: &'static str = self.url.clone().leak();
        let mut parameters = vec![("PaymentGateway", "stripe"), ("StripeUrl", url)];
        parameters.extend(setup.parameters);
        let shop = Shop::start(Setup {
            parameters: parameters.leak(),
            ..setup
        })
        .await;
        let secret = json!({"api_key": "sk_tests", "signing_secrets": [SIGNING_SECRET]});
        shop.put_secret(&physical("StripeSecret"), &secret).await;
        let events = format!("{}/webhooks/payments/stripe", shop.url());
        let form = format!("url={events}&secret={SIGNING_SECRET}");
        self.send("POST", "/_config/webhooks/shop", form).await;
        shop
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
        let list = self.call("GET", "/v1/payment_intents?limit=100", String::new());
        list.await["data"].as_array().unwrap().clone()
    }

    async fn call(&self, method: &str, path: &str, form: String) -> Value {
        serde_json::from_str(&self.send(method, path, form).await).unwrap()
    }

    async fn send(&self, method: &str, path: &str, form: String) -> String {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth("sk_tests").body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.unwrap().text().await.unwrap()
    }
}
