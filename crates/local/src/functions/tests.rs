//! Functions as real processes: `examples/echo.rs`.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::bill::Bill;
use crate::model::Function;

const REGION: &str = "eu-central-1";

/// More than any test needs, and few enough to be used up.
const ACCOUNT: u32 = 100;

/// The directory of the example, built: `cargo test` with a filter builds none.
pub(crate) fn examples() -> PathBuf {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    let built = EXAMPLES.get_or_init(|| {
        let here = std::env::current_exe().unwrap();
        let profile = here.parent().unwrap().parent().unwrap();
        let built = std::process::Command::new(env!("CARGO"))
            // The packages of `cargo test --workspace`, so that what it needs is compiled already.
            .args(["build", "--quiet", "--workspace", "--example", "echo"])
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .status();
        assert!(built.unwrap().success());
        profile.join("examples")
    });
    built.clone()
}

/// A function that runs the example.
pub(crate) fn echo() -> Function {
    Function {
        name: "shop-echo".to_owned(),
        binary: "echo".to_owned(),
        environment: BTreeMap::from([("COLOUR".to_owned(), "blue".to_owned())]),
        timeout: Duration::from_secs(20),
        memory_mib: 256,
        reserved_concurrency: None,
        async_retries: 2,
        async_on_failure: Some(Destination::Queue("Failed".to_owned())),
    }
}

fn start(function: Function, clock: Clock) -> (Functions, Bill) {
    start_logging(function, clock, Log::Silent)
}

