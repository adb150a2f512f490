use super::*;
use serde_json::json;

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:000000000000:function:f";

fn fault(definition: &Value) -> String {
    let find = |text: &str| (text == FUNCTION || text == "f").then(|| "F".to_owned());
    Machine::parse(definition, &find).unwrap_err()
}

fn one(state: Value) -> Value {
    json!({"StartAt": "A", "States": {"A": state}})
}

#[test]
fn what_is_not_emulated_is_refused_with_the_states_name() {
    let cases = [
        (
            json!({"Type": "Task", "Resource": FUNCTION, "End": true, "HeartbeatSeconds": 3}),
            "HeartbeatSeconds",
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}),
            "sqs:sendMessage",
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:lambda:x:y:function:g", "End": true}),
            "function:g",
        ),
        (
            json!({"Type": "Pass", "QueryLanguage": "JSONata", "End": true}),
            "JSONata",
        ),
        (json!({"Type": "Pass", "Assign": {}, "End": true}), "Assign"),
        (json!({"Type": "Activity", "End": true}), "Activity"),
        (json!({"Type": "Pass"}), "Next or End"),
        (json!({"Type": "Pass", "Next": "B"}), "leads to B"),
        (
            json!({"Type": "Pass", "End": true, "Parameters": {"a.$": "States.Hash($.a, 'MD5')"}}),
            "States.Hash",
        ),
        (json!({"Type": "Succeed", "Next": "A"}), "Next"),
        (
            json!({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.a", "End": true}),
            "exactly one",
        ),
    ];
    for (state, named) in cases {
        let fault = fault(&one(state));
        assert!(
            fault.contains("state A") && fault.contains(named),
            "{fault}"
        );
    }
}

#[test]
fn a_state_that_nothing_leads_to_is_refused() {
    let machine = json!({"StartAt": "A", "States": {
        "A": {"Type": "Succeed"}, "B": {"Type": "Succeed"},
    }});
    assert!(fault(&machine).contains("state B"));
    assert!(
        fault(&json!({"StartAt": "X", "States": {"A": {"Type": "Succeed"}}})).contains("StartAt")
    );
}

#[test]
fn a_fault_in_a_branch_names_the_branchs_state() {
    let branch = json!({"StartAt": "B", "States": {"B": {"Type": "Nonsense"}}});
    let fault = fault(&one(
        json!({"Type": "Parallel", "Branches": [branch], "End": true}),
    ));
    assert!(
        fault.contains("state A") && fault.contains("state B") && fault.contains("Nonsense"),
        "{fault}"
    );
}

#[test]
fn the_invoke_integration_takes_a_function_and_a_payload() {
    let find = |text: &str| (text == "f").then(|| "F".to_owned());
    let task = |parameters: Value| {
        one(json!({
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": parameters, "End": true,
        }))
    };
    let machine =
        Machine::parse(&task(json!({"FunctionName": "f", "Payload.$": "$"})), &find).unwrap();
    assert!(
        matches!(&machine.states["A"].kind, Kind::Task(task) if task.function == "F" && task.wrapped)
    );
    assert!(fault(&task(json!({"FunctionName": "g"}))).contains('g'));
    assert!(fault(&task(json!({"FunctionName": "f", "Qualifier": "1"}))).contains("Qualifier"));
}
