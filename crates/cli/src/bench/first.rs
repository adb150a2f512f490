//! What the first request of a process costs over TLS, beside those that follow.
//!
//! Functions reach AWS through TLS, which the runner does not speak: a proxy with a certificate of its own stands
//! before it here, and this program is the Runtime API of each process.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::numbers::{median, micros, tenths};
use super::process::Process;
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
            proxy.proxied(environment.ok_or_else(|| format!("the template has no {name}"))?);
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
