//! The basis of all tests: the built functions, a running shop, a client of it, and its books.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use prices::CURRENCY;

pub(crate) mod books;
pub(crate) mod build;
pub(crate) mod client;
pub(crate) mod contract;
pub(crate) mod control;
pub(crate) mod operator;
pub(crate) mod people;
pub(crate) mod prices;
pub(crate) mod redis;
pub(crate) mod shop;
pub(crate) mod show;
pub(crate) mod steps;
pub(crate) mod stripe;
pub(crate) mod tokens;
pub(crate) mod waiting;

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The one runtime of all tests: a shop that several of them share outlives each of them.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
});

/// The shop that is to be tested, if that is not the local runner.
pub(crate) fn given_url() -> Option<String> {
    std::env::var("OXCART_URL").ok()
}

/// Runs a test that needs no more than the shop's address, and its admin.
pub(crate) fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// Runs a test that needs the local runner. For another shop, it is skipped, which is said and counted.
pub(crate) fn run_local(test: impl Future<Output = ()>) {
    if given_url().is_none() {
        RUNTIME.block_on(test);
    } else {
        skip("needs the local runner");
    }
}

/// Runs a test that needs the local runner and takes amounts from a document, which has them in euros. In another
/// currency, it is skipped, which is said and counted.
pub(crate) fn run_in_euros(test: impl Future<Output = ()>) {
    if CURRENCY.code() == "EUR" {
        run_local(test);
    } else {
        skip("takes its amounts from a document, which has them in euros");
    }
}

/// Says that a test is skipped, and why.
pub(crate) fn skip(reason: &str) {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    // Not by `eprintln!`, whose output of a test that passes is not shown.
    let line = format!("skipped, number {count}: {name} {reason}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Retries until there is a result.
///
/// # Panics
/// After [`PATIENCE`], with `what` and the last refusal.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(refusal) => {
                assert!(begun.elapsed() < PATIENCE, "{what}: {refusal}");
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
    }
}
