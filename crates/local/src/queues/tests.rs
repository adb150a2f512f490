//! The API and the mappings, on a manual clock.

use super::*;
use crate::aws::Caller;
use crate::faults::Faults;

mod mappings;

struct Bench {
    queues: Queues,
    clock: Clock,
    bill: Bill,
    stack: Stack,
    /// What goes wrong when functions are fed.
    faults: Option<Faults>,
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
    let (bill, arns) = (Bill::new(&stack), Arns::for_stack("eu-central-1", &stack));
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
        faults: None,
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
