//! Whole executions, on a manual clock and with functions that are closures.

use std::future;

use serde_json::json;

use super::*;
use crate::functions::InvokeError;
use crate::model::StateMachine;

mod api;
mod failures;

/// What a function returns: its output, or an error's type.
type Answer = Result<Value, &'static str>;

struct Bench {
    machines: StateMachines,
    clock: Clock,
    bill: Bill,
}

fn function_error(error_type: &str) -> InvokeError {
    let payload = json!({"errorType": error_type, "errorMessage": "no"})
        .to_string()
        .into();
    InvokeError::Function {
        error_type: error_type.to_owned(),
        message: "no".to_owned(),
        payload,
    }
}

/// One state machine, `Flow`, whose functions return what `answer` makes of name and payload, or
/// never where that is `None`.
fn bench(
    definition: Value,
    express: bool,
    answer: impl Fn(&str, Value) -> Option<Answer> + Send + Sync + 'static,
) -> Result<Bench, DefinitionError> {
    let mut stack = Stack::default();
    let machine = StateMachine {
        name: "flow".to_owned(),
        definition,
        express,
    };
    stack.state_machines.insert("Flow".to_owned(), machine);
    for name in ["one", "two"] {
        stack.functions.insert(
            name.to_owned(),
            crate::model::Function {
                name: name.to_owned(),
                binary: name.to_owned(),
                environment: BTreeMap::new(),
                timeout: Duration::from_secs(3),
                memory_mib: 128,
                reserved_concurrency: None,
                async_retries: 2,
                async_on_failure: None,
            },
        );
    }
    let invoke: Invoke = Arc::new(move |function, payload| {
        match answer(function, serde_json::from_slice(&payload).unwrap()) {
            None => Box::pin(future::pending()),
            Some(Ok(value)) => Box::pin(future::ready(Ok(value.to_string().into()))),
            Some(Err(error)) => Box::pin(future::ready(Err(function_error(error)))),
        }
    });
    let clock = Clock::manual("2026-01-02T03:04:05.678Z".parse().unwrap());
    let bill = Bill::new(&stack);
    let arns = Arns::for_stack("eu-central-1", &stack);
    let machines = StateMachines::with_invoke(&stack, clock.clone(), bill.clone(), arns, invoke)?;
    Ok(Bench {
        machines,
        clock,
        bill,
    })
}

fn task(name: &str, more: Value) -> Value {
    let mut state = json!({
        "Type": "Task",
        "Resource": format!("arn:aws:lambda:eu-central-1:000000000000:function:{name}"),
    });
    state
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    state
}

fn machine(states: Value) -> Value {
    json!({"StartAt": "A", "States": states})
}

impl Bench {
    fn start(&self, input: Value) {
        self.machines
            .start("Flow", Some("run".to_owned()), input)
            .unwrap();
    }

    fn report(&self) -> Value {
        self.machines.execution("run").unwrap()
    }

    /// Lets everything happen that can without the clock moving.
    async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    async fn advance(&self, ms: u64) {
        self.settle().await;
        let _ = self.clock.advance(Duration::from_millis(ms));
        self.settle().await;
    }

    async fn run(&self, input: Value) -> Value {
        self.start(input);
        self.settle().await;
        self.report()
    }
}

/// Runs a machine that needs no clock, with functions that return what they are given.
async fn run(states: Value, input: Value) -> Value {
    bench(machine(states), false, |_, payload| Some(Ok(payload)))
        .unwrap()
        .run(input)
        .await
}

