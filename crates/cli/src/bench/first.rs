//! What the first request of a process costs over TLS, beside those that follow.
//!
//! Functions reach AWS through TLS, which the runner does not speak: a proxy with a certificate of its own stands
//! before it here, and this program is the Runtime API of each process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::numbers::{median, micros, tenths};
use super::shop::Shop;
use super::tls::Proxy;
use crate::{Error, build};

/// Processes of each function; the median counts.
const STARTS: usize = 11;

/// Requests of each process after its first.
const WARM: usize = 10;

/// The time between two requests, in which the workflow of an order ends: it would take the processor from the next.
const PAUSE: Duration = Duration::from_millis(200);

/// The functions, each with the product that the event in `events/` names.
const FUNCTIONS: [&str; 3] = ["get-product", "list-products", "place-order"];
const PRODUCT: &str = "0195a1c1-0a10-7e21-b3f8-2d4c6e8fa004";
const KEY: &str = "2f9c1f1e-order-1";

/// What the first request of one function costs.
#[derive(Serialize)]
pub(super) struct FirstRequest {
    function: String,
    /// From the start of the process to its first poll for work.
    start_us: u64,
    /// From the first event to its response.
    first_us: u64,
    /// The same for the requests after it.
    warm_us: u64,
}

/// Prints what the first request of each function costs.
///
/// # Errors
/// If the shop does not start, or a function does not respond with success.
pub(super) async fn run() -> Result<Vec<FirstRequest>, Error> {
    let shop = Shop::start(None).await?;
    let proxy = Proxy::start(shop.aws()).await?;
    println!(
        "\n{:<22} {:>12} {:>12} {:>12}",
        "over TLS", "start, ms", "first, ms", "warm, ms"
    );
    let products = shop.target("").products;
    let product = products.first().ok_or("the demo has no product")?;
    let mut costs = Vec::new();
    for name in FUNCTIONS {
        let environment = shop.environment(name);
        let environment =
            proxy.of(environment.ok_or_else(|| format!("the template has no {name}"))?);
        let event = build::repository().join(format!("events/{name}.json"));
        let event = std::fs::read_to_string(event)?.replace(PRODUCT, product);
        let binary = build::binaries()?.join(name);
        let measured = tokio::task::spawn_blocking(move || measure(&binary, &environment, &event));
        let (start_us, first_us, warm_us) = measured.await??;
        println!(
            "{name:<22} {:>12} {:>12} {:>12}",
            tenths(start_us, 1_000),
            tenths(first_us, 1_000),
            tenths(warm_us, 1_000)
        );
        costs.push(FirstRequest {
            function: name.to_owned(),
            start_us,
            first_us,
            warm_us,
        });
    }
    shop.stop().await;
    Ok(costs)
}

/// Returns the medians: of the start, of the first request and of the others.
fn measure(
    binary: &Path,
    environment: &BTreeMap<String, String>,
    event: &str,
) -> Result<(u64, u64, u64), Error> {
    let (mut starts, mut firsts, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for start in 0..STARTS {
        let mut process = Process::start(binary, environment)?;
        starts.push(micros(process.start));
        for request in 0..=WARM {
            let event = timely(event, &format!("{start}-{request}"))?;
            let took = micros(process.request(&event)?);
            if request == 0 {
                firsts.push(took);
            } else {
                warm.push(took);
            }
            std::thread::sleep(PAUSE);
        }
    }
    let medians = (median(starts), median(firsts), median(warm));
    match medians {
        (Some(start), Some(first), Some(warm)) => Ok((start, first, warm)),
        (_, _, _) => Err("nothing was measured".into()),
    }
}

/// Returns `event` as if it were sent now, with an idempotency key of its own.
fn timely(event: &str, key: &str) -> Result<String, Error> {
    let mut event: Value = serde_json::from_str(&event.replace(KEY, key))?;
    let now = jiff::Timestamp::now();
    event["requestContext"]["timeEpoch"] = now.as_millisecond().into();
    if let Some(headers) = event["headers"].as_object_mut() {
        headers.remove("prefer");
    }
    if let Some(caller) = event.pointer_mut("/requestContext/authorizer/lambda/exp") {
        *caller = (now.as_second() + 900).to_string().into();
    }
    Ok(event.to_string())
}

/// A function's process, and the connection on which it asks for work. It ends when dropped.
struct Process {
    child: Child,
    connection: BufReader<TcpStream>,
    start: Duration,
}

impl Process {
    /// Starts the process and waits until it asks for work.
    fn start(binary: &Path, environment: &BTreeMap<String, String>) -> Result<Self, Error> {
        let runtime_api = TcpListener::bind("127.0.0.1:0")?;
        let started = Instant::now();
        let child = Command::new(binary)
            .env_clear()
            .envs(environment)
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                runtime_api.local_addr()?.to_string(),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let (connection, _) = runtime_api.accept()?;
        connection.set_nodelay(true)?;
        let connection = BufReader::new(connection);
        let mut process = Self {
            child,
            connection,
            start: Duration::ZERO,
        };
        process.read()?;
        process.start = started.elapsed();
        Ok(process)
    }

    /// Gives the process, which has asked for work, an event. Returns how long its response took, after it has asked
    /// for work again.
    fn request(&mut self, event: &str) -> Result<Duration, Error> {
        let started = Instant::now();
        let deadline = jiff::Timestamp::now().as_millisecond() + 10_000;
        self.write(
            "200 OK",
            &format!(
                "lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 lambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:000000000000:function:bench\r\n\
                 lambda-runtime-trace-id: Root=1-69a40558-3f2c1d0e9b8a7c6d5e4f3a2b\r\n"
            ),
            event,
        )?;
        let response = self.read()?;
        let took = started.elapsed();
        let response: Value = serde_json::from_slice(&response)?;
        if !matches!(response["statusCode"].as_u64(), Some(200..=299)) {
            return Err(format!("a request failed: {response}").into());
        }
        self.write("202 Accepted", "", "{\"status\":\"OK\"}")?;
        self.read()?;
        Ok(took)
    }

    fn write(&mut self, status: &str, headers: &str, body: &str) -> Result<(), Error> {
        let length = body.len();
        let response = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        Ok(self.connection.get_mut().write_all(response.as_bytes())?)
    }

    /// Reads one request and returns its body.
    fn read(&mut self) -> Result<Vec<u8>, Error> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.connection.read_line(&mut line)? == 0 {
                return Err("the function ended".into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok(body)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
