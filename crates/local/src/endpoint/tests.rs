//! The endpoint through the real SDK client.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::*;
use crate::access::Access;
use crate::arn::Arns;
use crate::bill::{Bill, Units};
use crate::calls::CallLog;
use crate::clock::Clock;
use crate::dynamodb::DynamoDb;
use crate::faults::Faults;
use crate::functions::Functions;
use crate::model::{Function, Stack, Statement, Table};
use crate::record::Record;

mod faults;

/// A running endpoint with one table, `counters`, and one function, `count-up`.
struct World {
    url: String,
    bill: Bill,
    faults: Faults,
    calls: CallLog,
    record: tempfile::NamedTempFile,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn stack() -> Stack {
    let function = Function {
        name: "shop-count-up".into(),
        binary: "count-up".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_millis(50),
        memory_mib: 128,
        reserved_concurrency: None,
        async_retries: 0,
        async_on_failure: None,
    };
    let create = json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    let table = Table {
        name: "counters".into(),
        create,
        ttl_attribute: None,
        stream: false,
    };
    let actions = ["BatchWriteItem", "GetItem", "PutItem", "Scan", "UpdateItem"];
    let policy = Statement {
        actions: actions.map(|action| format!("dynamodb:{action}")).into(),
        resources: vec!["arn:aws:dynamodb:*:*:table/counters".into()],
    };
    Stack {
        functions: [("CountUp".into(), function)].into(),
        policies: [("CountUp".into(), vec![policy])].into(),
        tables: [("Counters".into(), table)].into(),
        ..Stack::default()
    }
}

impl World {
    async fn new() -> Self {
        let (stack, clock) = (stack(), Clock::system());
        let arns = Arns::for_stack("eu-central-1", &stack);
        let (bill, faults) = (Bill::new(&stack), Faults::new(&stack, 1));
        let file = tempfile::NamedTempFile::new().unwrap();
        let record = Record::to_file(file.path(), &stack, &arns).unwrap();
        let db = DynamoDb::start(&stack, &arns, &clock, &bill, &record, None).unwrap();
        db.follow(&faults);
        let functions = Functions::in_process(BTreeMap::new(), clock);
        let (listener, url) = Endpoint::bind(0).await.unwrap();
        let calls = CallLog::default();
        let endpoint = Endpoint::new(&stack, &faults, &record, &functions)
            .guarded(Access::enforcing(&stack, &arns))
            .timed(Some(calls.clone()))
            .with("dynamodb", db);
        let server = tokio::spawn(endpoint.serve(listener));
        Self {
            url,
            bill,
            faults,
            calls,
            record: file,
            server,
        }
    }

    fn client(&self, key: &str, attempts: u32) -> Client {
        let credentials = Credentials::builder()
            .access_key_id(key)
            .secret_access_key("local")
            .session_token("CountUp-1")
            .provider_name("test")
            .build();
        client(&self.url, credentials, attempts)
    }

    fn fault(&self, text: &str) {
        self.faults.set_text(&[text]).unwrap();
    }

    async fn count(&self) -> Option<String> {
        let answer = self
            .client("operator", 1)
            .get_item()
            .table_name("counters")
            .key("pk", S("a".into()))
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        Some(answer.item?.get("n")?.as_n().unwrap().clone())
    }
}

fn client(url: &str, credentials: Credentials, attempts: u32) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .build();
    Client::from_conf(config)
}

async fn count_up(client: &Client) -> Result<(), String> {
    let answer = client
        .update_item()
        .table_name("counters")
        .key("pk", S("a".into()))
        .update_expression("ADD n :one")
        .expression_attribute_values(":one", N("1".into()))
        .send()
        .await;
    let Err(error) = answer else { return Ok(()) };
    // Not an error of a service, but no response at all.
    let code = error
        .as_service_error()
        .and_then(|error| error.meta().code());
    Err(code.unwrap_or("no answer").to_owned())
}

