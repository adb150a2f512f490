//! What each function asks of AWS, one JSON line per permission used: `--record`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::access;
use crate::arn::Arns;
use crate::aws::Caller;
use crate::bill::{Cost, Units};
use crate::model::{Permission, Stack};

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

    /// Records a call to DynamoDB. The units stand on the first line of their table.
    pub fn tables(&self, caller: &Caller, operation: &str, body: &Value, costs: &[Cost]) {
        if self.file.is_none() {
            return;
        }
        let mut unreported: BTreeMap<&str, LineUnits> = BTreeMap::new();
        for cost in costs {
            let units = unreported.entry(&cost.table).or_default();
            units.read += cost.read;
            units.write += cost.write;
            units.index_write += cost.index_write;
        }
        for permission in access::needed(&self.arns, "dynamodb", operation, body) {
            let (_, table) = permission
                .resource
                .split_once(":table/")
                .unwrap_or_default();
            let table = table.split('/').next().unwrap_or_default();
            let units = unreported.remove(table).unwrap_or_default();
            self.write(caller, permission, operation, units);
        }
    }

    /// Records a call to another service than DynamoDB.
    pub fn call(&self, caller: &Caller, service: &str, operation: &str, body: &Value) {
        if self.file.is_none() {
            return;
        }
        for permission in access::needed(&self.arns, service, operation, body) {
            self.write(caller, permission, operation, LineUnits::default());
        }
    }

    fn write(&self, caller: &Caller, permission: Permission, operation: &str, units: LineUnits) {
        let Some(file) = &self.file else { return };
        let function = caller.function.as_deref();
        let function =
            function.map(|id| self.functions.get(id).map_or(id, |binary| binary.as_str()));
        let line = Line {
            function,
            action: permission.action,
            resource: permission.resource,
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