#[tokio::test]
async fn paths_select_place_and_filter_the_data() {
    let states = json!({"A": task("one", json!({
        "InputPath": "$.order",
        "Parameters": {"id.$": "$.id", "run.$": "$$.Execution.Name", "state.$": "$$.State.Name"},
        "ResultSelector": {"picked.$": "$.id", "run.$": "$.run", "state.$": "$.state"},
        "ResultPath": "$.result",
        "OutputPath": "$.result",
        "End": true,
    }))});
    let report = run(states, json!({"order": {"id": 7}})).await;
    assert_eq!(
        report["output"],
        json!({"picked": 7, "run": "run", "state": "A"}),
        "{report:#}"
    );
    assert_eq!(report["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_discarded_result_leaves_the_input() {
    let states = json!({
        "A": task("one", json!({"Parameters": {"x": 1}, "ResultPath": null, "Next": "B"})),
        "B": {"Type": "Pass", "Result": 5, "ResultPath": "$.pass", "Next": "C"},
        "C": {"Type": "Succeed"},
    });
    assert_eq!(
        run(states, json!({"a": 1})).await["output"],
        json!({"a": 1, "pass": 5})
    );
}

#[tokio::test]
async fn the_context_carries_the_clocks_time_in_milliseconds() {
    let states = json!({"A": {"Type": "Pass", "End": true, "Parameters": {
        "entered.$": "$$.State.EnteredTime", "start.$": "$$.Execution.StartTime", "retries.$": "$$.State.RetryCount",
        "id.$": "$$.Execution.Id", "machine.$": "$$.StateMachine.Name", "input.$": "$$.Execution.Input.a",
    }}});
    assert_eq!(
        run(states, json!({"a": 1})).await["output"],
        json!({
            "entered": "2026-01-02T03:04:05.678Z", "start": "2026-01-02T03:04:05.678Z", "retries": 0,
            "id": "arn:aws:states:eu-central-1:000000000000:execution:flow:run",
            "machine": "flow", "input": 1,
        })
    );
}

#[tokio::test]
async fn a_choice_takes_the_first_rule_that_holds() {
    let states = json!({
        "A": {"Type": "Choice", "Default": "D", "Choices": [
            {"Variable": "$.n", "NumericLessThan": 2, "Next": "B"},
            {"Variable": "$.n", "NumericLessThan": 5, "Next": "C"},
        ]},
        "B": {"Type": "Pass", "Result": "B", "End": true},
        "C": {"Type": "Pass", "Result": "C", "End": true},
        "D": {"Type": "Pass", "Result": "D", "End": true},
    });
    for (n, expected) in [(1, "B"), (2, "C"), (5, "D")] {
        assert_eq!(
            run(states.clone(), json!({"n": n})).await["output"],
            expected
        );
    }
}

#[tokio::test]
async fn waits_end_when_the_clock_says_so() {
    let states = json!({
        "A": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "B"},
        "B": {"Type": "Wait", "TimestampPath": "$.until", "End": true},
    });
    let bench = bench(machine(states), false, |_, _| None).unwrap();
    bench.start(json!({"seconds": 60, "until": "2026-01-02T04:00:00Z"}));
    bench.advance(59_999).await;
    assert_eq!(bench.report()["transitions"], 1);
    bench.advance(1).await;
    assert_eq!(bench.report()["transitions"], 2);
    bench.advance(3_600_000).await;
    assert_eq!(bench.report()["status"], "SUCCEEDED");
}

#[tokio::test]
async fn parallel_branches_run_at_once_and_answer_in_order() {
    let branch = |name: &str, state: Value| json!({"StartAt": name, "States": {name: state}});
    let states = json!({"A": {"Type": "Parallel", "End": true, "ResultPath": "$.all", "Branches": [
        branch("B", json!({"Type": "Wait", "Seconds": 10, "End": true})),
        branch("C", task("one", json!({"Parameters": {"c.$": "$.n"}, "End": true}))),
    ]}});
    let bench = bench(machine(states), false, |_, payload| Some(Ok(payload))).unwrap();
    bench.start(json!({"n": 1}));
    bench.advance(10_000).await;
    assert_eq!(
        bench.report()["output"],
        json!({"n": 1, "all": [{"n": 1}, {"c": 1}]})
    );
}

#[tokio::test]
async fn one_failed_branch_fails_the_parallel_state() {
    let branch = |name: &str, state: Value| json!({"StartAt": name, "States": {name: state}});
    let states = json!({
        "A": {
            "Type": "Parallel", "End": true,
            "Branches": [
                branch("B", json!({"Type": "Wait", "Seconds": 10, "End": true})),
                branch("C", json!({"Type": "Fail", "Error": "E"})),
            ],
            "Catch": [{"ErrorEquals": ["E"], "ResultPath": null, "Next": "D"}],
        },
        "D": {"Type": "Pass", "Result": "caught", "End": true},
    });
    assert_eq!(run(states, json!({})).await["output"], "caught");
}

#[tokio::test]
async fn a_map_works_on_each_item_with_its_index() {
    let states = json!({"A": {
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "End": true, "ResultPath": "$.done",
        "ItemSelector": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "k.$": "$.k"},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "B",
            "States": {"B": task("one", json!({"End": true}))},
        },
    }});
    let report = run(states, json!({"items": ["x", "y"], "k": 3})).await;
    assert_eq!(
        report["output"]["done"],
        json!([{"i": 0, "v": "x", "k": 3}, {"i": 1, "v": "y", "k": 3}])
    );
    // Into A, twice into B, and to the end.
    assert_eq!(report["transitions"], 4);
}

#[tokio::test]
async fn the_invoke_integration_wraps_payload_and_answer() {
    let states = json!({"A": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Parameters": {"FunctionName": "two", "Payload": {"n.$": "$.n"}},
        "ResultSelector": {"answer.$": "$.Payload"},
    }});
    let bench = bench(machine(states), false, |function, payload| {
        Some(Ok(json!([function, payload])))
    })
    .unwrap();
    assert_eq!(
        bench.run(json!({"n": 1})).await["output"],
        json!({"answer": ["two", {"n": 1}]})
    );
}

#[test]
fn a_definition_that_is_not_understood_names_its_machine_and_state() {
    let error = bench(
        machine(json!({"A": {"Type": "Nonsense"}})),
        false,
        |_, _| None,
    )
    .err()
    .unwrap();
    assert_eq!(
        error.to_string(),
        "state machine Flow: state A: the type Nonsense is not emulated"
    );
}

#[tokio::test]
async fn only_the_latest_executions_keep_their_history() {
    let states = json!({"A": {"Type": "Pass", "End": true}});
    let bench = bench(machine(states), false, |_, payload| Some(Ok(payload))).unwrap();
    for number in 0..=WITH_HISTORY {
        let name = Some(number.to_string());
        bench.machines.start("Flow", name, json!({})).unwrap();
        tokio::task::yield_now().await;
    }
    bench.settle().await;
    let report = |name: &str| bench.machines.execution(name).unwrap();
    assert_eq!(report("0")["history"], json!([]));
    assert_eq!(report("0")["status"], "SUCCEEDED");
    assert_ne!(report("1")["history"], json!([]));
}
