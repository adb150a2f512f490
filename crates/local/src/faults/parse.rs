//! How faults are written.

use std::fmt;
use std::time::Duration;

use super::mode::{FaultError, Mode};

/// One fault. Its text is what it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    text: String,
    service: String,
    operation: String,
    /// As it was written: a binary's name, a logical id, or `*`.
    pub(super) function: String,
    pub(super) mode: Mode,
    /// In millionths.
    probability: u32,
    count: Count,
}

/// Which of the calls that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    All,
    /// The first so many that are hit.
    First(u64),
    /// Only this one of those that match, counted from one.
    Only(u64),
}

const CERTAIN: u32 = 1_000_000;

const SERVICES: [&str; 9] = [
    "*",
    "dynamodb",
    "events",
    "lambda",
    "s3",
    "secretsmanager",
    "ses",
    "sqs",
    "states",
];

/// Operations that can be named. An operation that is never called would hide a typing error.
const OPERATIONS: [(&str, &[&str]); 8] = [
    (
        "dynamodb",
        &[
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "Deliver",
            "Expire",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        ],
    ),
    ("events", &["Deliver", "PutEvents"]),
    ("lambda", &["Invoke"]),
    (
        "s3",
        &[
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CreateMultipartUpload",
            "DeleteObject",
            "GetObject",
            "HeadObject",
            "ListObjectsV2",
            "PostObject",
            "PutObject",
            "UploadPart",
        ],
    ),
    (
        "secretsmanager",
        &["DescribeSecret", "GetSecretValue", "PutSecretValue"],
    ),
    ("ses", &["SendEmail"]),
    (
        "sqs",
        &[
            "ChangeMessageVisibility",
            "DeleteMessage",
            "DeleteMessageBatch",
            "Deliver",
            "GetQueueAttributes",
            "GetQueueUrl",
            "Poll",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        ],
    ),
    (
        "states",
        &[
            "DescribeExecution",
            "StartExecution",
            "StartSyncExecution",
            "StopExecution",
        ],
    ),
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Fault {
    /// Reads one fault, or several joined by commas.
    ///
    /// # Errors
    /// [`FaultError`] for the first one that is not understood.
    pub fn parse(text: &str) -> Result<Vec<Self>, FaultError> {
        list(text)
    }

    /// What goes wrong.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether a call is one that this fault is about; `names` are the function's.
    pub(super) fn matches(&self, service: &str, operation: &str, names: &[&str]) -> bool {
        let is = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        is(&self.service, service)
            && is(&self.operation, operation)
            && (self.function == "*" || names.contains(&self.function.as_str()))
            && possible(self.mode, service, operation)
    }

    /// Whether the call that is the `matched`th to match is hit, `hit` having been hit before;
    /// `drawn` is a random number below a million.
    pub(super) fn hits(&self, matched: u64, hit: u64, drawn: u32) -> bool {
        let counted = match self.count {
            Count::All => true,
            Count::First(n) => hit < n,
            Count::Only(n) => matched == n,
        };
        counted && drawn < self.probability
    }
}

/// Whether a mode can happen to an operation; so `dynamodb:*@*=conflict` passes by reads.
fn possible(mode: Mode, service: &str, operation: &str) -> bool {
    let delivery = operation == "Deliver";
    match mode {
        Mode::Keep => operation == "Expire",
        Mode::Reorder => operation == "Poll",
        // Nothing else happens to what the services do within themselves.
        _ if ["Expire", "Poll"].contains(&operation) => false,
        Mode::Duplicate => true,
        Mode::Conflict => {
            service == "dynamodb"
                && matches!(
                    operation,
                    "PutItem"
                        | "UpdateItem"
                        | "DeleteItem"
                        | "TransactWriteItems"
                        | "TransactGetItems"
                )
        }
        Mode::StaleRead => {
            service == "dynamodb"
                && matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan")
        }
        Mode::Partial => matches!(
            operation,
            "PutEvents" | "SendMessageBatch" | "BatchWriteItem" | "BatchGetItem"
        ),
        Mode::Throttle
        | Mode::Error
        | Mode::TimeoutBefore
        | Mode::LostAnswer
        | Mode::Delay(_)
        | Mode::KillBefore
        | Mode::KillAfter => !delivery,
    }
}

/// Reads faults joined by commas.
fn list(text: &str) -> Result<Vec<Fault>, FaultError> {
    let mut faults = Vec::new();
    let mut target = "";
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let modes = match part.split_once('=') {
            Some((named, modes)) => {
                target = named;
                modes
            }
            None => part,
        };
        let whole = format!("{target}={modes}");
        let fault = parse_fault(&whole, target, modes);
        faults.push(fault.map_err(|problem| FaultError {
            fault: whole,
            problem,
        })?);
    }
    Ok(faults)
}

