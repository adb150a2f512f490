//! The API and the mappings, on a manual clock.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::functions::{Handler, InvokeError};
use crate::model::Mapping;

struct Bench {
    queues: Queues,
    clock: Clock,
    bill: Bill,
    stack: Stack,
}

const URL: &str = "http://localhost/000000000000/work";
const DEAD: &str = "http://localhost/000000000000/dead";

/// Two queues: `Work`, which gives a message up after two receives, and `Dead`.
fn bench() -> Bench {
    let queue = |name: &str, redrive| model::Queue {
        name: name.to_owned(),
        visibility_timeout: Duration::from_secs(30),
        delay: Duration::ZERO,
        retention: Duration::from_hours(96),
        redrive,
    };
    let mut stack = Stack::default();
    stack.queues.insert(
        "Work".to_owned(),
        queue("work", Some((2, "Dead".to_owned()))),
    );
    stack.queues.insert("Dead".to_owned(), queue("dead", None));
    let clock = Clock::manual(Timestamp::from_second(1000).unwrap());
    let (bill, arns) = (Bill::new(&stack), Arns::of("eu-central-1", &stack));
    let queues = Queues::new(
        &stack,
        clock.clone(),
        bill.clone(),
        arns,
        "http://localhost",
    );
    Bench {
        queues,
        clock,
        bill,
        stack,
    }
}

impl Bench {
    async fn call(&self, operation: &str, body: Value) -> Result<Value, String> {
        self.queues
            .call(&Caller::operator(), operation, body)
            .await
            .map_err(|error| error.code)
    }

    async fn send(&self, body: &str) {
        self.call("SendMessage", json!({"QueueUrl": URL, "MessageBody": body}))
            .await
            .unwrap();
    }

    async fn receive(&self, url: &str) -> Vec<Value> {
        let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]});
        let answer = self.call("ReceiveMessage", request).await.unwrap();
        answer
            .get("Messages")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    }

    /// Feeds `handler` from `Work`; the mapping lives as long as the answer.
    fn feed(&mut self, change: impl FnOnce(&mut Mapping), handler: Handler) -> JoinSet<()> {
        let mut mapping = Mapping {
            function: "F".to_owned(),
            source: Source::Queue("Work".to_owned()),
            batch_size: 10,
            window: Duration::ZERO,
            partial_batches: true,
            retries: None,
            max_age: None,
            bisect: false,
            on_failure: None,
            max_concurrency: None,
            filters: Vec::new(),
        };
        change(&mut mapping);
        self.stack.mappings = vec![mapping];
        let functions =
            Functions::in_process([("F".to_owned(), handler)].into(), self.clock.clone());
        self.queues.start_mappings(&self.stack, &functions).unwrap()
    }

    async fn advance(&self, seconds: u64) {
        self.settle().await;
        let _ = self.clock.advance(Duration::from_secs(seconds));
        self.settle().await;
    }

    async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    fn counts(&self, id: &str) -> (u64, u64) {
        let snapshot = self.queues.snapshot();
        let queue = &snapshot["queues"][id];
        (
            queue["visible"].as_u64().unwrap(),
            queue["in_flight"].as_u64().unwrap(),
        )
    }
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["Body"].as_str().unwrap())
        .collect()
}

/// Remembers the bodies of each batch, and answers `answer` of the event.
fn handler(
    seen: &Arc<Mutex<Vec<Vec<String>>>>,
    answer: impl Fn(&Value) -> Result<Value, InvokeError> + Send + Sync + 'static,
) -> Handler {
    let seen = Arc::clone(seen);
    Arc::new(move |payload| {
        let event: Value = serde_json::from_slice(&payload).unwrap();
        let records = event["Records"].as_array().unwrap();
        let bodies = records
            .iter()
            .map(|record| record["body"].as_str().unwrap().to_owned());
        seen.lock().unwrap().push(bodies.collect());
        answer(&event).map(|answer| answer.to_string().into())
    })
}

