//! `PutEvents`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Number, Value, json};
use uuid::Uuid;

use super::EventBridge;
use crate::aws::{self, AwsError, Call, Caller, Service};
use crate::model::ACCOUNT;
use crate::params;

/// All entries of a request together may have so many bytes (EventBridge User Guide, "Calculating
/// `PutEvents` event entry size").
const MAX_BYTES: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Entry {
    time: Option<Number>,
    source: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
    /// Tracing has no meaning on one machine.
    #[serde(rename = "TraceHeader")]
    _trace_header: Option<String>,
}

/// Why an entry is not taken.
struct Refused {
    code: &'static str,
    message: String,
}

impl EventBridge {
    /// One call of the EventBridge API.
    ///
    /// # Errors
    /// As the API's own; an operation or parameter that is not emulated is refused by name.
    pub fn call(&self, caller: &Caller, operation: &str, body: Value) -> Result<Value, AwsError> {
        call(self, caller, operation, body)
    }
}

impl Service for EventBridge {
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move { Ok(aws::text(&self.call(caller, operation, body)?)) })
    }
}

fn call(
    events: &EventBridge,
    caller: &Caller,
    operation: &str,
    body: Value,
) -> Result<Value, AwsError> {
    if operation != "PutEvents" {
        return Err(AwsError::unknown_operation("events", operation));
    }
    let request: PutEvents = params::read(operation, body)?;
    let count = request.entries.len();
    if !(1..=10).contains(&count) {
        return Err(AwsError::validation(format!(
            "{count} entries; a request has 1 to 10"
        )));
    }
    let bytes: usize = request.entries.iter().map(Entry::size_bytes).sum();
    if bytes > MAX_BYTES {
        return Err(AwsError::validation(
            "Total size of the entries in the request is over the limit.",
        ));
    }
    let mut failed = 0;
    let mut answers = Vec::with_capacity(count);
    for entry in request.entries {
        let chunks = (entry.size_bytes() as u64).div_ceil(64 * 1024).max(1);
        answers.push(match event(events, entry) {
            Ok((bus, event)) => {
                events.inner.bill.events(caller, chunks);
                let id = event["id"].clone();
                events.put(&bus, event);
                json!({ "EventId": id })
            }
            Err(Refused { code, message }) => {
                failed += 1;
                json!({"ErrorCode": code, "ErrorMessage": message})
            }
        });
    }
    Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
}

impl Entry {
    fn size_bytes(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail];
        let texts = texts.into_iter().flatten().chain(&self.resources);
        texts.map(String::len).sum::<usize>() + if self.time.is_some() { 14 } else { 0 }
    }
}

/// Makes the event of an entry, and finds its bus (logical id).
fn event(events: &EventBridge, entry: Entry) -> Result<(String, Value), Refused> {
    let needed = |name: &str, value: Option<String>| {
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Refused {
                code: "InvalidArgument",
                message: format!(
                    "Parameter {name} is not valid. Reason: {name} is a required argument."
                ),
            })
    };
    let source = needed("Source", entry.source)?;
    let detail_type = needed("DetailType", entry.detail_type)?;
    let detail = needed("Detail", entry.detail)?;
    if source.starts_with("aws.") {
        let message = "Not authorized for the source.".to_owned();
        return Err(Refused {
            code: "NotAuthorizedForSourceException",
            message,
        });
    }
    let detail = serde_json::from_str::<Value>(&detail)
        .ok()
        .filter(Value::is_object);
    let malformed = || Refused {
        code: "MalformedDetail",
        message: "Detail is malformed.".to_owned(),
    };
    let detail = detail.ok_or_else(malformed)?;
    let now = events.inner.clock.now();
    let time = match &entry.time {
        None => Some(now),
        Some(number) => timestamp(number),
    };
    let invalid = || Refused {
        code: "InvalidArgument",
        message: "Parameter Time is not valid.".to_owned(),
    };
    let time = time
        .and_then(|time| Timestamp::from_second(time.as_second()).ok())
        .ok_or_else(invalid)?;
    let name = entry.event_bus_name.as_deref().unwrap_or("default");
    let missing = || Refused {
        code: "ResourceNotFoundException",
        message: format!("Event bus {name} does not exist."),
    };
    let bus = events.find_bus(name).ok_or_else(missing)?;
    let event = json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": time.to_string(),
        "region": events.inner.arns.region(),
        "resources": entry.resources,
        "detail": detail,
    });
    Ok((bus, event))
}

/// Reads seconds since the epoch; a fraction is dropped, as events have whole seconds.
fn timestamp(number: &Number) -> Option<Timestamp> {
    let text = number.to_string();
    let seconds = text.split('.').next()?.parse().ok()?;
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(seconds))
        .ok()
}
