//! The load: clients that send one request after the other, all on one thread, whose CPU time is not
//! counted as the shop's.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Client;

use super::numbers::micros;
use super::processes;
use super::requests::{Kind, Target};
use crate::Error;

/// When a load ends: whichever comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// So many requests have been sent.
    pub(super) requests: u64,
    /// So much time has passed. Requests under way are still waited for.
    pub(super) time: Duration,
}

/// The result of a load.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How long each successful request took.
    pub(super) latencies_us: Vec<u64>,
    /// How many requests failed.
    pub(super) failed: u64,
    /// Why the first one of them failed.
    pub(super) first_failure: Option<String>,
    /// From the first request to the last response.
    pub(super) elapsed: Duration,
    /// The clients' own CPU time.
    pub(super) cpu: Duration,
}

/// Sends requests of one kind from so many `clients`.
///
/// # Errors
/// If the clients' thread cannot run.
pub(super) async fn drive(
    target: Target,
    kind: Kind,
    clients: usize,
    bounds: Bounds,
) -> Result<Outcome, Error> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let cpu = processes::this_thread();
        let mut outcome = runtime.block_on(send_all(&target, kind, clients, bounds))?;
        outcome.cpu = processes::this_thread().saturating_sub(cpu);
        Ok::<_, Error>(outcome)
    })
    .await?
}

async fn send_all(
    target: &Target,
    kind: Kind,
    clients: usize,
    bounds: Bounds,
) -> Result<Outcome, Error> {
    let http = Client::builder().build()?;
    let sent = Cell::new(0);
    let outcome = RefCell::new(Outcome::default());
    let started = Instant::now();
    let client = async || {
        while sent.get() < bounds.requests && started.elapsed() < bounds.time {
            let number = sent.get();
            sent.set(number + 1);
            let begun = Instant::now();
            let result = kind.send(&http, target, number).await;
            outcome.borrow_mut().add(begun.elapsed(), result);
        }
    };
    join_all((0..clients).map(|_| client())).await;
    let mut outcome = outcome.into_inner();
    outcome.elapsed = started.elapsed();
    Ok(outcome)
}

impl Outcome {
    fn add(&mut self, latency: Duration, result: Result<(), Error>) {
        match result {
            Ok(()) => self.latencies_us.push(micros(latency)),
            Err(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert_with(|| error.to_string());
            }
        }
    }
}