#[tokio::test]
async fn a_message_is_received_once_deleted_and_gone() {
    let bench = bench();
    let attributes = json!({"kind": {"DataType": "String", "StringValue": "x"}});
    let request = json!({"QueueUrl": URL, "MessageBody": "hello", "MessageAttributes": attributes});
    let sent = bench.call("SendMessage", request).await.unwrap();
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let request = json!({
        "QueueUrl": URL, "AttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
        "MessageAttributeNames": ["All"],
    });
    let received = bench.call("ReceiveMessage", request).await.unwrap()["Messages"][0].clone();
    assert_eq!(received["MessageId"], sent["MessageId"]);
    assert_eq!(
        received["Attributes"],
        json!({"ApproximateReceiveCount": "1", "SentTimestamp": "1000000"})
    );
    assert_eq!(received["MessageAttributes"], attributes);
    assert_eq!(
        received["MD5OfMessageAttributes"],
        sent["MD5OfMessageAttributes"]
    );
    assert!(bench.receive(URL).await.is_empty());
    let request = json!({"QueueUrl": URL, "ReceiptHandle": received["ReceiptHandle"]});
    bench.call("DeleteMessage", request).await.unwrap();
    bench.advance(31).await;
    assert_eq!(bench.counts("Work"), (0, 0));
    // Send, three receives and delete.
    assert_eq!(bench.bill.snapshot().totals.queue_requests, 4);
}

#[tokio::test]
async fn a_message_that_nobody_deletes_ends_in_the_dead_letter_queue() {
    let bench = bench();
    bench.send("a").await;
    for receive in ["1", "2"] {
        let messages = bench.receive(URL).await;
        assert_eq!(
            messages[0]["Attributes"]["ApproximateReceiveCount"],
            receive
        );
        bench.advance(30).await;
    }
    assert!(bench.receive(URL).await.is_empty());
    assert_eq!(
        bench.queues.snapshot()["queues"]["Dead"]["messages"],
        json!(["a"])
    );
    let dead = bench.receive(DEAD).await;
    assert_eq!(
        dead[0]["Attributes"]["DeadLetterQueueSourceArn"],
        "arn:aws:sqs:eu-central-1:000000000000:work"
    );
    assert_eq!(dead[0]["Attributes"]["SentTimestamp"], "1000000");
    bench
        .call(
            "StartMessageMoveTask",
            json!({"SourceArn": "arn:aws:sqs:eu-central-1:000000000000:dead"}),
        )
        .await
        .unwrap();
    assert_eq!(bodies(&bench.receive(URL).await), ["a"]);
}

