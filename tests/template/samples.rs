//! Every sample event is one that its handler takes.

use serde_json::Value;

use super::read::{Template, workflow};
use crate::support::shop::{Setup, Shop};
use crate::support::{root, run_local};

/// The errors that the workflow's definition knows: a step may end in one of them.
fn named_errors() -> Vec<String> {
    let workflow = workflow();
    let states = workflow["States"].as_object().unwrap();
    let entries = states.values().flat_map(|state| {
        let parts = [&state["Retry"], &state["Catch"]];
        parts
            .into_iter()
            .flat_map(|part| part.as_array().cloned().unwrap_or_default())
    });
    let names = entries.flat_map(|entry| entry["ErrorEquals"].as_array().unwrap().clone());
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

/// Whether an answer finds no fault in the body but that what it speaks of is not there.
fn is_well_formed(answer: &Value) -> bool {
    let body = answer["body"].as_str().unwrap_or_default();
    if body.is_empty() {
        // Accepted, done, or found elsewhere.
        return matches!(answer["statusCode"].as_u64(), Some(202 | 204 | 307));
    }
    let body: Value = serde_json::from_str(body).unwrap();
    let mut faults = body["errors"].as_array().into_iter().flatten();
    faults.all(|fault| fault["code"] == "unknown_product" || fault["code"] == "bad_link")
}

#[test]
fn every_sample_is_taken_by_its_handler() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let errors = named_errors();
        for function in Template::read().functions() {
            let name = function.binary;
            let path = root().join(format!("events/{name}.json"));
            let event: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            match shop.invoke(&name, &event).await {
                Ok(answer) => {
                    if let Some(status) = answer["statusCode"].as_u64() {
                        assert!(status < 500, "{name}: {answer}");
                        assert!(![400, 415].contains(&status), "{name}: {answer}");
                        assert!(is_well_formed(&answer), "{name}: {answer}");
                    }
                }
                Err(error) => {
                    let step = event["order_id"].is_string();
                    assert!(step && errors.contains(&error), "{name}: {error}");
                }
            }
        }
    });
}
