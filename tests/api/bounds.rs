//! The bounds that the OpenAPI document gives for bodies are those of the shop: what is at a bound passes it, and what
//! is one beyond it is refused by its pointer.

use serde_json::{Value, json};

use super::authorisation::Scene;
use crate::support::contract::contract;
use crate::support::run_local;
use crate::support::shop::Setup;

/// A value at a bound of the field at `pointer`, or one beyond it.
struct Probe {
    pointer: String,
    value: Value,
    fits: bool,
}

/// Finds the bounds of `schema`, whose value is at `pointer` of `body`. Those of lists and objects that the body does
/// not have are left out.
fn probes(schema: &Value, body: &Value, pointer: &str, found: &mut Vec<Probe>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = contract()
            .document
            .pointer(reference.trim_start_matches('#'));
        return probes(target.unwrap(), body, pointer, found);
    }
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        probes(alternative, body, pointer, found);
    }
    let mut probe = |value: Value, fits| {
        let pointer = pointer.to_owned();
        found.push(Probe {
            pointer,
            value,
            fits,
        });
    };
    let text = |length: u64| "a".repeat(usize::try_from(length).unwrap()).into();
    if let Some(most) = schema["maxLength"].as_u64() {
        probe(text(most), true);
        probe(text(most + 1), false);
    }
    if let Some(least @ 1..) = schema["minLength"].as_u64() {
        probe(text(least - 1), false);
    }
    if let Some(most) = schema["maximum"].as_i64() {
        probe(most.into(), true);
        probe((most + 1).into(), false);
    }
    if let Some(least) = schema["minimum"].as_i64() {
        probe(least.into(), true);
        probe((least - 1).into(), false);
    }
    let entries = body.pointer(pointer).and_then(Value::as_array);
    if let (Some(most), Some(entry)) = (
        schema["maxItems"].as_u64(),
        entries.and_then(|all| all.first()),
    ) {
        let most = usize::try_from(most).unwrap();
        probe(vec![entry.clone(); most + 1].into(), false);
        probes(&schema["items"], body, &format!("{pointer}/0"), found);
    }
    if body.pointer(pointer).is_some_and(Value::is_object) {
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            probes(schema, body, &format!("{pointer}/{name}"), found);
        }
    }
}

/// Returns `body` with `value` at `pointer`, whose parent exists.
fn with(body: &Value, pointer: &str, value: &Value) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    if parent.is_array() {
        parent[name.parse::<usize>().unwrap()] = value.clone();
    } else {
        parent[name] = value.clone();
    }
    body
}

#[test]
fn bodies_are_bounded_as_the_document_says() {
    run_local(async {
        let scene = Scene::new(Setup::default()).await;
        let (mut wrong, mut tried) = (Vec::new(), 0);
        for (operation, who, body) in scene.bodies() {
            let content = &operation.value["requestBody"]["content"]["application/json"];
            let mut found = Vec::new();
            probes(&content["schema"], &body, "", &mut found);
            for Probe {
                pointer,
                value,
                fits,
            } in found
            {
                tried += 1;
                let body = with(&body, &pointer, &value);
                let answer = scene.call(operation, who).json(&body).send().await;
                let faults = if answer.status == 422 {
                    answer.json()["errors"].clone()
                } else {
                    json!([])
                };
                let mut faults = faults.as_array().cloned().unwrap_or_default();
                faults.retain(|fault| fault["pointer"] == pointer.as_str());
                let is_bounded = faults
                    .iter()
                    .any(|fault| !fits || fault["code"] == "length" || fault["code"] == "range");
                if is_bounded == fits {
                    let value: String = value.to_string().chars().take(40).collect();
                    wrong.push(format!(
                        "{} {pointer} {value} fits: {fits}, but {} {}",
                        operation.value["operationId"], answer.status, answer.text
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(tried > 100, "{tried} bounds");
    });
}
