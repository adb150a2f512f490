//! Injected faults.

use super::*;
use crate::functions::tests::{echo, examples};
use crate::functions::{InvokeError, Log, Settings};

#[tokio::test]
async fn a_throttled_call_is_refused_and_the_sdks_retry_succeeds() {
    let world = World::new().await;
    world.fault("dynamodb:UpdateItem@count-up=throttle*1");
    let once = count_up(&world.client("CountUp", 1)).await;
    assert_eq!(
        once,
        Err("ProvisionedThroughputExceededException".to_owned())
    );
    assert_eq!(world.count().await, None);
    world.fault("dynamodb:UpdateItem@count-up=throttle*1");
    count_up(&world.client("CountUp", 2)).await.unwrap();
    assert_eq!(world.count().await.as_deref(), Some("1"));
}

#[tokio::test]
async fn each_mode_of_a_fault_has_its_documented_outcome() {
    let cases = [
        ("error", Err("InternalServerError"), None),
        ("conflict", Err("TransactionConflictException"), None),
        ("timeout-before", Err("no answer"), None),
        ("kill-before", Err("no answer"), None),
        ("lost-answer", Err("no answer"), Some("1")),
        ("kill-after", Err("no answer"), Some("1")),
        ("duplicate", Ok(()), Some("2")),
        ("delay:1", Ok(()), Some("1")),
    ];
    for (mode, answer, count) in cases {
        let world = World::new().await;
        world.fault(&format!("dynamodb:UpdateItem@*={mode}#1"));
        let answered = count_up(&world.client("CountUp", 1)).await;
        assert_eq!(answered, answer.map_err(str::to_owned), "{mode}");
        assert_eq!(world.count().await.as_deref(), count, "{mode}");
        count_up(&world.client("CountUp", 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_call_that_no_function_makes_never_fails() {
    let world = World::new().await;
    world.fault("dynamodb:*@*=error");
    count_up(&world.client("operator", 1)).await.unwrap();
}

#[tokio::test]
async fn a_conflicting_transaction_tells_its_reasons() {
    let world = World::new().await;
    world.fault("dynamodb:*@*=conflict");
    let put = |pk: &str| {
        let put = aws_sdk_dynamodb::types::Put::builder().table_name("counters");
        let put = put.item("pk", S(pk.into())).build().unwrap();
        aws_sdk_dynamodb::types::TransactWriteItem::builder()
            .put(put)
            .build()
    };
    let client = world.client("CountUp", 1);
    let transaction = client
        .transact_write_items()
        .transact_items(put("a"))
        .transact_items(put("b"));
    let error = transaction.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(error) = error else {
        panic!("{error:?}");
    };
    let codes: Vec<_> = error
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code())
        .collect();
    assert_eq!(codes, [Some("TransactionConflict"), Some("None")]);
    assert!(
        error
            .message()
            .unwrap()
            .contains("[TransactionConflict, None]"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stale_read_is_of_the_table_before_its_last_write() {
    let world = World::new().await;
    world.fault("dynamodb:GetItem@*=stale-read");
    let client = world.client("CountUp", 1);
    count_up(&client).await.unwrap();
    count_up(&client).await.unwrap();
    let get = client
        .get_item()
        .table_name("counters")
        .key("pk", S("a".into()));
    let stale = get.clone().send().await.unwrap().item.unwrap();
    assert_eq!(stale["n"], N("1".into()));
    let fresh = get
        .consistent_read(true)
        .send()
        .await
        .unwrap()
        .item
        .unwrap();
    assert_eq!(fresh["n"], N("2".into()));
}

#[tokio::test]
async fn a_partial_batch_leaves_its_first_write_unprocessed() {
    let world = World::new().await;
    world.fault("dynamodb:BatchWriteItem@*=partial");
    let put = |pk: &str| {
        let put = aws_sdk_dynamodb::types::PutRequest::builder().item("pk", S(pk.into()));
        let put = put.build().unwrap();
        aws_sdk_dynamodb::types::WriteRequest::builder()
            .put_request(put)
            .build()
    };
    let client = world.client("CountUp", 1);
    let batch = vec![put("a"), put("b")];
    let answer = client
        .batch_write_item()
        .request_items("counters", batch)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.unprocessed_items().unwrap()["counters"], [put("a")]);
    let there = client.scan().table_name("counters").send().await.unwrap();
    assert_eq!(there.items()[0]["pk"], S("b".into()));
}

#[test]
fn a_partial_put_events_counts_the_entry_that_failed() {
    let body = json!({"Entries": [{"Source": "a"}, {"Source": "b"}]});
    let mut partial = injected::Partial::split("PutEvents", body).unwrap();
    assert_eq!(
        partial.rest.take(),
        Some(json!({"Entries": [{"Source": "b"}]}))
    );
    let answer = partial.response(json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}));
    assert_eq!(answer["FailedEntryCount"], 1);
    assert_eq!(answer["Entries"][0]["ErrorCode"], "InternalFailure");
    assert_eq!(answer["Entries"][1]["EventId"], "1");
}

/// `count-up` as a real process, behind an endpoint where its every second call kills it.
#[tokio::test]
async fn a_fault_kills_the_process_that_calls() {
    let function = Function {
        environment: BTreeMap::new(),
        ..echo()
    };
    let stack = Stack {
        functions: [("CountUp".to_owned(), function)].into(),
        ..stack()
    };
    let (clock, arns) = (Clock::system(), Arns::for_stack("eu-central-1", &stack));
    let (bill, faults) = (Bill::new(&stack), Faults::new(&stack, 1));
    let record = Record::none(&arns);
    let db = DynamoDb::start(&stack, &arns, &clock, &bill, &record, None).unwrap();
    let (listener, url) = Endpoint::bind(0).await.unwrap();
    let settings = Settings {
        binaries: examples(),
        endpoint: url.clone(),
        clock,
        log: Log::Silent,
        bill: bill.clone(),
        concurrency: 1000,
    };
    let functions = Functions::new(&stack, &arns, settings);
    let endpoint = Endpoint::new(&stack, &faults, &record, &functions).with("dynamodb", db);
    let server = tokio::spawn(endpoint.serve(listener));
    let process = async || {
        let answer = functions
            .invoke("CountUp", r#"{"do":"environment"}"#.into())
            .await?;
        let environment: Value = serde_json::from_slice(&answer).unwrap();
        Ok::<_, InvokeError>(environment)
    };
    let first = process().await.unwrap();
    assert_eq!(
        process().await.unwrap()["AWS_SESSION_TOKEN"],
        first["AWS_SESSION_TOKEN"]
    );
    let credentials = Credentials::builder()
        .access_key_id(first["AWS_ACCESS_KEY_ID"].as_str().unwrap())
        .secret_access_key(first["AWS_SECRET_ACCESS_KEY"].as_str().unwrap())
        .session_token(first["AWS_SESSION_TOKEN"].as_str().unwrap())
        .provider_name("test")
        .build();
    let client = client(first["AWS_ENDPOINT_URL"].as_str().unwrap(), credentials, 1);
    faults
        .set_text(&["dynamodb:UpdateItem@*=kill-after#2"])
        .unwrap();
    count_up(&client).await.unwrap();
    assert_eq!(count_up(&client).await, Err("no answer".to_owned()));
    assert_eq!(
        bill.snapshot().totals.write_units,
        Units::whole(2),
        "the call was carried out"
    );
    // An invocation that the process still got dies with it; the next one finds a new process.
    let next = match process().await {
        Ok(environment) => environment,
        Err(_) => process().await.unwrap(),
    };
    assert_ne!(next["AWS_SESSION_TOKEN"], first["AWS_SESSION_TOKEN"]);
    functions.stop().await;
    server.abort();
}
