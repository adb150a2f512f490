//! `Globals`: the properties that all functions, or all of another kind, have.

use serde_json::{Map, Value};

use super::error::Refused;
use super::resolve::{Resolver, intrinsic};

/// The sections of `Globals`, and the types that they are for.
const GLOBALS: &[(&str, &str)] = &[
    ("AWS::Serverless::Function", "Function"),
    ("AWS::Serverless::HttpApi", "HttpApi"),
    ("AWS::Serverless::StateMachine", "StateMachine"),
];

/// Refuses sections that are not known.
pub(super) fn check(globals: &Map<String, Value>) -> Result<(), Refused> {
    let known = |name: &str| GLOBALS.iter().any(|(_, section)| *section == name);
    match globals.keys().find(|name| !known(name)) {
        Some(unknown) => Err(Refused::new(
            "Globals",
            format!("{unknown} is not emulated locally"),
        )),
        None => Ok(()),
    }
}

/// The properties that a resource has by itself and from `globals`, as they stand in the template.
pub(super) fn with_globals(
    resolver: &Resolver<'_>,
    globals: &Map<String, Value>,
    id: &str,
    resource_type: &str,
) -> Value {
    let own = resolver.resources.get(id);
    let own = own.and_then(|resource| resource.get("Properties"));
    let global = GLOBALS.iter().find(|(of, _)| *of == resource_type);
    let global = global.and_then(|(_, section)| globals.get(*section));
    match (global, own) {
        (Some(global), Some(own)) => merge(global, own),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => Value::Null,
    }
}

/// As SAM merges its globals: maps are joined, lists appended, and the resource's own value wins.
///
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
fn merge(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own))
            if intrinsic(global).is_none() && intrinsic(own).is_none() =>
        {
            let mut merged = global.clone();
            for (key, value) in own {
                let value = global
                    .get(key)
                    .map_or_else(|| value.clone(), |above| merge(above, value));
                merged.insert(key.clone(), value);
            }
            merged.into()
        }
        (Value::Array(global), Value::Array(own)) => global.iter().chain(own).cloned().collect(),
        _ => own.clone(),
    }
}
