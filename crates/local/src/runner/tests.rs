//! A template with one of every kind of service, running, with real processes.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::clock::Clock;
use crate::functions::Log;
use crate::functions::tests::examples;

const TEMPLATE: &str = include_str!("tests.yaml");

struct Running {
    runner: Runner,
    client: Client,
    /// The template and the binaries are there for as long as this is.
    #[expect(dead_code, reason = "only has to live")]
    folder: tempfile::TempDir,
}

fn options(template: &str) -> (Options, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, template).unwrap();
    for binary in [
        "echo",
        "on-change",
        "on-message",
        "on-event",
        "on-time",
        "failing",
    ] {
        std::os::unix::fs::symlink(examples().join("echo"), folder.path().join(binary)).unwrap();
    }
    let options = Options {
        clock: Clock::manual("2026-03-12T19:03:58Z".parse::<Timestamp>().unwrap()),
        log: Log::Silent,
        ..Options::new(path, folder.path())
    };
    (options, folder)
}

async fn start() -> Running {
    let (options, folder) = options(TEMPLATE);
    let runner = Runner::start(options).await.unwrap();
    Running {
        runner,
        client: Client::new(),
        folder,
    }
}

impl Running {
    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let base = if path.starts_with("/_local") {
            &self.runner.urls().control
        } else {
            &self.runner.urls().shop
        };
        let response = self
            .client
            .get(format!("{base}{path}"))
            .send()
            .await
            .unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.runner.urls().control);
        let response = self.client.post(url).json(body).send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap_or_default())
    }

    /// Calls an AWS API.
    async fn aws(&self, target: &str, body: Value) -> Value {
        let request = self.client.post(&self.runner.urls().aws);
        let request = request
            .header("x-amz-target", target)
            .body(body.to_string());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{target}");
        response.json().await.unwrap()
    }

    /// Reads until what it reads is right.
    async fn until(&self, path: &str, right: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(path).await.1;
            if right(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} stays {last}")
    }

    /// Waits for the first invocation of a function.
    async fn invoked(&self, function: &str) {
        let path = format!("/functions/{function}/invocations");
        self.until("/_local/bill", |bill| {
            bill.pointer(&path).is_some_and(|n| *n == 1)
        })
        .await;
    }
}

#[tokio::test]
async fn the_runner_is_ready_once_it_is_told() {
    let running = start().await;
    let (status, _) = running.get("/_local/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    running
        .runner
        .set_ready(json!([{"email": "ada@example.com"}]));
    let (status, ready) = running.get("/_local/ready").await;
    assert_eq!(status, StatusCode::OK);
    let shop = &running.runner.urls().shop;
    assert_eq!(
        ready,
        json!({"shop": shop, "users": [{"email": "ada@example.com"}]})
    );
}

#[tokio::test]
async fn a_request_reaches_its_function_and_the_bill() {
    let running = start().await;
    let (status, event) = running.get("/echo/7").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(event["pathParameters"]["id"], "7");
    // The functions' time is the clock's.
    assert_eq!(event["requestContext"]["timeEpoch"], 1_773_342_238_000_i64);
    running.invoked("echo").await;
    assert_eq!(
        running.post("/_local/bill/reset", &json!({})).await.0,
        StatusCode::NO_CONTENT
    );
    let (_, bill) = running.get("/_local/bill").await;
    assert_eq!(bill["totals"]["invocations"], 0);
}

#[tokio::test]
async fn a_write_reaches_the_function_at_its_stream() {
    let running = start().await;
    let item = json!({"TableName": "local-Items", "Item": {"id": {"S": "1"}}});
    running.aws("DynamoDB_20120810.PutItem", item).await;
    running.invoked("on-change").await;
}

#[tokio::test]
async fn a_message_reaches_its_function() {
    let running = start().await;
    let url = format!("{}/000000000000/local-Queue", running.runner.urls().aws);
    let message = json!({"QueueUrl": url, "MessageBody": "hello"});
    running.aws("AmazonSQS.SendMessage", message).await;
    running.invoked("on-message").await;
    assert!(running.get("/_local/queues").await.1.is_object());
}

#[tokio::test]
async fn an_event_reaches_the_targets_of_its_rules() {
    let running = start().await;
    let entry = json!({
        "EventBusName": "local-Bus", "Source": "tests", "DetailType": "Made", "Detail": "{}",
    });
    let answer = running
        .aws("AWSEvents.PutEvents", json!({"Entries": [entry]}))
        .await;
    assert_eq!(answer["FailedEntryCount"], 0);
    running.invoked("on-event").await;
    running.invoked("on-message").await;
}

#[tokio::test]
async fn an_execution_runs_and_can_be_looked_at() {
    let running = start().await;
    let arn = "arn:aws:states:eu-central-1:000000000000:stateMachine:local-Machine";
    let start = json!({"stateMachineArn": arn, "name": "first", "input": "{\"a\":1}"});
    running.aws("AWSStepFunctions.StartExecution", start).await;
    running
        .until("/_local/executions/first", |execution| {
            execution["status"] == "SUCCEEDED"
        })
        .await;
    assert_eq!(
        running.get("/_local/executions/second").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn secrets_are_read_and_mail_is_kept() {
    let running = start().await;
    let secret = json!({"SecretId": "local-Key"});
    let secret = running.aws("secretsmanager.GetSecretValue", secret).await;
    assert_eq!(secret["SecretString"], "hush");
    let body = json!({
        "FromEmailAddress": "shop@example.com",
        "Destination": {"ToAddresses": ["ada@example.com"]},
        "Content": {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "there"}}}},
    });
    let url = format!("{}/v2/email/outbound-emails", running.runner.urls().aws);
    let sent = running.client.post(url).json(&body).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK);
    let (_, mail) = running.get("/_local/mail").await;
    assert_eq!(mail["messages"][0]["subject"], "Hi");
}