fn start_logging(function: Function, clock: Clock, log: Log) -> (Functions, Bill) {
    let mut stack = Stack::default();
    stack.functions.insert("Echo".to_owned(), function);
    let bill = Bill::new(&stack);
    let settings = Settings {
        binaries: examples(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        clock,
        log,
        bill: bill.clone(),
        concurrency: ACCOUNT,
    };
    (
        Functions::new(&stack, &Arns::for_stack(REGION, &stack), settings),
        bill,
    )
}

async fn ask(functions: &Functions, event: Value) -> Result<Value, InvokeError> {
    let answer = functions.invoke("Echo", event.to_string().into()).await?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn system() -> (Functions, Bill) {
    start(echo(), Clock::system())
}

#[tokio::test]
async fn a_function_answers_and_is_billed() {
    let (functions, bill) = system();
    assert_eq!(
        ask(&functions, json!({"a": 1})).await.unwrap(),
        json!({"a": 1})
    );
    let bill = serde_json::to_value(bill.snapshot()).unwrap();
    assert_eq!(bill["totals"]["invocations"], 1);
    functions.stop().await;
}

#[tokio::test]
async fn a_process_is_kept_warm_and_told_its_context() {
    let (functions, _) = system();
    let first = ask(&functions, json!({"do": "context"})).await.unwrap();
    let second = ask(&functions, json!({"do": "context"})).await.unwrap();
    assert_eq!(first["process"], second["process"]);
    assert_ne!(first["request_id"], second["request_id"]);
    assert_eq!(
        first["arn"],
        "arn:aws:lambda:eu-central-1:000000000000:function:shop-echo"
    );
    assert!(
        first["trace"].as_str().unwrap().starts_with("Root=1-"),
        "{first}"
    );
    let left = first["deadline"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond();
    assert!((0..=20_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_process_sees_only_what_is_declared_and_what_lambda_sets() {
    let (functions, _) = system();
    let environment = ask(&functions, json!({"do": "environment"})).await.unwrap();
    let expected = functions.environment("Echo").unwrap();
    let names: BTreeSet<_> = environment.as_object().unwrap().keys().collect();
    // The runtime itself adds its trace id.
    let own = ["_X_AMZN_TRACE_ID".to_owned()];
    assert_eq!(names, expected.keys().chain(&own).collect());
    assert_eq!(environment["COLOUR"], "blue");
    assert_eq!(environment["AWS_ACCESS_KEY_ID"], "Echo");
    assert_eq!(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:9");
}

#[tokio::test]
async fn a_functions_error_keeps_its_type() {
    let (functions, _) = system();
    let error = ask(&functions, json!({"do": "error"})).await.unwrap_err();
    assert_eq!(error.states_error().0, "Declined");
    assert!(error.states_error().1.contains("no funds"));
}

#[tokio::test]
async fn a_function_that_takes_too_long_loses_its_process() {
    let (functions, _) = start(
        Function {
            timeout: Duration::from_secs(1),
            ..echo()
        },
        Clock::system(),
    );
    let before = ask(&functions, json!({"do": "context"})).await.unwrap();
    let error = ask(&functions, json!({"do": "sleep", "ms": 60_000}))
        .await
        .unwrap_err();
    assert!(matches!(error, InvokeError::Timeout { .. }), "{error:?}");
    assert_eq!(error.to_string(), "Task timed out after 1.00 seconds");
    let after = ask(&functions, json!({"do": "context"})).await.unwrap();
    assert_ne!(before["process"], after["process"]);
}

#[tokio::test]
async fn a_process_that_exits_fails_its_invocation_and_is_replaced() {
    let (functions, _) = system();
    let error = ask(&functions, json!({"do": "exit"})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Runtime exited with error: exit status 3"
    );
    assert_eq!(error.states_error().0, "Runtime.ExitError");
    assert_eq!(ask(&functions, json!(1)).await.unwrap(), json!(1));
}

#[tokio::test]
async fn a_process_that_cannot_start_says_why() {
    let environment = BTreeMap::from([("FAIL_INIT".to_owned(), "1".to_owned())]);
    let (functions, _) = start(
        Function {
            environment,
            ..echo()
        },
        Clock::system(),
    );
    let error = ask(&functions, json!(1)).await.unwrap_err();
    assert_eq!(error.states_error().0, "Runtime.ExitError");
    let (functions, _) = start(
        Function {
            binary: "no-such-binary".to_owned(),
            ..echo()
        },
        Clock::system(),
    );
    let error = ask(&functions, json!(1)).await.unwrap_err();
    assert!(
        error.to_string().contains("no-such-binary does not start"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_over_six_megabytes_is_an_error() {
    let (functions, _) = system();
    let error = ask(&functions, json!({"do": "big"})).await.unwrap_err();
    assert_eq!(error.states_error().0, "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn sixty_four_invocations_run_side_by_side() {
    let (functions, bill) = system();
    let all = (0..64).map(|n| {
        let functions = functions.clone();
        async move { ask(&functions, json!({"do": "sleep", "ms": 50, "n": n})).await }
    });
    for (n, answer) in futures::future::join_all(all).await.into_iter().enumerate() {
        assert_eq!(answer.unwrap()["n"], n);
    }
    let bill = serde_json::to_value(bill.snapshot()).unwrap();
    assert_eq!(bill["totals"]["invocations"], 64);
    functions.stop().await;
}

#[tokio::test]
async fn reserved_concurrency_throttles() {
    let (functions, _) = start(
        Function {
            reserved_concurrency: Some(1),
            ..echo()
        },
        Clock::system(),
    );
    // Both are polled before either returns: one of them has the only place.
    let (one, other) = tokio::join!(ask(&functions, json!(1)), ask(&functions, json!(2)));
    assert_eq!(one.unwrap(), json!(1));
    assert!(matches!(other, Err(InvokeError::Throttled)), "{other:?}");
    assert_eq!(ask(&functions, json!(3)).await.unwrap(), json!(3));
}

#[tokio::test]
async fn all_functions_share_the_accounts_concurrency() {
    let (functions, _) = start(echo(), Clock::system());
    let asked = (0..=ACCOUNT).map(|number| {
        let functions = functions.clone();
        async move { ask(&functions, json!(number)).await }
    });
    let answers = futures::future::join_all(asked).await;
    let throttled =
        |answer: &&Result<Value, InvokeError>| matches!(answer, Err(InvokeError::Throttled));
    assert_eq!(answers.iter().filter(throttled).count(), 1);
}

#[tokio::test]
async fn a_killed_process_fails_its_invocation() {
    let mut output = tempfile::NamedTempFile::new().unwrap();
    let log = Log::File(Arc::new(Mutex::new(output.reopen().unwrap())));
    let (functions, _) = start_logging(echo(), Clock::system(), log);
    let environment = ask(&functions, json!({"do": "environment"})).await.unwrap();
    let token = environment["AWS_SESSION_TOKEN"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(functions.invocation_of(&token), None);
    let asked = tokio::spawn({
        let functions = functions.clone();
        async move { ask(&functions, json!({"do": "sleep", "ms": 60_000})).await }
    });
    let mut said = String::new();
    while !said.contains("[Echo] sleeping\n") {
        tokio::time::sleep(Duration::from_millis(5)).await;
        output.read_to_string(&mut said).unwrap();
    }
    assert_ne!(functions.invocation_of(&token), None);
    assert!(functions.kill_process(&token));
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.states_error().0, "Runtime.ExitError");
    assert!(!functions.kill_process("Echo-no-such-process"));
    assert_eq!(ask(&functions, json!(1)).await.unwrap(), json!(1));
}

#[tokio::test]
async fn an_invocation_survives_the_end_of_an_idle_process() {
    let (functions, _) = system();
    for n in 0..10 {
        let environment = ask(&functions, json!({"do": "environment"})).await.unwrap();
        let _ = functions.kill_process(environment["AWS_SESSION_TOKEN"].as_str().unwrap());
        // Ends at any time before, during or after the next one is handed over.
        tokio::time::sleep(Duration::from_micros(n * 300)).await;
        let answer = tokio::time::timeout(Duration::from_secs(10), ask(&functions, json!(n)));
        match answer.await.expect("it answers") {
            Ok(answer) => assert_eq!(answer, json!(n)),
            Err(error) => assert_eq!(error.states_error().0, "Runtime.ExitError"),
        }
    }
}

#[tokio::test]
async fn a_failed_asynchronous_invocation_is_tried_three_times_and_then_delivered() {
    let clock = Clock::manual(jiff::Timestamp::UNIX_EPOCH);
    let (functions, bill) = start(echo(), clock.clone());
    let (sender, mut delivered) = tokio::sync::mpsc::unbounded_channel();
    functions.set_on_failure(Box::new(move |to, record| {
        sender.send((to.clone(), record)).unwrap();
    }));
    functions.invoke_async("Echo", json!({"do": "error"}).to_string().into());
    let mut ticks = 0;
    let (to, record) = loop {
        match tokio::time::timeout(Duration::from_millis(20), delivered.recv()).await {
            Ok(Some(delivery)) => break delivery,
            Ok(None) => panic!("nobody delivers"),
            Err(_) => ticks += 1,
        }
        // Only once the try of this minute is through: retries come after one and two minutes.
        let _ = clock.advance(Duration::from_secs(20));
    };
    assert!(ticks >= 9, "three minutes are nine ticks, not {ticks}");
    assert_eq!(to, Destination::Queue("Failed".to_owned()));
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestPayload"], json!({"do": "error"}));
    assert_eq!(record["responsePayload"]["errorType"], "Declined");
    let bill = serde_json::to_value(bill.snapshot()).unwrap();
    assert_eq!(bill["totals"]["invocations"], 3);
}
