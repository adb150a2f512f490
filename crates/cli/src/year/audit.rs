//! The shop's own audit of everything, at the end.

use jiff::SignedDuration;
use serde_json::json;

use super::play::Busy;
use super::shop::Shop;
use crate::Error;

/// How much each audit is asked to look at: so little that it is never cut.
const PART: SignedDuration = SignedDuration::from_hours(6);

/// Lets the shop audit everything that ever happened, part by part. Returns a sentence for each audit that fails, for
/// each finding, and for each queue with messages that were given up.
///
/// # Errors
/// If the tables or queues cannot be read.
pub(super) async fn everything(shop: &Shop, busy: &[Busy]) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for times in busy {
        let mut from = times.from;
        while from <= times.until {
            let event =
                json!({"time": from.checked_add(PART)?.to_string(), "since": from.to_string()});
            if let Err(error) = shop.invoke("audit-integrity", &event).await {
                found.push(format!("audit: it failed from {from} on: {error}"));
            }
            from = from.checked_add(PART)?;
        }
    }
    shop.scan("IntegrityTable", |item| {
        if item["pk"]["S"] == "finding" && item.get("resolved_at").is_none() {
            let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
            found.push(format!(
                "audit: {} of {}: {}",
                text("check"),
                text("subject"),
                text("detail")
            ));
        }
    })?;
    for (queue, count) in shop.dead_letters().await? {
        found.push(format!("queues: {count} messages were given up to {queue}"));
    }
    Ok(found)
}
