//! Responses as snapshots: values that differ from run to run are replaced, everything else is shown.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::client::Answer;
use super::prices::written;

/// The headers that belong to the contract.
const HEADERS: &[&str] = &[
    "content-type",
    "location",
    "etag",
    "link",
    "idempotent-replayed",
    "preference-applied",
    "www-authenticate",
    "retry-after",
];

/// Status, headers of the contract and body. Identifiers become `<id-1>`, `<id-2>`, in the order in
/// which they occur, times `<time>`, cursors, tokens and orders' numbers their kind; money is shown in euros, whatever the shop's currency
/// is, so that one snapshot serves all.
pub(crate) fn show(answer: &Answer) -> String {
    let mut shown = format!("{}\n", answer.status);
    for name in HEADERS {
        if let Some(value) = answer.header(name) {
            // The tag of stock begins with a version that depends on who made the stock first.
            let value = match value.split_once('-').filter(|_| *name == "etag") {
                Some((_, reserved)) => format!("\"<version>-{reserved}"),
                None => value.to_owned(),
            };
            shown += &format!("{name}: {value}\n");
        }
    }
    if !answer.text.is_empty() {
        let body = serde_json::from_str(&answer.text).map_or_else(
            |_| answer.text.clone(),
            |json: Value| serde_json::to_string_pretty(&steady(json)).unwrap(),
        );
        shown += &body;
        shown.push('\n');
    }
    redact(&shown)
}

/// Keys in the order of their names, whatever map `serde_json` was built with, and opaque values by
/// their kind.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(fields)
            if fields.contains_key("amount") && fields.contains_key("currency") =>
        {
            json!({"amount": written(&Value::Object(fields)), "currency": "EUR"})
        }
        Value::Object(fields) => {
            let sorted: BTreeMap<String, Value> = fields.into_iter().collect();
            let fields = sorted.into_iter().map(|(name, value)| {
                let opaque = matches!(
                    name.as_str(),
                    "next_cursor" | "access_token" | "refresh_token" | "number"
                ) && value.is_string();
                let value = if opaque {
                    Value::String(format!("<{name}>"))
                } else {
                    steady(value)
                };
                (name, value)
            });
            Value::Object(fields.collect::<Map<String, Value>>())
        }
        Value::Array(entries) => entries.into_iter().map(steady).collect(),
        Value::String(text) if text.starts_with("urn:oxcart:request:") => {
            Value::String("urn:oxcart:request:<id>".to_owned())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn redact(text: &str) -> String {
    let mut ids: Vec<String> = Vec::new();
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(id) = rest.get(..36).filter(|text| is_uuid(text)) {
            let known = ids.iter().position(|seen| seen == id);
            let number = known.unwrap_or_else(|| {
                ids.push(id.to_owned());
                ids.len() - 1
            });
            shown += &format!("<id-{}>", number + 1);
            rest = &rest[36..];
        } else if rest.get(..24).is_some_and(is_time) {
            shown += "<time>";
            rest = &rest[24..];
        } else {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    shown
}

fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.matches('-').count() == 4
}

/// `2026-03-01T09:30:00.000Z`.
fn is_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

#[test]
fn what_differs_from_run_to_run_is_replaced() {
    let text = "0195a1c3-1e00-7b6a-a0c4-9c3e5d7f1a03 2026-03-01T09:30:00.000Z \
                0195a1c3-1e00-7b6a-a0c4-9c3e5d7f1a04 0195a1c3-1e00-7b6a-a0c4-9c3e5d7f1a03";
    assert_eq!(redact(text), "<id-1> <time> <id-2> <id-1>");
}
