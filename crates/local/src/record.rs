//! What each function asks of AWS, one JSON line per permission used: `--record`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::arn::Arns;
use crate::aws::Caller;
use crate::bill::Units;
use crate::dynamodb::Cost;
use crate::model::Stack;

/// Writes the record, or does nothing. Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Record {
    file: Option<Arc<Mutex<File>>>,
    functions: Arc<BTreeMap<String, String>>,
    arns: Arns,
}

/// One line: a permission that a call needs, in IAM's words, and what the call cost.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// The function, named as its binary is; absent for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    action: String,
    resource: String,
    /// The call, where its name is another than the action's.
    operation: &'a str,
    units: LineUnits,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct LineUnits {
    read: Units,
    write: Units,
    index_write: Units,
}

impl Record {
    /// No record.
    #[must_use]
    pub fn none(arns: &Arns) -> Self {
        Self {
            file: None,
            functions: Arc::default(),
            arns: arns.clone(),
        }
    }

    /// A record in the file at `path`, which is emptied first.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn to_file(path: &Path, stack: &Stack, arns: &Arns) -> Result<Self, std::io::Error> {
        let functions = stack.functions.iter();
        Ok(Self {
            file: Some(Arc::new(Mutex::new(File::create(path)?))),
            functions: Arc::new(
                functions
                    .map(|(id, f)| (id.clone(), f.binary.clone()))
                    .collect(),
            ),
            arns: arns.clone(),
        })
    }

    /// Records a call to DynamoDB. A transaction needs the permission of each of its actions; the
    /// units stand on the first line of their table.
    pub fn tables(&self, caller: &Caller, operation: &str, body: &Value, costs: &[Cost]) {
        if self.file.is_none() {
            return;
        }
        let mut left: BTreeMap<&str, LineUnits> = BTreeMap::new();
        for cost in costs {
            let units = left.entry(&cost.table).or_default();
            units.read += cost.read;
            units.write += cost.write;
            units.index_write += cost.index_write;
        }
        for (action, table, index) in permissions(operation, body) {
            let mut resource = self.arns.table(&table);
            if let Some(index) = index {
                resource = format!("{resource}/index/{index}");
            }
            let units = left.remove(table.as_str()).unwrap_or_default();
            self.write(
                caller,
                &format!("dynamodb:{action}"),
                resource,
                operation,
                units,
            );
        }
    }

    /// Records a call to another service than DynamoDB.
    pub fn call(&self, caller: &Caller, service: &str, operation: &str, body: &Value) {
        if self.file.is_none() {
            return;
        }
        // A batch needs the permission of the single call.
        let action = operation.strip_suffix("Batch").unwrap_or(operation);
        let mut resources = BTreeSet::new();
        for name in ["stateMachineArn", "executionArn", "SecretId"] {
            resources.extend(body.get(name).and_then(Value::as_str).map(str::to_owned));
        }
        if let Some(url) = body.get("QueueUrl").and_then(Value::as_str) {
            resources.insert(self.arns.queue(url.rsplit('/').next().unwrap_or(url)));
        }
        for entry in body
            .get("Entries")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(bus) = entry.get("EventBusName").and_then(Value::as_str) {
                let arn = if bus.starts_with("arn:") {
                    bus.to_owned()
                } else {
                    self.arns.bus(bus)
                };
                resources.insert(arn);
            }
        }
        if resources.is_empty() {
            resources.insert("*".to_owned());
        }
        for resource in resources {
            let action = format!("{service}:{action}");
            self.write(caller, &action, resource, operation, LineUnits::default());
        }
    }

    fn write(
        &self,
        caller: &Caller,
        action: &str,
        resource: String,
        operation: &str,
        units: LineUnits,
    ) {
        let Some(file) = &self.file else { return };
        let function = caller.function.as_deref();
        let function =
            function.map(|id| self.functions.get(id).map_or(id, |binary| binary.as_str()));
        let line = Line {
            function,
            action: action.to_owned(),
            resource,
            operation,
            units,
        };
        let Ok(mut line) = serde_json::to_string(&line) else {
            return;
        };
        line.push('\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!(%error, "the record cannot be written");
        }
    }
}

/// The IAM actions that a call needs, each with its table and index.
fn permissions(operation: &str, body: &Value) -> BTreeSet<(String, String, Option<String>)> {
    let name = |request: &Value| request["TableName"].as_str().unwrap_or_default().to_owned();
    let mut needed = BTreeSet::new();
    if let Some(Value::Array(items)) = body.get("TransactItems") {
        for (kind, request) in items.iter().filter_map(Value::as_object).flatten() {
            let action = if kind == "ConditionCheck" {
                "ConditionCheckItem".into()
            } else {
                format!("{kind}Item")
            };
            needed.insert((action, name(request), None));
        }
    } else if let Some(Value::Object(tables)) = body.get("RequestItems") {
        needed.extend(
            tables
                .keys()
                .map(|table| (operation.to_owned(), table.clone(), None)),
        );
    } else {
        let index = body
            .get("IndexName")
            .and_then(Value::as_str)
            .map(str::to_owned);
        needed.insert((operation.to_owned(), name(body), index));
    }
    needed
}
