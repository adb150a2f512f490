//! Functions that are fed.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use super::*;
use crate::faults::Faults;
use crate::functions::{Functions, Handler, InvokeError};
use crate::model::{Mapping, Source};

impl Bench {
    /// Feeds `handler` from `Work`; the mapping lives as long as the returned set.
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
        if let Some(faults) = &self.faults {
            functions.set_faults(faults.clone());
        }
        self.queues.start_mappings(&self.stack, &functions).unwrap()
    }
}

/// Remembers the bodies of each batch, and returns `answer` of the event.
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
async fn messages_that_a_function_has_handled_are_deleted() {
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

#[tokio::test]
async fn a_duplicated_delivery_happens_twice() {
    let mut bench = bench();
    let faults = Faults::new(&bench.stack, 1);
    faults.set_text(&["sqs:Deliver@*=duplicate"]).unwrap();
    bench.faults = Some(faults);
    let seen = Arc::default();
    let _pumps = bench.feed(|_| {}, handler(&seen, |_| Ok(Value::Null)));
    bench.send("a").await;
    bench.settle().await;
    assert_eq!(*seen.lock().unwrap(), [["a"], ["a"]]);
    assert_eq!(bench.counts("Work"), (0, 0));
}

#[tokio::test]
async fn a_fault_hands_messages_over_in_another_order() {
    let mut bench = bench();
    let faults = Faults::new(&bench.stack, 1);
    faults.set_text(&["sqs:Poll@*=reorder"]).unwrap();
    bench.faults = Some(faults);
    let sent = ["a", "b", "c", "d", "e"];
    for body in sent {
        bench.send(body).await;
    }
    let seen = Arc::default();
    let _pumps = bench.feed(|_| {}, handler(&seen, |_| Ok(Value::Null)));
    bench.settle().await;
    let mut seen = seen.lock().unwrap().concat();
    assert_ne!(seen, sent);
    seen.sort_unstable();
    assert_eq!(seen, sent);
    assert_eq!(bench.counts("Work"), (0, 0));
}