fn parse_fault(text: &str, target: &str, modes: &str) -> Result<Fault, String> {
    let shape = || "is not of the form service:operation@function=mode".to_owned();
    let (call, function) = target.split_once('@').ok_or_else(shape)?;
    let (service, operation) = call.split_once(':').ok_or_else(shape)?;
    if function.is_empty() || operation.is_empty() {
        return Err(shape());
    }
    if !SERVICES.contains(&service) {
        return Err(format!(
            "there is no service {service}; there are {}",
            SERVICES.join(", ")
        ));
    }
    let mut operations = OPERATIONS
        .iter()
        .filter(|(name, _)| service == "*" || *name == service);
    if operation != "*" && !operations.any(|(_, known)| known.contains(&operation)) {
        return Err(format!(
            "{service} has no operation {operation} that could fail"
        ));
    }
    let (mode, count) = count(modes)?;
    let (mode, probability) = mode_and_probability(mode)?;
    let mut all = OPERATIONS
        .iter()
        .filter(|(name, _)| service == "*" || *name == service);
    let can_happen = all.any(|(service, known)| {
        let mut named = known
            .iter()
            .filter(|known| operation == "*" || **known == operation);
        named.any(|operation| possible(mode, service, operation))
    });
    if !can_happen {
        return Err("that can never happen to this operation".to_owned());
    }
    Ok(Fault {
        text: text.to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        function: function.to_owned(),
        mode,
        probability,
        count,
    })
}

fn count(modes: &str) -> Result<(&str, Count), String> {
    let number = |n: &str| match n.parse::<u64>() {
        Ok(n) if n > 0 => Ok(n),
        Ok(_) | Err(_) => Err(format!("{n} is not a number of calls")),
    };
    if let Some((mode, n)) = modes.split_once('*') {
        return Ok((mode, Count::First(number(n)?)));
    }
    if let Some((mode, n)) = modes.split_once('#') {
        return Ok((mode, Count::Only(number(n)?)));
    }
    Ok((modes, Count::All))
}

fn mode_and_probability(text: &str) -> Result<(Mode, u32), String> {
    let mut parts = text.split(':');
    let mode = match parts.next().unwrap_or_default() {
        "throttle" => Mode::Throttle,
        "conflict" => Mode::Conflict,
        "error" => Mode::Error,
        "timeout-before" | "timeout" => Mode::TimeoutBefore,
        "lost-answer" => Mode::LostAnswer,
        "stale-read" => Mode::StaleRead,
        "duplicate" => Mode::Duplicate,
        "reorder" => Mode::Reorder,
        "keep" => Mode::Keep,
        "partial" => Mode::Partial,
        "kill" | "kill-before" => Mode::KillBefore,
        "kill-after" => Mode::KillAfter,
        "delay" => {
            let ms = parts.next().and_then(|ms| ms.parse().ok());
            let ms = ms.ok_or("delay needs its milliseconds, as in delay:250")?;
            Mode::Delay(Duration::from_millis(ms))
        }
        other => return Err(format!("there is no mode {other}")),
    };
    let probability = parts.next().map_or(Some(CERTAIN), probability);
    match (probability, parts.next()) {
        (Some(probability), None) => Ok((mode, probability)),
        (_, _) => Err("a probability is a number from 0 to 1, as in throttle:0.1".to_owned()),
    }
}

/// Reads a decimal number from 0 to 1 in millionths.
fn probability(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let empty = whole.is_empty() && fraction.is_empty();
    if empty || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let whole: u32 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction: u32 = format!("{fraction:0<6}").parse().ok()?;
    let millionths = whole.checked_mul(CERTAIN)?.checked_add(fraction)?;
    (millionths <= CERTAIN).then_some(millionths)
}
