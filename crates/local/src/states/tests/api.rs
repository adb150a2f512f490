//! The API: names, lists, histories.

use serde_json::json;

use super::*;

#[tokio::test]
async fn the_history_tells_what_happened() {
    let bench = bench(
        machine(json!({"A": task("one", json!({"End": true}))})),
        false,
        |_, payload| Some(Ok(payload)),
    )
    .unwrap();
    bench.run(json!({"a": 1})).await;
    let arn = "arn:aws:states:eu-central-1:000000000000:execution:flow:run";
    let history = bench
        .machines
        .call("GetExecutionHistory", json!({"executionArn": arn}))
        .unwrap();
    let events = history["events"].as_array().unwrap();
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded",
        ]
    );
    assert_eq!(
        events[1]["stateEnteredEventDetails"],
        json!({"name": "A", "input": "{\"a\":1}"})
    );
    assert_eq!(
        events[4]["lambdaFunctionSucceededEventDetails"]["output"],
        "{\"a\":1}"
    );
    assert_eq!(
        (&events[6]["id"], &events[6]["previousEventId"]),
        (&json!(7), &json!(6))
    );
    assert_eq!(events[0]["timestamp"].to_string(), "1767323045.678");
    let described = bench
        .machines
        .call("DescribeExecution", json!({"executionArn": arn}))
        .unwrap();
    assert_eq!(
        (&described["status"], &described["output"]),
        (&json!("SUCCEEDED"), &json!("{\"a\":1}"))
    );
}

fn start(bench: &Bench, name: &str, input: &str) -> Result<Value, String> {
    let arn = "arn:aws:states:eu-central-1:000000000000:stateMachine:flow";
    let request = json!({"stateMachineArn": arn, "name": name, "input": input});
    bench
        .machines
        .call("StartExecution", request)
        .map_err(|error| error.code)
}

#[tokio::test]
async fn a_standard_name_is_one_execution_for_ninety_days() {
    let bench = bench(
        machine(json!({"A": {"Type": "Wait", "Seconds": 9, "End": true}})),
        false,
        |_, _| None,
    )
    .unwrap();
    let exists = Err("ExecutionAlreadyExists".to_owned());
    let first = start(&bench, "n", "{\"a\":1}").unwrap();
    bench.advance(1000).await;
    assert_eq!(start(&bench, "n", "{ \"a\": 1 }").unwrap(), first);
    assert_eq!(start(&bench, "n", "{\"a\":2}"), exists);
    bench.advance(9000).await;
    assert_eq!(start(&bench, "n", "{\"a\":1}"), exists);
    bench.advance(90 * 24 * 3_600_000).await;
    assert!(start(&bench, "n", "{\"a\":1}").is_ok());
    assert_eq!(bench.machines.lock().order.len(), 1);
}

#[tokio::test]
async fn an_express_name_may_repeat_and_costs_no_transitions() {
    let bench = bench(machine(json!({"A": {"Type": "Succeed"}})), true, |_, _| {
        None
    })
    .unwrap();
    let first = start(&bench, "n", "{}").unwrap();
    assert_ne!(
        start(&bench, "n", "{}").unwrap()["executionArn"],
        first["executionArn"]
    );
    bench.settle().await;
    let totals = bench.bill.snapshot().totals;
    assert_eq!((totals.state_transitions, totals.express_requests), (0, 2));
    let refused = bench.machines.call(
        "DescribeExecution",
        json!({"executionArn": first["executionArn"]}),
    );
    assert_eq!(refused.unwrap_err().code, "InvalidArn");
}

#[tokio::test]
async fn bad_requests_are_refused_by_their_names() {
    let bench = bench(machine(json!({"A": {"Type": "Succeed"}})), false, |_, _| {
        None
    })
    .unwrap();
    for name in ["", "a b", "a/b", "a#b", &"x".repeat(81)] {
        assert_eq!(
            start(&bench, name, "{}"),
            Err("InvalidName".to_owned()),
            "{name}"
        );
    }
    assert!(start(&bench, &"x".repeat(80), "{}").is_ok());
    assert_eq!(
        start(&bench, "n", "{"),
        Err("InvalidExecutionInput".to_owned())
    );
    let code =
        |operation: &str, body: Value| bench.machines.call(operation, body).unwrap_err().code;
    assert_eq!(
        code("StartExecution", json!({"stateMachineArn": "arn:x"})),
        "StateMachineDoesNotExist"
    );
    assert_eq!(
        code(
            "StartExecution",
            json!({"stateMachineArn": "arn:x", "colour": 1})
        ),
        "ValidationException"
    );
    assert_eq!(
        code("DescribeExecution", json!({"executionArn": "arn:x"})),
        "ExecutionDoesNotExist"
    );
    assert_eq!(
        code("StopExecution", json!({})),
        "UnknownOperationException"
    );
}

#[tokio::test]
async fn executions_are_listed_newest_first_in_pages() {
    let bench = bench(machine(json!({"A": {"Type": "Succeed"}})), false, |_, _| {
        None
    })
    .unwrap();
    for name in ["a", "b", "c"] {
        start(&bench, name, "{}").unwrap();
    }
    let arn = "arn:aws:states:eu-central-1:000000000000:stateMachine:flow";
    let mut request = json!({"stateMachineArn": arn, "maxResults": 2});
    let first = bench
        .machines
        .call("ListExecutions", request.clone())
        .unwrap();
    request["nextToken"] = first["nextToken"].clone();
    let second = bench.machines.call("ListExecutions", request).unwrap();
    let names = |page: &Value| -> Vec<String> {
        page["executions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names(&first), names(&second)),
        (vec!["c".to_owned(), "b".to_owned()], vec!["a".to_owned()])
    );
    assert!(second.get("nextToken").is_none());
}