#[tokio::test]
async fn time_moves_only_when_told() {
    let running = start().await;
    let (_, clock) = running.get("/_local/clock").await;
    assert_eq!(clock["now"], "2026-03-12T19:03:58Z");
    let (_, clock) = running
        .post("/_local/clock/advance", &json!({"seconds": 60}))
        .await;
    assert_eq!(clock["now"], "2026-03-12T19:04:58Z");
    running.invoked("on-time").await;
    let (status, _) = running
        .post("/_local/clock/advance", &json!({"minutes": 1}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_machines_time_is_not_moved() {
    let (options, folder) = options(TEMPLATE);
    let runner = Runner::start(Options {
        clock: Clock::system(),
        ..options
    })
    .await
    .unwrap();
    let running = Running {
        runner,
        client: Client::new(),
        folder,
    };
    let (status, _) = running
        .post("/_local/clock/advance", &json!({"seconds": 1}))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn functions_are_invoked_by_hand() {
    let running = start().await;
    for name in ["Echo", "shop-echo"] {
        let (status, answer) = running
            .post(&format!("/_local/invoke/{name}"), &json!([1]))
            .await;
        assert_eq!((status, answer), (StatusCode::OK, json!([1])));
    }
    let url = format!("{}/_local/invoke/Echo", running.runner.urls().control);
    let failed = running
        .client
        .post(&url)
        .json(&json!({"do": "error"}))
        .send()
        .await
        .unwrap();
    assert_eq!(failed.headers()["x-amz-function-error"], "Unhandled");
    let error: Value = failed.json().await.unwrap();
    assert_eq!(error["errorType"], "Declined");
    let (_, environment) = running.get("/_local/functions/Echo/environment").await;
    assert_eq!(environment["AWS_ENDPOINT_URL"], running.runner.urls().aws);
    assert_eq!(
        running.post("/_local/invoke/Nobody", &json!(1)).await.0,
        StatusCode::NOT_FOUND
    );
    let page = running
        .client
        .post(&url)
        .header("origin", "https://evil.example");
    assert_eq!(
        page.json(&json!(1)).send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn what_fails_for_good_ends_in_its_bucket() {
    let running = start().await;
    let url = format!("{}/_local/invoke/Failing", running.runner.urls().control);
    let invoked = running
        .client
        .post(url)
        .header("x-amz-invocation-type", "Event");
    let invoked = invoked.json(&json!({"do": "error"})).send().await.unwrap();
    assert_eq!(invoked.status(), StatusCode::ACCEPTED);
    let mut bucket = Value::Null;
    for _ in 0..600 {
        bucket = running.get("/_local/buckets/Failed").await.1;
        if bucket["objects"]
            .as_array()
            .is_some_and(|objects| !objects.is_empty())
        {
            break;
        }
        running
            .post("/_local/clock/advance", &json!({"seconds": 10}))
            .await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let key = bucket["objects"][0]["key"].as_str().unwrap_or_default();
    assert!(
        key.starts_with("aws/lambda/local-Failing/2026/03/12/"),
        "{bucket}"
    );
    let body = bucket["objects"][0]["body"].as_str().unwrap();
    let record: Value = serde_json::from_str(body).unwrap();
    assert_eq!(record["responsePayload"]["errorType"], "Declined");
}

#[tokio::test]
async fn faults_are_set_and_seen() {
    let running = start().await;
    let (_, faults) = running
        .post(
            "/_local/faults",
            &json!({"faults": ["lambda:Invoke@Echo=throttle"]}),
        )
        .await;
    assert_eq!(faults[0]["hit"], 0);
    assert_eq!(
        running.get("/echo/1").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(running.get("/_local/faults").await.1[0]["hit"], 1);
    let (status, problem) = running
        .post(
            "/_local/faults",
            &json!({"faults": ["lambda:Invoke@Nobody=throttle"]}),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    running.post("/_local/faults", &json!({"faults": []})).await;
    assert_eq!(running.get("/echo/1").await.0, StatusCode::OK);
}

#[tokio::test]
async fn stopping_ends_every_process() {
    let running = start().await;
    let (_, context) = running
        .post("/_local/invoke/Echo", &json!({"do": "context"}))
        .await;
    let process = context["process"].to_string();
    let lives = || {
        let found = std::process::Command::new("kill")
            .args(["-0", &process])
            .output()
            .unwrap();
        found.status.success()
    };
    assert!(lives());
    let shop = running.runner.urls().shop.clone();
    running.runner.stop().await;
    assert!(!lives());
    assert!(running.client.get(shop).send().await.is_err());
}

#[tokio::test]
async fn what_cannot_run_says_why() {
    let (options, _folder) = options("Resources: {It: {Type: AWS::EC2::Instance}}");
    let Err(error) = Runner::start(options.clone()).await else {
        panic!("it runs")
    };
    assert_eq!(
        error.to_string(),
        "Resources.It: AWS::EC2::Instance is not emulated locally"
    );
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let Err(error) = Runner::start(Options { port, ..options }).await else {
        panic!("it runs")
    };
    assert_eq!(
        error.to_string(),
        format!("cannot listen on 127.0.0.1:{port}")
    );
}
