//! Request units, as AWS bills them.
//!
//! The rules, from "Read and write operations" in the DynamoDB developer guide:
//! a write costs a unit for each KB of the larger of the old and the new item; a read a unit for
//! each 4 KB, half of it when eventually consistent; transactions cost twice as much; an index costs
//! a delete and a put when its key changes, one write when only what it projects changes, nothing
//! when nothing of that changes. Index writes are not doubled in transactions (measured on AWS by
//! the engine's authors). A write whose condition fails costs as much as the item that is there.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::database::Answer;
use crate::aws::{self, AwsError};
use crate::bill::{Cost, Units};

/// The size of an item in DynamoDB's JSON, in bytes as DynamoDB counts them.
pub(super) fn item_size(item: &Value) -> u64 {
    let item: Option<dynoxide::Item> = serde_json::from_str(&item.to_string()).ok();
    item.map_or(0, |item| {
        u64::try_from(dynoxide::types::item_size(&item)).unwrap_or(u64::MAX)
    })
}

/// Which details of its cost the caller wants in the response. The bill needs all of them, so the
/// request asks for all, and the rest is left out of the response.
#[derive(Debug)]
pub(super) struct CallerOptions {
    capacity: Option<Value>,
    old_values: Vec<bool>,
}

const ON_FAILURE: &str = "ReturnValuesOnConditionCheckFailure";

impl CallerOptions {
    /// Changes the request so that its response includes the cost.
    pub(super) fn replace_in(operation: &str, body: &mut Value) -> Self {
        let mut options = Self {
            capacity: None,
            old_values: Vec::new(),
        };
        let Some(request) = body.as_object_mut() else {
            return options;
        };
        let single = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
        let item_operation = single
            || matches!(
                operation,
                "GetItem"
                    | "Query"
                    | "Scan"
                    | "BatchGetItem"
                    | "BatchWriteItem"
                    | "TransactGetItems"
                    | "TransactWriteItems"
            );
        if !item_operation {
            return options;
        }
        let known = |value: Option<&Value>| {
            value.is_none_or(|value| matches!(value.as_str(), Some("TOTAL" | "INDEXES" | "NONE")))
        };
        // What is not understood is left for the engine to refuse.
        if known(request.get("ReturnConsumedCapacity")) {
            options.capacity = request.insert("ReturnConsumedCapacity".into(), json!("INDEXES"));
        }
        if single {
            options.old_values.push(ask_old(request));
        }
        if operation == "TransactWriteItems" {
            let items = request
                .get_mut("TransactItems")
                .and_then(Value::as_array_mut);
            for action in items.into_iter().flatten().filter_map(Value::as_object_mut) {
                let request = action.values_mut().next().and_then(Value::as_object_mut);
                options.old_values.push(request.is_some_and(ask_old));
            }
        }
        options
    }

    /// The cost in a `ConsumedCapacity`.
    pub(super) fn costs(operation: &str, consumed: Option<&Value>) -> Vec<Cost> {
        let writes = super::parameters::writes(operation);
        match consumed {
            None => Vec::new(),
            // One for each table.
            Some(Value::Array(tables)) => tables.iter().map(|table| cost(table, writes)).collect(),
            Some(one) => vec![cost(one, writes)],
        }
    }

    /// The JSON of a response, with as much of its `ConsumedCapacity` as the caller asked for.
    pub(super) fn body(&self, answer: Answer) -> Bytes {
        let wanted = self.capacity.as_ref().and_then(Value::as_str);
        let Some(wanted) = wanted.filter(|wanted| *wanted != "NONE") else {
            return answer.body;
        };
        let mut body = answer.json();
        let Some(mut consumed) = answer.consumed else {
            return answer.body;
        };
        if wanted == "TOTAL" {
            without_details(&mut consumed);
            let tables = consumed.as_array_mut();
            tables.into_iter().flatten().for_each(without_details);
        }
        body["ConsumedCapacity"] = consumed;
        aws::text(&body)
    }

    /// The cost of a write that was refused by its condition; leaves in the error what the caller
    /// had asked for. Other errors cost nothing.
    pub(super) fn cost_of_failure(&self, body: &Value, error: &mut AwsError) -> Vec<Cost> {
        match error.code.as_str() {
            "ConditionalCheckFailedException" => {
                let size = error.fields.get("Item").map_or(0, item_size);
                if self.old_values != [true] {
                    error.fields.remove("Item");
                }
                vec![written(&body["TableName"], size, 1)]
            }
            "TransactionCanceledException" => {
                let actions = body["TransactItems"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice);
                let reasons = error.fields.get_mut("CancellationReasons");
                let reasons = reasons.and_then(Value::as_array_mut);
                let mut costs: Vec<Cost> = Vec::new();
                for (i, reason) in reasons.into_iter().flatten().enumerate() {
                    let action = actions.get(i).and_then(Value::as_object);
                    let request = action.and_then(|action| action.values().next());
                    let size = [reason.get("Item"), request.and_then(|r| r.get("Item"))];
                    let size = size.into_iter().flatten().map(item_size).max().unwrap_or(0);
                    if self.old_values.get(i) != Some(&true) {
                        reason.as_object_mut().map(|reason| reason.remove("Item"));
                    }
                    if let Some(request) = request {
                        costs.push(written(&request["TableName"], size, 2));
                    }
                }
                costs
            }
            _ => Vec::new(),
        }
    }
}

/// Asks for the item that made a condition fail. Returns whether the caller asked for it too.
fn ask_old(request: &mut Map<String, Value>) -> bool {
    if !request.contains_key("ConditionExpression") {
        return false;
    }
    let wish = request.get(ON_FAILURE);
    let asked = wish == Some(&json!("ALL_OLD"));
    // What is not understood is left for the engine to refuse.
    if wish.is_none_or(|wish| *wish == "NONE") {
        request.insert(ON_FAILURE.into(), json!("ALL_OLD"));
    }
    asked
}

fn written(table: &Value, size: u64, factor: u64) -> Cost {
    let units = factor * size.div_ceil(1024).max(1);
    Cost {
        table: table.as_str().unwrap_or_default().to_owned(),
        write: Units::whole(units),
        ..Cost::default()
    }
}

/// Reads one `ConsumedCapacity`.
fn cost(consumed: &Value, writes: bool) -> Cost {
    let table = consumed["TableName"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let total = units(&consumed["CapacityUnits"]);
    // A replayed transaction is billed as a read.
    if !writes
        || consumed
            .get("ReadCapacityUnits")
            .is_some_and(|read| units(read) > Units::ZERO)
    {
        return Cost {
            table,
            read: total,
            ..Cost::default()
        };
    }
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
    let indexes = indexes
        .iter()
        .filter_map(|kind| consumed.get(kind)?.as_object());
    let index_write: Units = indexes
        .flat_map(Map::values)
        .map(|index| units(&index["CapacityUnits"]))
        .sum();
    let write = Units::halves(total.in_halves().saturating_sub(index_write.in_halves()));
    Cost {
        table,
        write,
        index_write,
        ..Cost::default()
    }
}

/// Reads units from a JSON number with at most one decimal.
fn units(number: &Value) -> Units {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let half = u64::from(fraction.starts_with('5'));
    Units::halves(whole.parse::<u64>().unwrap_or(0) * 2 + half)
}

fn without_details(consumed: &mut Value) {
    if let Some(consumed) = consumed.as_object_mut() {
        for detail in ["Table", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            consumed.remove(detail);
        }
    }
}
