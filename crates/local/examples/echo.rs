//! A function for the tests of the runner: does what the event's `do` says, and answers the event.

use std::time::Duration;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("FAIL_INIT").is_ok() {
        return Err("cannot start".into());
    }
    println!("started");
    lambda_runtime::run(service_fn(answer)).await
}

async fn answer(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (event, context) = event.into_parts();
    match event["do"].as_str().unwrap_or_default() {
        "error" => Err(Diagnostic {
            error_type: "Declined".to_owned(),
            error_message: "no funds".to_owned(),
        }),
        "sleep" => {
            println!("sleeping");
            let ms = event["ms"].as_u64().unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(event)
        }
        "exit" => std::process::exit(3),
        "big" => Ok("x".repeat(7 * 1024 * 1024).into()),
        "environment" => Ok(std::env::vars()
            .map(|(name, value)| (name, json!(value)))
            .collect()),
        "context" => Ok(json!({
            "request_id": context.request_id,
            "deadline": context.deadline,
            "arn": context.invoked_function_arn,
            "trace": context.xray_trace_id,
            "process": std::process::id(),
        })),
        // As a gateway's function: the body says what to answer.
        "respond" => Ok(event["response"].clone()),
        _ => Ok(event),
    }
}
