//! The workflow's definition and the code agree.

use std::collections::BTreeSet;

use serde_json::Value;

use super::read::{Template, sources, workflow};

/// Errors of steps that are left to `States.ALL`: the run is postponed, and the step that does that
/// looks at the name.
const POSTPONED: &[&str] = &[
    "ActionRequired",
    "PaymentRetryable",
    "PaymentUnknown",
    "ReviewPending",
];

/// Errors that Step Functions and Lambda raise themselves.
fn of_aws(error: &str) -> bool {
    ["States.", "Lambda.", "Runtime.", "Sandbox."]
        .iter()
        .any(|prefix| error.starts_with(prefix))
}

/// The errors that a state's `Retry` and `Catch` name.
fn errors(state: &Value) -> Vec<String> {
    ["Retry", "Catch"]
        .iter()
        .flat_map(|part| state[*part].as_array().into_iter().flatten())
        .flat_map(|entry| entry["ErrorEquals"].as_array().unwrap())
        .map(|error| error.as_str().unwrap().to_owned())
        .collect()
}

/// The names that steps give their errors: `StepError::new("OutOfStock", ...)`, and constants.
fn raised() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, text) in sources("crates/core/src") {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (at, _) in code.match_indices('"') {
            let rest = &code[at + 1..];
            let Some(end) = rest.find('"') else { break };
            let word = &rest[..end];
            let pascal = word.starts_with(|first: char| first.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_alphabetic());
            if pascal {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_error_that_the_workflow_takes_is_raised_somewhere() {
    let raised = raised();
    let workflow = workflow();
    for (name, state) in workflow["States"].as_object().unwrap() {
        for error in errors(state) {
            assert!(
                of_aws(&error) || raised.contains(&error),
                "{name} takes {error}, which no code raises"
            );
        }
    }
}

#[test]
fn every_error_that_a_step_names_is_taken_by_the_workflow() {
    let workflow = workflow();
    let states = workflow["States"].as_object().unwrap();
    let taken: BTreeSet<String> = states.values().flat_map(errors).collect();
    for (path, text) in sources("crates/core/src") {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let named = code.split("StepError::new(").skip(1);
        for name in named.filter_map(|rest| rest.trim_start().strip_prefix('"')) {
            let name = name.split('"').next().unwrap();
            assert!(
                taken.contains(name) || POSTPONED.contains(&name),
                "{} raises {name}, which no state takes",
                path.display()
            );
        }
    }
}

#[test]
fn every_state_is_reached_and_leads_to_a_state() {
    let workflow = workflow();
    let states = workflow["States"].as_object().unwrap();
    let mut reached = BTreeSet::new();
    let mut next = vec![workflow["StartAt"].as_str().unwrap()];
    while let Some(name) = next.pop() {
        let state = states
            .get(name)
            .unwrap_or_else(|| panic!("no state {name}"));
        if reached.insert(name) {
            let catches = state["Catch"].as_array().into_iter().flatten();
            let nexts = std::iter::once(state).chain(catches);
            next.extend(nexts.filter_map(|from| from["Next"].as_str()));
        }
    }
    let declared: BTreeSet<&str> = states.keys().map(String::as_str).collect();
    assert_eq!(reached, declared);
}

#[test]
fn every_task_of_the_workflow_is_a_function_of_the_template() {
    let template = Template::read();
    let substitutions = template.workflow_substitutions();
    let functions: BTreeSet<String> = template.functions().into_iter().map(|f| f.id).collect();
    let workflow = workflow();
    let mut used = BTreeSet::new();
    for (name, state) in workflow["States"].as_object().unwrap() {
        let Some(resource) = state["Resource"].as_str() else {
            continue;
        };
        let variable = resource
            .strip_prefix("${")
            .and_then(|r| r.strip_suffix('}'));
        let variable = variable.unwrap_or_else(|| panic!("{name}: {resource}"));
        let function = substitutions
            .get(variable)
            .unwrap_or_else(|| panic!("{name}: the template does not say what {variable} is"));
        assert!(
            functions.contains(function),
            "{name}: no function {function}"
        );
        assert_eq!(variable, format!("{function}Arn"), "{name}");
        used.insert(variable.to_owned());
    }
    let given: BTreeSet<String> = substitutions.into_keys().collect();
    assert_eq!(used, given);
}

#[test]
fn every_step_is_retried_in_the_same_way() {
    let workflow = workflow();
    let states = workflow["States"].as_object().unwrap();
    let first = &states["OrderValidation"]["Retry"];
    assert!(first.is_array());
    let tasks = states.iter().filter(|(_, state)| state["Type"] == "Task");
    for (name, state) in tasks {
        assert_eq!(state["Retry"], *first, "{name}");
    }
}

#[test]
fn the_retries_of_a_task_end_before_an_express_execution_does() {
    let workflow = workflow();
    let whole = workflow["TimeoutSeconds"].as_u64().unwrap();
    assert!(whole < 300, "an EXPRESS execution ends after five minutes");
    for (name, state) in workflow["States"].as_object().unwrap() {
        for retry in state["Retry"].as_array().into_iter().flatten() {
            let number = |field: &str| retry[field].as_u64().unwrap();
            let attempts = u32::try_from(number("MaxAttempts")).unwrap();
            let (interval, rate) = (number("IntervalSeconds"), number("BackoffRate"));
            let waits: u64 = (0..attempts).map(|n| interval * rate.pow(n)).sum();
            let each = state["TimeoutSeconds"].as_u64().unwrap();
            let longest = each * u64::from(1 + attempts) + waits;
            assert!(longest < whole, "{name} may take {longest} s of {whole}");
            assert_eq!(retry["JitterStrategy"], "FULL", "{name}");
        }
    }
}