#[tokio::test]
async fn a_call_is_billed_and_recorded_under_the_function_that_signed_it() {
    let world = World::new().await;
    count_up(&world.client("CountUp", 1)).await.unwrap();
    count_up(&world.client("somebody", 1)).await.unwrap();
    let bill = world.bill.snapshot();
    assert_eq!(bill.functions["count-up"].write_units, Units::whole(1));
    assert_eq!(bill.totals.write_units, Units::whole(2));
    let record = std::fs::read_to_string(world.record.path()).unwrap();
    let lines: Vec<Value> = record
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = json!({
        "function": "count-up",
        "action": "dynamodb:UpdateItem",
        "resource": "arn:aws:dynamodb:eu-central-1:000000000000:table/counters",
        "operation": "UpdateItem",
        "units": {"read": 0, "write": 1, "index_write": 0},
    });
    assert_eq!(lines[0], line);
    assert_eq!(lines[1].get("function"), None);
}

#[tokio::test]
async fn a_functions_calls_are_logged_with_their_connection_and_their_time() {
    let world = World::new().await;
    world.fault("dynamodb:UpdateItem@*=delay:20");
    let client = world.client("CountUp", 1);
    count_up(&client).await.unwrap();
    count_up(&client).await.unwrap();
    count_up(&world.client("CountUp", 1)).await.unwrap();
    count_up(&world.client("operator", 1)).await.unwrap();
    let calls = world.calls.take();
    let [first, second, third] = &calls[..] else {
        panic!("{calls:?}")
    };
    for call in &calls {
        assert_eq!(call.function, "CountUp");
        assert_eq!(call.process, "CountUp-1");
        assert_eq!(call.action, "dynamodb:UpdateItem");
        let lasted = call.ended.saturating_sub(call.started);
        assert!(lasted >= Duration::from_millis(20), "{call:?}");
    }
    assert!(first.ended <= second.started);
    assert_eq!(first.connection, second.connection);
    assert_ne!(first.connection, third.connection);
    assert_eq!(world.calls.take(), []);
}

#[tokio::test]
async fn a_web_page_cannot_call_it() {
    let world = World::new().await;
    let client = reqwest::Client::new();
    for (header, value) in [
        ("host", "evil.example:3002"),
        ("origin", "https://evil.example"),
    ] {
        let call = client.post(&world.url).header(header, value).send().await;
        assert_eq!(call.unwrap().status(), 403, "{header}");
    }
    assert_ne!(client.post(&world.url).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn what_no_policy_allows_is_denied_and_leaves_no_trace() {
    let world = World::new().await;
    count_up(&world.client("CountUp", 1)).await.unwrap();
    let delete = |client: Client| async move {
        let delete = client.delete_item().table_name("counters");
        delete.key("pk", S("a".into())).send().await
    };
    let denied = delete(world.client("CountUp", 3)).await.unwrap_err();
    let denied = denied.into_service_error();
    assert_eq!(denied.meta().code(), Some("AccessDeniedException"));
    let message = denied.meta().message().unwrap();
    assert!(message.contains("dynamodb:DeleteItem"), "{message}");
    assert_eq!(world.count().await.as_deref(), Some("1"));
    let record = std::fs::read_to_string(world.record.path()).unwrap();
    assert!(!record.contains("DeleteItem"), "{record}");
    delete(world.client("operator", 1)).await.unwrap();
    assert_eq!(world.count().await, None);
}

#[tokio::test]
async fn what_is_not_emulated_is_refused_by_its_name() {
    let world = World::new().await;
    let error = world
        .client("CountUp", 1)
        .list_backups()
        .send()
        .await
        .unwrap_err();
    let error = error.into_service_error();
    assert!(
        error.meta().message().unwrap().contains("ListBackups"),
        "{error:?}"
    );
    let client = reqwest::Client::new();
    for target in ["AWSEvents.PutEvents", "Braket.CreateJob"] {
        let request = client
            .post(&world.url)
            .header("x-amz-target", target)
            .body("{}");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let operation = target.split_once('.').unwrap().1;
        assert!(answer.text().await.unwrap().contains(operation), "{target}");
    }
}