#[tokio::test]
async fn visibility_can_be_ended_early() {
    let bench = bench();
    bench.send("a").await;
    let handle = bench.receive(URL).await[0]["ReceiptHandle"].clone();
    let request = json!({"QueueUrl": URL, "ReceiptHandle": handle, "VisibilityTimeout": 0});
    bench
        .call("ChangeMessageVisibility", request.clone())
        .await
        .unwrap();
    assert_eq!(bench.counts("Work"), (1, 0));
    assert_eq!(
        bench.call("ChangeMessageVisibility", request).await,
        Err("MessageNotInflight".to_owned())
    );
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_message() {
    let bench = bench();
    let request = json!({"QueueUrl": URL, "WaitTimeSeconds": 20});
    let (answer, ()) = tokio::join!(bench.call("ReceiveMessage", request), async {
        bench.settle().await;
        bench.send("late").await;
    });
    assert_eq!(answer.unwrap()["Messages"][0]["Body"], "late");
}

#[tokio::test]
async fn a_long_poll_ends_when_the_clock_makes_a_message_visible() {
    let bench = bench();
    let request = json!({"QueueUrl": URL, "MessageBody": "later", "DelaySeconds": 60});
    bench.call("SendMessage", request).await.unwrap();
    let request = json!({"QueueUrl": URL, "WaitTimeSeconds": 20});
    let (answer, ()) = tokio::join!(bench.call("ReceiveMessage", request), bench.advance(60));
    assert_eq!(answer.unwrap()["Messages"][0]["Body"], "later");
}

#[tokio::test]
async fn a_batch_reports_each_entry() {
    let bench = bench();
    let request = json!({"QueueUrl": URL, "Entries": [
        {"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": "\u{1}"},
    ]});
    let answer = bench.call("SendMessageBatch", request).await.unwrap();
    assert_eq!(
        (&answer["Successful"][0]["Id"], &answer["Failed"][0]["Id"]),
        (&json!("a"), &json!("b"))
    );
    let handle = bench.receive(URL).await[0]["ReceiptHandle"].clone();
    let request = json!({"QueueUrl": URL, "Entries": [
        {"Id": "a", "ReceiptHandle": handle}, {"Id": "b", "ReceiptHandle": "nonsense"},
    ]});
    let answer = bench.call("DeleteMessageBatch", request).await.unwrap();
    assert_eq!(
        (&answer["Successful"][0]["Id"], &answer["Failed"][0]["Code"]),
        (&json!("a"), &json!("ReceiptHandleIsInvalid"))
    );
}

#[tokio::test]
async fn bad_requests_are_refused_by_their_names() {
    let bench = bench();
    let big = "x".repeat(1024 * 1024 + 1);
    let entries: Vec<Value> = (0..11)
        .map(|n| json!({"Id": n.to_string(), "MessageBody": "a"}))
        .collect();
    let same = [
        json!({"Id": "a", "MessageBody": "a"}),
        json!({"Id": "a", "MessageBody": "b"}),
    ];
    for (operation, body, code) in [
        (
            "SendMessage",
            json!({"QueueUrl": "http://x/1/none", "MessageBody": "a"}),
            "QueueDoesNotExist",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": URL, "MessageBody": ""}),
            "MissingParameter",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": URL, "MessageBody": big}),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": URL, "MessageBody": "a", "DelaySeconds": 901}),
            "InvalidParameterValue",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": URL, "MessageBody": "a", "MessageGroupId": "g"}),
            "ValidationException",
        ),
        (
            "SendMessageBatch",
            json!({"QueueUrl": URL, "Entries": []}),
            "EmptyBatchRequest",
        ),
        (
            "SendMessageBatch",
            json!({"QueueUrl": URL, "Entries": entries}),
            "TooManyEntriesInBatchRequest",
        ),
        (
            "SendMessageBatch",
            json!({"QueueUrl": URL, "Entries": same}),
            "BatchEntryIdsNotDistinct",
        ),
        (
            "ReceiveMessage",
            json!({"QueueUrl": URL, "MaxNumberOfMessages": 11}),
            "InvalidParameterValue",
        ),
        (
            "DeleteMessage",
            json!({"QueueUrl": URL, "ReceiptHandle": "x"}),
            "ReceiptHandleIsInvalid",
        ),
        (
            "GetQueueAttributes",
            json!({"QueueUrl": URL, "AttributeNames": ["Colour"]}),
            "InvalidAttributeName",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "x"}),
            "UnknownOperationException",
        ),
    ] {
        assert_eq!(
            bench.call(operation, body).await,
            Err(code.to_owned()),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn attributes_and_url_describe_the_queue() {
    let bench = bench();
    bench.send("a").await;
    let answer = bench
        .call("GetQueueUrl", json!({"QueueName": "work"}))
        .await
        .unwrap();
    assert_eq!(answer["QueueUrl"], URL);
    let answer = bench
        .call(
            "GetQueueAttributes",
            json!({"QueueUrl": URL, "AttributeNames": ["All"]}),
        )
        .await
        .unwrap();
    assert_eq!(answer["Attributes"]["ApproximateNumberOfMessages"], "1");
    assert!(
        answer["Attributes"]["RedrivePolicy"]
            .as_str()
            .unwrap()
            .contains(":dead")
    );
    bench
        .call("PurgeQueue", json!({"QueueUrl": URL}))
        .await
        .unwrap();
    assert_eq!(bench.counts("Work"), (0, 0));
}

#[tokio::test]
async fn a_function_is_fed_and_its_success_deletes() {
    let mut bench = bench();
    bench.send("a").await;
    bench.send("b").await;
    let seen = Arc::default();
    let _pumps = bench.feed(
        |_| {},
        handler(&seen, |event| {
            let record = &event["Records"][0];
            assert_eq!(record["eventSource"], "aws:sqs");
            assert_eq!(
                record["eventSourceARN"],
                "arn:aws:sqs:eu-central-1:000000000000:work"
            );
            assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
            Ok(Value::Null)
        }),
    );
    bench.settle().await;
    assert_eq!(*seen.lock().unwrap(), [["a", "b"]]);
    assert_eq!(bench.counts("Work"), (0, 0));
    bench.send("c").await;
    bench.settle().await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn reported_failures_alone_come_back() {
    let mut bench = bench();
    let seen = Arc::default();
    let _pumps = bench.feed(
        |_| {},
        handler(&seen, |event| {
            let records = event["Records"].as_array().unwrap().iter();
            let failed = records.filter(|record| record["body"] == "bad");
            let failed: Vec<Value> = failed
                .map(|record| json!({"itemIdentifier": record["messageId"]}))
                .collect();
            Ok(json!({"batchItemFailures": failed}))
        }),
    );
    let request = json!({"QueueUrl": URL, "Entries": [
        {"Id": "1", "MessageBody": "good"}, {"Id": "2", "MessageBody": "bad"},
    ]});
    bench.call("SendMessageBatch", request).await.unwrap();
    bench.settle().await;
    assert_eq!(bench.counts("Work"), (0, 1));
    bench.advance(30).await;
    bench.advance(30).await;
    assert_eq!(
        bench.queues.snapshot()["queues"]["Dead"]["messages"],
        json!(["bad"])
    );
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.concat().iter().filter(|body| *body == "good").count(),
        1
    );
    assert_eq!(
        seen.concat().iter().filter(|body| *body == "bad").count(),
        2
    );
}

#[tokio::test]
async fn a_failed_function_or_a_senseless_answer_keeps_the_whole_batch() {
    for answer in [
        Some(json!({"batchItemFailures": [{"itemIdentifier": "unknown"}]})),
        Some(json!("done")),
        None,
    ] {
        let mut bench = bench();
        let seen = Arc::default();
        let _pumps = bench.feed(
            |_| {},
            handler(&seen, move |_| answer.clone().ok_or(InvokeError::Throttled)),
        );
        bench.send("a").await;
        bench.settle().await;
        assert_eq!(bench.counts("Work"), (0, 1));
    }
}

#[tokio::test]
async fn a_window_gathers_until_it_has_passed_or_the_batch_is_full() {
    let mut bench = bench();
    let seen = Arc::default();
    let change = |mapping: &mut Mapping| {
        mapping.window = Duration::from_secs(5);
        mapping.batch_size = 2;
    };
    let _pumps = bench.feed(change, handler(&seen, |_| Ok(Value::Null)));
    bench.send("a").await;
    bench.advance(4).await;
    assert!(seen.lock().unwrap().is_empty());
    bench.advance(1).await;
    assert_eq!(*seen.lock().unwrap(), [["a"]]);
    bench.send("b").await;
    bench.send("c").await;
    bench.settle().await;
    assert_eq!(*seen.lock().unwrap(), [vec!["a"], vec!["b", "c"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_batches_run_at_a_time_than_the_mapping_allows() {
    let mut bench = bench();
    for body in ["a", "b", "c", "d", "e", "f"] {
        bench.send(body).await;
    }
    let (running, most, total) = (
        AtomicUsize::new(0),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let handler: Handler = Arc::new({
        let (most, total) = (Arc::clone(&most), Arc::clone(&total));
        move |_| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            running.fetch_sub(1, Ordering::SeqCst);
            total.fetch_add(1, Ordering::SeqCst);
            Ok("null".into())
        }
    });
    let change = |mapping: &mut Mapping| {
        mapping.batch_size = 1;
        mapping.max_concurrency = Some(2);
    };
    let _pumps = bench.feed(change, handler);
    while total.load(Ordering::SeqCst) < 6 {
        tokio::task::yield_now().await;
    }
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn what_a_filter_does_not_match_is_deleted_unseen() {
    let mut bench = bench();
    let seen = Arc::default();
    let change =
        |mapping: &mut Mapping| mapping.filters = vec![json!({"body": {"kind": ["wanted"]}})];
    let _pumps = bench.feed(change, handler(&seen, |_| Ok(Value::Null)));
    for kind in ["other", "wanted"] {
        bench.send(&json!({"kind": kind}).to_string()).await;
    }
    bench.settle().await;
    assert_eq!(seen.lock().unwrap().concat(), [r#"{"kind":"wanted"}"#]);
    assert_eq!(bench.counts("Work"), (0, 0));
}
