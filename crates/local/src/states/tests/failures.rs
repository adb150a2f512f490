//! Failures, and what retries and catches them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

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
