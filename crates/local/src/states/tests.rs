//! Whole executions, on a manual clock and with functions that are closures.

use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::functions::InvokeError;
use crate::model::StateMachine;

mod api;

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
async fn a_retry_waits_on_the_clock_and_backs_off() {
    let calls = Arc::new(AtomicUsize::new(0));
    let states = json!({"A": task("one", json!({
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2}],
        "End": true,
    }))});
    let bench = bench(machine(states), false, {
        let calls = Arc::clone(&calls);
        move |_, _| {
            Some(if calls.fetch_add(1, Ordering::SeqCst) < 2 {
                Err("Busy")
            } else {
                Ok(json!("done"))
            })
        }
    })
    .unwrap();
    bench.start(json!({}));
    for (ms, expected) in [(1999, 1), (1, 2), (5999, 2), (1, 3)] {
        bench.advance(ms).await;
        assert_eq!(calls.load(Ordering::SeqCst), expected, "after {ms} ms more");
    }
    let report = bench.report();
    assert_eq!(report["output"], "done");
    // Into A, two retries, and to the end.
    assert_eq!(report["transitions"], 4);
    assert_eq!(bench.bill.snapshot().totals.state_transitions, 4);
}

#[tokio::test]
async fn an_exhausted_retry_leaves_the_failure_to_catch() {
    let states = json!({
        "A": task("one", json!({
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}],
            "Catch": [{"ErrorEquals": ["Busy"], "ResultPath": "$.error", "Next": "B"}],
            "End": true,
        })),
        "B": {"Type": "Pass", "End": true},
    });
    let bench = bench(machine(states), false, |_, _| Some(Err("Busy"))).unwrap();
    let report = bench.run(json!({"a": 1})).await;
    assert_eq!(report["output"]["a"], 1);
    assert_eq!(report["output"]["error"]["Error"], "Busy");
    let cause: Value =
        serde_json::from_str(report["output"]["error"]["Cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["errorType"], "Busy");
}

#[tokio::test]
async fn the_first_matching_catcher_takes_the_failure() {
    let states = json!({
        "A": task("one", json!({
            "Catch": [
                {"ErrorEquals": ["Other"], "Next": "B"},
                {"ErrorEquals": ["States.TaskFailed"], "Next": "C"},
                {"ErrorEquals": ["States.ALL"], "Next": "B"},
            ],
            "End": true,
        })),
        "B": {"Type": "Pass", "Result": "B", "End": true},
        "C": {"Type": "Pass", "Result": "C", "End": true},
    });
    let bench = bench(machine(states), false, |_, _| Some(Err("Busy"))).unwrap();
    assert_eq!(bench.run(json!({})).await["output"], "C");
}

#[tokio::test]
async fn a_failure_that_nothing_catches_fails_the_execution() {
    let bench = bench(
        machine(json!({"A": task("one", json!({"End": true}))})),
        false,
        |_, _| Some(Err("Busy")),
    )
    .unwrap();
    let report = bench.run(json!({})).await;
    assert_eq!(
        (&report["status"], &report["error"]),
        (&json!("FAILED"), &json!("Busy"))
    );
    let fail = json!({"A": {"Type": "Fail", "ErrorPath": "$.code", "CausePath": "States.Format('{}!', $.text)"}});
    let report = run(fail, json!({"code": "E1", "text": "no"})).await;
    assert_eq!(
        (&report["error"], &report["cause"]),
        (&json!("E1"), &json!("no!"))
    );
}

#[tokio::test]
async fn a_broken_path_fails_by_its_documented_name() {
    for (state, error) in [
        (
            json!({"Type": "Pass", "Parameters": {"a.$": "$.missing"}, "End": true}),
            "States.Runtime",
        ),
        (
            json!({"Type": "Pass", "InputPath": "$.missing", "End": true}),
            "States.Runtime",
        ),
        (
            json!({"Type": "Pass", "ResultPath": "$.text.x", "End": true}),
            "States.ResultPathMatchFailure",
        ),
        (
            json!({"Type": "Choice", "Choices": [{"Variable": "$.text", "StringEquals": "no", "Next": "B"}]}),
            "States.NoChoiceMatched",
        ),
    ] {
        let mut states = json!({"A": state});
        if states["A"]["Type"] == "Choice" {
            states["B"] = json!({"Type": "Succeed"});
        }
        assert_eq!(run(states, json!({"text": "a"})).await["error"], error);
    }
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
async fn an_execution_times_out_in_a_wait() {
    let mut definition = machine(json!({"A": {"Type": "Wait", "Seconds": 600, "End": true}}));
    let express = bench(definition.clone(), true, |_, _| None).unwrap();
    definition["TimeoutSeconds"] = 300.into();
    let standard = bench(definition, false, |_, _| None).unwrap();
    for bench in [express, standard] {
        bench.start(json!({}));
        bench.advance(299_999).await;
        assert_eq!(bench.report()["status"], "RUNNING");
        bench.advance(1).await;
        assert_eq!(bench.report()["status"], "TIMED_OUT");
    }
}

#[tokio::test]
async fn a_task_that_takes_too_long_can_be_caught() {
    let states = json!({
        "A": task("one", json!({
            "TimeoutSeconds": 1,
            "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": null, "Next": "B"}],
            "End": true,
        })),
        "B": {"Type": "Pass", "Result": "late", "End": true},
    });
    let bench = bench(machine(states), false, |_, _| None).unwrap();
    bench.start(json!({}));
    let begun = Instant::now();
    while bench.report()["status"] == "RUNNING" {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the task never times out"
        );
        tokio::task::yield_now().await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(bench.report()["output"], "late");
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
async fn too_much_data_fails_and_only_its_own_name_catches_it() {
    let state = |error: &str| {
        json!({
            "A": task("one", json!({
                "Catch": [{"ErrorEquals": [error], "ResultPath": null, "Next": "B"}], "End": true,
            })),
            "B": {"Type": "Pass", "Result": "caught", "End": true},
        })
    };
    let big = |_: &str, _| Some(Ok("x".repeat(MAX_DATA).into()));
    let report = bench(machine(state("States.ALL")), false, big)
        .unwrap()
        .run(json!({}))
        .await;
    assert_eq!(report["error"], "States.DataLimitExceeded");
    let report = bench(machine(state("States.DataLimitExceeded")), false, big)
        .unwrap()
        .run(json!({}))
        .await;
    assert_eq!(report["output"], "caught");
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
