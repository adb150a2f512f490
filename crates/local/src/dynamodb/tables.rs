//! The template's tables: made, or found to be there already.

use serde_json::{Map, Value, json};

use super::engine::Engine;
use crate::arn::Arns;
use crate::model::Table;

/// Makes `table` with its stream and its time to live, or keeps the one that is there.
///
/// # Errors
/// A message for the operator: the request is refused, or the one that is there has another schema.
pub(super) fn make(engine: &Engine, table: &Table) -> Result<(), String> {
    let wanted = create_request(table)?;
    let existing = engine.call("DescribeTable", &json!({"TableName": table.name}));
    match existing.map(|existing| existing.json()) {
        Ok(existing) if schema(&existing["Table"]) == schema(&wanted) => {}
        Ok(existing) => {
            return Err(format!(
                "is there already with another schema ({}), the template has {}; use another \
                 folder or move this one away",
                schema(&existing["Table"]),
                schema(&wanted),
            ));
        }
        Err(_) => {
            engine
                .call("CreateTable", &wanted)
                .map_err(|error| error.to_string())?;
        }
    }
    time_to_live(engine, table)
}

fn create_request(table: &Table) -> Result<Value, String> {
    let Value::Object(mut request) = table.create.clone() else {
        return Err("has no request to create it".to_owned());
    };
    request.insert("TableName".into(), json!(table.name));
    if table.stream {
        let stream = json!({"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"});
        request.insert("StreamSpecification".into(), stream);
    } else {
        request.remove("StreamSpecification");
    }
    Ok(Value::Object(request))
}

fn time_to_live(engine: &Engine, table: &Table) -> Result<(), String> {
    let describe = json!({"TableName": table.name});
    let now = engine
        .call("DescribeTimeToLive", &describe)
        .map_err(|error| error.to_string())?
        .json();
    let now = &now["TimeToLiveDescription"];
    let enabled = now["TimeToLiveStatus"] == "ENABLED";
    let current = now["AttributeName"].as_str().filter(|_| enabled);
    if current == table.ttl_attribute.as_deref() {
        return Ok(());
    }
    let set = |attribute: &str, enabled: bool| {
        let request = json!({
            "TableName": table.name,
            "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": enabled},
        });
        engine
            .call("UpdateTimeToLive", &request)
            .map_err(|error| error.to_string())
    };
    if let Some(attribute) = current {
        set(attribute, false)?;
    }
    if let Some(attribute) = &table.ttl_attribute {
        set(attribute, true)?;
    }
    Ok(())
}

/// What must be the same for a table to be kept, from a request or a description.
fn schema(table: &Value) -> Value {
    let indexes = |kind: &str| {
        let indexes = table[kind].as_array().map_or(&[][..], Vec::as_slice);
        let index = |index: &Value| {
            let projection = &index["Projection"];
            json!({
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "ProjectionType": projection["ProjectionType"],
                "NonKeyAttributes": sorted(&projection["NonKeyAttributes"], Value::to_string),
            })
        };
        let indexes = Value::Array(indexes.iter().map(index).collect());
        sorted(&indexes, |index| index["IndexName"].to_string())
    };
    let attribute = |attribute: &Value| attribute["AttributeName"].to_string();
    json!({
        "AttributeDefinitions": sorted(&table["AttributeDefinitions"], attribute),
        "KeySchema": table["KeySchema"],
        "GlobalSecondaryIndexes": indexes("GlobalSecondaryIndexes"),
        "LocalSecondaryIndexes": indexes("LocalSecondaryIndexes"),
        "Stream": table["StreamSpecification"]["StreamEnabled"] == true,
    })
}

fn sorted(list: &Value, key: impl Fn(&Value) -> String) -> Value {
    let mut list = list.as_array().cloned().unwrap_or_default();
    list.sort_by_key(key);
    Value::Array(list)
}

/// Puts the runner's region into the ARNs of a table's description.
pub(super) fn localise(answer: &mut Value, arns: &Arns) {
    let rename = |object: &mut Map<String, Value>| {
        let name = object
            .get("TableName")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let Some(name) = name else { return };
        let table = arns.table(&name);
        for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            let indexes = object.get_mut(kind).and_then(Value::as_array_mut);
            for index in indexes.into_iter().flatten() {
                let index_name = index["IndexName"].as_str().unwrap_or_default();
                index["IndexArn"] = json!(format!("{table}/index/{index_name}"));
            }
        }
        if object.contains_key("LatestStreamArn") {
            object.insert("LatestStreamArn".into(), json!(arns.stream(&name)));
            object.insert("LatestStreamLabel".into(), json!(crate::arn::STREAM_LABEL));
        }
        object.insert("TableArn".into(), json!(table));
    };
    for part in ["Table", "TableDescription"] {
        if let Some(description) = answer.get_mut(part).and_then(Value::as_object_mut) {
            rename(description);
        }
    }
}
