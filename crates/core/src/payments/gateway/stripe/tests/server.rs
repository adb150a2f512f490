//! What stands in for Stripe: localstripe, which others wrote, and a proxy in front of it, which loses answers, fails,
//! and notes what it is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What runs it.
const RUN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/support/run_localstripe.py"
);

/// A localstripe of this test's own. It ends with its standard input, which its process has.
pub(super) struct Localstripe {
    _process: Child,
    port: u16,
}

impl Localstripe {
    /// Starts one, or says that the test is skipped.
    pub(super) fn start() -> Option<Self> {
        let started = Command::new("python3")
            .arg(RUN)
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
        Some(Self {
            _process: process?,
            port: line.trim().parse().expect("localstripe does not start"),
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Creates the payment method of a card with `number`.
    pub(super) fn card(&self, number: &str) -> String {
        let form = format!(
            "type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123"
        );
        let created = self.call("POST", "/v1/payment_methods", &form);
        created["id"].as_str().unwrap().to_owned()
    }

    /// Confirms the payment of the intent with `client_secret`, or refuses to, as its shopper would at the bank.
    pub(super) fn authenticate(&self, client_secret: &str, confirmed: bool) {
        let intent = client_secret.split_once("_secret").unwrap().0;
        let path = format!("/v1/payment_intents/{intent}/_authenticate");
        let form = format!("client_secret={client_secret}&success={confirmed}");
        self.call("POST", &path, &form);
    }

    /// Returns the intents that there are, with their charges.
    pub(super) fn intents(&self) -> Vec<Value> {
        self.list("/v1/payment_intents")
    }

    /// Returns the refunds that there are.
    pub(super) fn refunds(&self) -> Vec<Value> {
        self.list("/v1/refunds")
    }

    /// Has events sent to `url`, signed with `secret`.
    pub(super) fn send_events(&self, url: &str, secret: &str) {
        let form = format!("url={url}&secret={secret}");
        self.answer("POST", "/_config/webhooks/tests", &form);
    }

    /// Charges an amount as another program would, in cents.
    pub(super) fn charge(&self, cents: u64) {
        let form = format!("amount={cents}&currency=eur&payment_method=pm_card_visa&confirm=true");
        self.call("POST", "/v1/payment_intents", &form);
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let list = self.call("GET", &format!("{path}?limit=100"), "");
        list["data"].as_array().unwrap().clone()
    }

    fn call(&self, method: &str, path: &str, form: &str) -> Value {
        let answer = self.answer(method, path, form);
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap()
    }

    fn answer(&self, method: &str, path: &str, form: &str) -> String {
        let request = format!(
            "{method} {path} HTTP/1.0\r\nauthorization: Bearer sk_tests\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        exchange(self.port, request.as_bytes())
    }
}

/// Sends `request` and returns all that comes back.
fn exchange(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What the proxy does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It is passed on, and the answer returned.
    Pass,
    /// It is passed on, and the answer is lost.
    LoseAnswer,
    /// It is lost.
    Lose,
    /// It is answered with this status and body.
    Answer(u16, String),
}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Such as `POST /v1/payment_intents`, with `pi` in the place of an intent's identifier, and without a query.
    pub(super) line: String,
    pub(super) query: String,
    /// In lower case, a line for each.
    pub(super) headers: String,
    pub(super) form: String,
}

type Rule = Box<dyn FnMut(&Sent) -> Treatment + Send>;

/// A proxy.
#[derive(Clone)]
pub(super) struct Proxy {
    port: u16,
    /// Absent while it is asked: what it asks the proxy for itself is passed on.
    rule: Arc<Mutex<Option<Rule>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Proxy {
    /// Starts a proxy in front of what listens at `to`; 0 if there is nothing.
    pub(super) fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            rule: Arc::default(),
            sent: Arc::default(),
        };
        let serving = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(stream.unwrap(), to));
            }
        });
        proxy
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Treats each request from now on as `rule` says.
    pub(super) fn treat(&self, rule: impl FnMut(&Sent) -> Treatment + Send + 'static) {
        *self.rule.lock().unwrap() = Some(Box::new(rule));
    }

    /// Treats the next request that is `line` so, and passes on all others.
    pub(super) fn treat_next(&self, line: &'static str, treatment: Treatment) {
        let mut treatment = Some(treatment);
        self.treat(move |sent| {
            let wanted = (sent.line == line).then(|| treatment.take()).flatten();
            wanted.unwrap_or(Treatment::Pass)
        });
    }

    /// Returns what was sent since this was asked last.
    pub(super) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    /// Returns the lines of [`Self::sent`].
    pub(super) fn lines(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.line).collect()
    }

    fn serve(&self, mut stream: TcpStream, to: u16) {
        let Some((sent, request)) = receive(&stream) else {
            return;
        };
        self.sent.lock().unwrap().push(sent.clone());
        let rule = self.rule.lock().unwrap().take();
        let treatment = rule.map_or(Treatment::Pass, |mut rule| {
            let treatment = rule(&sent);
            self.rule.lock().unwrap().get_or_insert(rule);
            treatment
        });
        let answer = match treatment {
            Treatment::Pass => exchange(to, &request),
            Treatment::LoseAnswer => {
                exchange(to, &request);
                return;
            }
            Treatment::Lose => return,
            Treatment::Answer(status, body) => format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ),
        };
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// Reads one request, and returns it with the bytes to pass on, after which the connection ends.
pub(super) fn receive(stream: &TcpStream) -> Option<(Sent, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return None;
        }
    }
    let (line, headers) = head.split_once("\r\n").unwrap();
    let mut request = line.replace("HTTP/1.1", "HTTP/1.0").into_bytes();
    request.extend_from_slice(format!("\r\n{headers}").as_bytes());
    let headers = headers.to_ascii_lowercase();
    let mut lines = headers.lines();
    let length = lines.find_map(|header| header.strip_prefix("content-length: "));
    let mut form = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut form).ok()?;
    request.extend_from_slice(&form);
    let target = line.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path
        .split('/')
        .map(|part| if part.starts_with("pi_") { "pi" } else { part });
    let path = path.collect::<Vec<_>>().join("/");
    let sent = Sent {
        line: format!("{} {path}", line.split(' ').next().unwrap()),
        query: query.to_owned(),
        headers,
        form: String::from_utf8(form).unwrap(),
    };
    Some((sent, request))
}
