//! Which permissions a call needs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::arn::Arns;
use crate::model::Permission;

/// The permissions that a call of `operation` needs.
#[must_use]
pub fn needed(arns: &Arns, service: &str, operation: &str, body: &Value) -> BTreeSet<Permission> {
    let permission = |action: &str, resource: String| Permission {
        action: format!("{service}:{action}"),
        resource,
    };
    if service == "dynamodb" {
        let tables = tables(arns, operation, body).into_iter();
        return tables
            .map(|(action, resource)| permission(&action, resource))
            .collect();
    }
    if service == "s3" {
        return [object(arns, operation, body)].into();
    }
    // A batch needs the permission of the single call.
    let action = operation.strip_suffix("Batch").unwrap_or(operation);
    let mut resources = match service {
        "events" => buses(arns, body),
        "secretsmanager" => secret(arns, body).into_iter().collect(),
        "ses" => identity(arns, body).into_iter().collect(),
        "sqs" => queue(arns, body).into_iter().collect(),
        "states" => ["stateMachineArn", "executionArn"]
            .into_iter()
            .filter_map(|name| text(body, name).map(str::to_owned))
            .collect(),
        _ => BTreeSet::new(),
    };
    if resources.is_empty() {
        resources.insert("*".to_owned());
    }
    let resources = resources.into_iter();
    resources
        .map(|resource| permission(action, resource))
        .collect()
}

/// What a call of S3 needs. `HeadObject` and the steps of an upload in parts need what others do.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
fn object(arns: &Arns, operation: &str, body: &Value) -> Permission {
    let action = match operation {
        "CompleteMultipartUpload" | "CreateMultipartUpload" | "PostObject" | "UploadPart" => {
            "PutObject"
        }
        "HeadObject" => "GetObject",
        "ListObjectsV2" => "ListBucket",
        other => other,
    };
    let bucket = arns.bucket(text(body, "Bucket").unwrap_or_default());
    let key = text(body, "Key").filter(|_| action != "ListBucket");
    Permission {
        action: format!("s3:{action}"),
        resource: key.map_or(bucket.clone(), |key| format!("{bucket}/{key}")),
    }
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// Actions and resources of a call to DynamoDB. Transactions need what their parts need.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
fn tables(arns: &Arns, operation: &str, body: &Value) -> BTreeSet<(String, String)> {
    let arn = |name: &str| {
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            arns.table(name)
        }
    };
    let table = |request: &Value| arn(text(request, "TableName").unwrap_or_default());
    if let Some(Value::Array(items)) = body.get("TransactItems") {
        let parts = items.iter().filter_map(Value::as_object).flatten();
        return parts
            .map(|(kind, request)| (format!("{kind}Item"), table(request)))
            .collect();
    }
    if let Some(Value::Object(tables)) = body.get("RequestItems") {
        let tables = tables.keys();
        return tables
            .map(|name| (operation.to_owned(), arn(name)))
            .collect();
    }
    let resource = match (text(body, "TableName"), text(body, "IndexName")) {
        (Some(name), Some(index)) => format!("{}/index/{index}", arn(name)),
        (Some(name), None) => arn(name),
        (None, _) => "*".to_owned(),
    };
    [(operation.to_owned(), resource)].into()
}

fn buses(arns: &Arns, body: &Value) -> BTreeSet<String> {
    let entries = body.get("Entries").and_then(Value::as_array);
    let names = entries
        .into_iter()
        .flatten()
        .map(|entry| text(entry, "EventBusName").unwrap_or("default"));
    names
        .map(|name| {
            if name.starts_with("arn:") {
                name.to_owned()
            } else {
                arns.bus(name)
            }
        })
        .collect()
}

fn secret(arns: &Arns, body: &Value) -> Option<String> {
    let id = text(body, "SecretId")?;
    Some(if id.starts_with("arn:") {
        id.to_owned()
    } else {
        arns.secret(id)
    })
}

/// The sender is an identity of its own; on AWS it may also be one by its domain.
fn identity(arns: &Arns, body: &Value) -> Option<String> {
    let from = text(body, "FromEmailAddress")?;
    let address = from.rsplit_once('<').map_or(from, |(_, rest)| rest);
    let address = address.trim_end_matches('>');
    Some(arns.build("ses", &format!("identity/{address}")))
}

fn queue(arns: &Arns, body: &Value) -> Option<String> {
    let url = text(body, "QueueUrl")?;
    Some(arns.queue(url.rsplit('/').next().unwrap_or(url)))
}
