//! The shop's own audit of everything, at the end.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::costs;
use super::request::{Request, Who};
use super::shop::Shop;
use crate::Error;

/// The most audits until everything was read: each reads 10,000 items.
pub(super) const MOST: usize = 10_000;

/// Lets the shop audit until it has looked at every event and has read all tables from beginning to end. Returns a
/// sentence for each finding, and for each queue with messages that were given up or events that were set aside.
///
/// # Errors
/// If audits fail, one after another, or the tables or queues cannot be read.
pub(super) async fn everything(shop: &Shop) -> Result<Vec<String>, Error> {
    let begun = shop.clock.now();
    let mut audits = 0;
    while !audit(shop, begun).await? {
        audits += 1;
        if audits > MOST {
            return Err("the audit does not come to an end".into());
        }
    }
    let mut found = Vec::new();
    shop.scan("IntegrityTable", |item| {
        if item["pk"]["S"] == "finding" && item.get("resolved_at").is_none() {
            let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
            let (check, subject, detail) = (text("check"), text("subject"), text("detail"));
            found.push(format!("audit: {check} of {subject}: {detail}"));
        }
    })?;
    for (queue, count) in shop.dead_letters().await? {
        found.push(format!("queues: {count} messages are in {queue}"));
    }
    Ok(found)
}

/// How often an audit is made that fails. On AWS, the next one on schedule goes on where the last one that was made stopped.
const ATTEMPTS: usize = 3;

/// Audits once, again if it fails. Returns what `audit-integrity` returns.
///
/// # Errors
/// If audits fail, one after another.
pub(super) async fn invoke(shop: &Shop) -> Result<Value, Error> {
    retried(async || once(shop).await).await
}

/// Makes an audit, which may fail.
///
/// # Errors
/// If it fails.
pub(super) async fn once(shop: &Shop) -> Result<Value, Error> {
    shop.invoke("audit-integrity", &costs::scheduled(shop))
        .await
}

/// Makes `audit` again if it fails.
///
/// # Errors
/// If it fails each time.
pub(super) async fn retried<T>(
    mut audit: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut attempts = 1;
    loop {
        match audit().await {
            Err(error) if attempts < ATTEMPTS => {
                eprintln!("An audit failed and is made again: {error}");
                attempts += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Audits once. Returns whether everything that was stored when it all `begun` was looked at.
async fn audit(shop: &Shop, begun: Timestamp) -> Result<bool, Error> {
    let _ = shop.clock.advance(Duration::from_secs(1));
    let outcome = invoke(shop).await?;
    Ok(outcome["caught_up"] == json!(true) && has_read_everything(shop, begun).await?)
}

/// Returns whether everything that was stored at `begun` has been read since.
///
/// # Errors
/// If the shop does not say it.
pub(super) async fn has_read_everything(shop: &Shop, begun: Timestamp) -> Result<bool, Error> {
    let report = Request::new("get-integrity", "GET", "/integrity").by(Who::Admin);
    let report = shop.send(&report).await?.expect(&[200])?;
    let round = report["everything_read"]["began_at"].as_str();
    let round: Option<Timestamp> = round.map(str::parse).transpose()?;
    Ok(round.is_some_and(|round| round >= begun))
}

/// Lets the shop audit until it has looked at every event.
///
/// # Errors
/// If audits fail, one after another.
pub(super) async fn catch_up(shop: &Shop) -> Result<(), Error> {
    for _ in 0..MOST {
        let outcome = invoke(shop).await?;
        if outcome["caught_up"] != Value::Bool(false) {
            return Ok(());
        }
    }
    Err("the audit does not catch up".into())
}
