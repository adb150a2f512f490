//! What of DynamoDB's API is emulated; the rest is refused by name.

use serde_json::Value;

use crate::aws::{AwsError, refuse_unknown};

const EXPRESSIONS: [&str; 2] = ["ExpressionAttributeNames", "ExpressionAttributeValues"];
const WRITE: [&str; 6] = [
    "TableName",
    "ConditionExpression",
    "ReturnValues",
    "ReturnConsumedCapacity",
    "ReturnItemCollectionMetrics",
    "ReturnValuesOnConditionCheckFailure",
];
const TRANSACT: [&str; 3] = [
    "TableName",
    "ConditionExpression",
    "ReturnValuesOnConditionCheckFailure",
];
const QUERY: [&str; 9] = [
    "TableName",
    "IndexName",
    "FilterExpression",
    "ProjectionExpression",
    "Limit",
    "ExclusiveStartKey",
    "Select",
    "ConsistentRead",
    "ReturnConsumedCapacity",
];

/// The parameters of an operation that are emulated; `None` for an operation that is not.
fn emulated(operation: &str) -> Option<Vec<&'static str>> {
    let parts: &[&[&str]] = match operation {
        "PutItem" => &[&WRITE, &EXPRESSIONS, &["Item"]],
        "UpdateItem" => &[&WRITE, &EXPRESSIONS, &["Key", "UpdateExpression"]],
        "DeleteItem" => &[&WRITE, &EXPRESSIONS, &["Key"]],
        "GetItem" => &[&[
            "TableName",
            "Key",
            "ConsistentRead",
            "ProjectionExpression",
            "ExpressionAttributeNames",
            "ReturnConsumedCapacity",
        ]],
        "Query" => &[
            &QUERY,
            &EXPRESSIONS,
            &["KeyConditionExpression", "ScanIndexForward"],
        ],
        "Scan" => &[&QUERY, &EXPRESSIONS, &["Segment", "TotalSegments"]],
        "BatchGetItem" => &[&["RequestItems", "ReturnConsumedCapacity"]],
        "BatchWriteItem" => &[&[
            "RequestItems",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ]],
        "TransactGetItems" => &[&["TransactItems", "ReturnConsumedCapacity"]],
        "TransactWriteItems" => &[&[
            "TransactItems",
            "ClientRequestToken",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ]],
        "CreateTable" => &[&[
            "TableName",
            "AttributeDefinitions",
            "KeySchema",
            "BillingMode",
            "ProvisionedThroughput",
            "OnDemandThroughput",
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
            "StreamSpecification",
            "SSESpecification",
            "TableClass",
            "DeletionProtectionEnabled",
            "Tags",
        ]],
        "DeleteTable" | "DescribeTable" | "DescribeTimeToLive" => &[&["TableName"]],
        "UpdateTimeToLive" => &[&["TableName", "TimeToLiveSpecification"]],
        "ListTables" => &[&["ExclusiveStartTableName", "Limit"]],
        "TransactItem.Put" => &[&TRANSACT, &EXPRESSIONS, &["Item"]],
        "TransactItem.Update" => &[&TRANSACT, &EXPRESSIONS, &["Key", "UpdateExpression"]],
        "TransactItem.Delete" | "TransactItem.ConditionCheck" => {
            &[&TRANSACT, &EXPRESSIONS, &["Key"]]
        }
        "TransactItem.Get" => &[&[
            "TableName",
            "Key",
            "ProjectionExpression",
            "ExpressionAttributeNames",
        ]],
        "BatchGetItem.Keys" => &[&[
            "Keys",
            "ConsistentRead",
            "ProjectionExpression",
            "ExpressionAttributeNames",
        ]],
        _ => return None,
    };
    Some(parts.iter().flat_map(|part| part.iter().copied()).collect())
}

/// Refuses an operation or a parameter that is not emulated.
pub(super) fn check(operation: &str, body: &Value) -> Result<(), AwsError> {
    check_part(operation, body)?;
    if let Some(Value::Array(items)) = body.get("TransactItems") {
        for (kind, request) in items.iter().filter_map(Value::as_object).flatten() {
            check_part(&format!("TransactItem.{kind}"), request)?;
        }
    }
    if operation == "BatchGetItem"
        && let Some(Value::Object(tables)) = body.get("RequestItems")
    {
        for keys in tables.values() {
            check_part("BatchGetItem.Keys", keys)?;
        }
    }
    Ok(())
}

fn check_part(operation: &str, body: &Value) -> Result<(), AwsError> {
    let emulated =
        emulated(operation).ok_or_else(|| AwsError::unknown_operation("dynamodb", operation))?;
    refuse_unknown(operation, body, &emulated)
}

/// The tables that a request names, by physical name, each once.
pub(super) fn tables(body: &Value) -> Vec<String> {
    let own = body
        .get("TableName")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let batch = body.get("RequestItems").and_then(Value::as_object);
    let items = body.get("TransactItems").and_then(Value::as_array);
    let transact = items.into_iter().flatten().filter_map(Value::as_object);
    let transact = transact.flat_map(serde_json::Map::values);
    let mut tables: Vec<String> = own
        .into_iter()
        .chain(batch.into_iter().flat_map(|tables| tables.keys().cloned()))
        .chain(transact.filter_map(|request| request["TableName"].as_str().map(str::to_owned)))
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

/// Whether an operation may change items.
pub(super) fn writes(operation: &str) -> bool {
    matches!(
        operation,
        "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems"
    )
}
