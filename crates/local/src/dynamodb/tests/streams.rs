use std::sync::Mutex;

use bytes::Bytes;

use super::super::streams::Destinations;
use super::*;
use crate::functions::{Functions, Handler, InvokeError};
use crate::model::{Destination, Mapping, Source};

/// What the function gets, batch by batch, each record as `event name:pk`.
type Batches = Arc<Mutex<Vec<Vec<String>>>>;
/// What has failed for good.
type Failed = Arc<Mutex<Vec<(Destination, Value)>>>;

fn mapping() -> Mapping {
    Mapping {
        function: "OnChange".into(),
        source: Source::Stream("Things".into()),
        batch_size: 10,
        window: Duration::ZERO,
        partial_batches: false,
        retries: Some(0),
        max_age: None,
        bisect: false,
        on_failure: None,
        max_concurrency: None,
        filters: Vec::new(),
    }
}

fn records(payload: &[u8]) -> Vec<Value> {
    let payload: Value = serde_json::from_slice(payload).unwrap();
    payload["Records"].as_array().unwrap().clone()
}

fn name(record: &Value) -> String {
    let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap();
    format!("{}:{pk}", record["eventName"].as_str().unwrap())
}

fn crash() -> InvokeError {
    InvokeError::Exited {
        status: "killed".into(),
    }
}

struct Streaming {
    world: World,
    batches: Batches,
    failed: Failed,
    faults: Faults,
    _tasks: tokio::task::JoinSet<()>,
}

impl Streaming {
    fn start(
        mapping: Mapping,
        answer: impl Fn(&[Value]) -> Result<Value, InvokeError> + Send + Sync + 'static,
    ) -> Self {
        Self::on(World::new(), mapping, answer)
    }

    fn on(
        world: World,
        mapping: Mapping,
        answer: impl Fn(&[Value]) -> Result<Value, InvokeError> + Send + Sync + 'static,
    ) -> Self {
        let (batches, failed) = (Batches::default(), Failed::default());
        let seen = Arc::clone(&batches);
        let handler: Handler = Arc::new(move |payload: Bytes| {
            let records = records(&payload);
            seen.lock()
                .unwrap()
                .push(records.iter().map(name).collect());
            answer(&records).map(|answer| answer.to_string().into())
        });
        let handlers = [("OnChange".to_owned(), handler)].into();
        let kept = Arc::clone(&failed);
        let faults = Faults::new(&stack(), 0);
        let functions = Functions::in_process(handlers, world.clock.clone());
        functions.set_faults(faults.clone());
        let destinations = Destinations {
            functions,
            deliver: Arc::new(move |to, record| {
                let record = serde_json::from_str(&record).unwrap();
                kept.lock().unwrap().push((to.clone(), record));
            }),
        };
        let stack = Stack {
            mappings: vec![mapping],
            ..stack()
        };
        let tasks = world.db.start_streams(&stack, &destinations).unwrap();
        Self {
            world,
            batches,
            failed,
            faults,
            _tasks: tasks,
        }
    }

    /// Waits for the streams, moving the clock on for retries.
    async fn idle(&self) {
        let idle = self.world.db.streams_idle();
        tokio::pin!(idle);
        loop {
            tokio::select! {
                () = &mut idle => return,
                () = tokio::time::sleep(Duration::from_millis(5)) => {
                    let _ = self.world.clock.advance(Duration::from_secs(1));
                }
            }
        }
    }

    fn batches(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.batches.lock().unwrap())
    }
}

#[tokio::test]
async fn a_change_reaches_the_function_as_lambda_hands_it_over() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let streaming = Streaming::start(mapping(), move |records| {
        keep.lock().unwrap().extend(records.to_vec());
        Ok(Value::Null)
    });
    let item = json!({"pk": {"S": "a"}, "n": {"N": "1"}});
    streaming
        .world
        .call("PutItem", json!({"TableName": "things", "Item": item}))
        .await;
    streaming.world.db.streams_idle().await;
    let record = seen.lock().unwrap()[0].clone();
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["eventVersion"], "1.1");
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["awsRegion"], "eu-central-1");
    assert_eq!(record["eventSourceARN"], json!(arns().stream("things")));
    let change = &record["dynamodb"];
    assert_eq!(
        change["ApproximateCreationDateTime"],
        streaming.world.clock.now().as_second()
    );
    assert_eq!(change["Keys"], json!({"pk": {"S": "a"}}));
    assert_eq!(change["NewImage"], item);
    assert_eq!(change.get("OldImage"), None);
    assert_eq!(change["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(change["SequenceNumber"].as_str().unwrap().len(), 21);
}

#[tokio::test]
async fn changes_come_in_order_and_a_write_that_changes_nothing_does_not_come() {
    let streaming = Streaming::start(mapping(), |_| Ok(Value::Null));
    for pk in ["a", "b", "b", "c"] {
        streaming.world.put(pk, "name").await;
    }
    let delete = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
    streaming.world.call("DeleteItem", delete).await;
    streaming.world.db.streams_idle().await;
    let seen: Vec<_> = streaming.batches().into_iter().flatten().collect();
    assert_eq!(seen, ["INSERT:a", "INSERT:b", "INSERT:c", "REMOVE:a"]);
}

#[tokio::test]
async fn only_what_a_filter_takes_reaches_the_function() {
    let filters =
        vec![json!({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"name": {"S": ["yes"]}}}})];
    let streaming = Streaming::start(
        Mapping {
            filters,
            ..mapping()
        },
        |_| Ok(Value::Null),
    );
    streaming.world.put("a", "no").await;
    streaming.world.put("a", "yes").await;
    streaming.world.put("b", "yes").await;
    streaming.world.db.streams_idle().await;
    let seen: Vec<_> = streaming.batches().into_iter().flatten().collect();
    assert_eq!(seen, ["INSERT:b"]);
}

#[tokio::test]
async fn a_partial_answer_goes_on_from_the_lowest_record_that_failed() {
    let failing = Arc::new(Mutex::new(true));
    let once = Arc::clone(&failing);
    let partial = Mapping {
        partial_batches: true,
        retries: Some(5),
        ..mapping()
    };
    let world = World::new();
    for pk in ["a", "b", "c"] {
        world.put(pk, "name").await;
    }
    let streaming = Streaming::on(world, partial, move |records| {
        let failed = records.iter().find(|record| name(record) == "INSERT:b");
        let fail = std::mem::take(&mut *once.lock().unwrap());
        let failed = failed
            .filter(|_| fail)
            .map(|record| json!({"itemIdentifier": record["dynamodb"]["SequenceNumber"]}));
        Ok(json!({"batchItemFailures": failed.into_iter().collect::<Vec<_>>()}))
    });
    streaming.world.put("d", "name").await;
    streaming.idle().await;
    let batches = streaming.batches();
    assert_eq!(batches[0][..3], ["INSERT:a", "INSERT:b", "INSERT:c"]);
    assert_eq!(batches[1][..2], ["INSERT:b", "INSERT:c"]);
    assert_eq!(
        batches
            .concat()
            .iter()
            .filter(|name| *name == "INSERT:d")
            .count(),
        1 + usize::from(batches[0].len() == 4)
    );
}

#[tokio::test]
async fn a_batch_is_split_until_the_failing_record_is_alone_and_that_goes_to_the_bucket() {
    let bucket = Destination::Bucket("Failed".into());
    let split = Mapping {
        bisect: true,
        retries: Some(1),
        on_failure: Some(bucket.clone()),
        ..mapping()
    };
    let world = World::new();
    for pk in ["a", "b", "c", "d"] {
        world.put(pk, "name").await;
    }
    let streaming = Streaming::on(world, split, |records| {
        if records.iter().any(|record| name(record) == "INSERT:c") {
            Err(crash())
        } else {
            Ok(Value::Null)
        }
    });
    // Wakes a reader that was started after the writes.
    streaming.world.put("e", "name").await;
    streaming.idle().await;
    let batches = streaming.batches();
    assert_eq!(
        batches
            .iter()
            .filter(|batch| **batch == ["INSERT:c"])
            .count(),
        2,
        "{batches:?}"
    );
    assert!(
        batches.concat().contains(&"INSERT:d".to_owned()),
        "{batches:?}"
    );
    let failed = streaming.failed.lock().unwrap();
    assert_eq!(failed.len(), 1);
    let (to, record) = &failed[0];
    assert_eq!(*to, bucket);
    assert_eq!(
        record["requestContext"]["condition"],
        "RetryAttemptsExhausted"
    );
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["DDBStreamBatchInfo"]["batchSize"], 1);
    let payload = record["payload"].as_str().unwrap();
    assert_eq!(
        records(payload.as_bytes())
            .iter()
            .map(name)
            .collect::<Vec<_>>(),
        ["INSERT:c"]
    );
}

#[tokio::test]
async fn a_queue_gets_only_the_position_of_what_failed() {
    let queue = Destination::Queue("Dead".into());
    let to_queue = Mapping {
        on_failure: Some(queue.clone()),
        ..mapping()
    };
    let streaming = Streaming::start(to_queue, |_| Err(crash()));
    streaming.world.put("a", "name").await;
    streaming.idle().await;
    let failed = streaming.failed.lock().unwrap();
    assert_eq!(failed[0].0, queue);
    assert_eq!(failed[0].1.get("payload"), None);
    let batch = &failed[0].1["DDBStreamBatchInfo"];
    assert_eq!(batch["startSequenceNumber"], batch["endSequenceNumber"]);
}

#[tokio::test]
async fn a_failing_batch_blocks_the_stream_until_it_is_too_old() {
    let aging = Mapping {
        retries: None,
        max_age: Some(Duration::from_mins(5)),
        on_failure: Some(Destination::Queue("Dead".into())),
        ..mapping()
    };
    let streaming = Streaming::start(aging, |_| Err(crash()));
    streaming.world.put("a", "name").await;
    streaming.idle().await;
    let tries = streaming.batches().len();
    // Waits of 1, 2, 4, ... 60, 60 seconds within five minutes.
    assert!((6..=12).contains(&tries), "{tries}");
    let failed = streaming.failed.lock().unwrap();
    assert_eq!(
        failed[0].1["requestContext"]["condition"],
        "RecordAgeExceeded"
    );
}

#[tokio::test]
async fn a_window_gathers_records_until_it_closes() {
    let window = Mapping {
        window: Duration::from_secs(5),
        ..mapping()
    };
    let streaming = Streaming::start(window, |_| Ok(Value::Null));
    streaming.world.put("a", "name").await;
    streaming.world.put("b", "name").await;
    assert_eq!(streaming.batches(), Vec::<Vec<String>>::new());
    streaming.idle().await;
    assert_eq!(streaming.batches(), [["INSERT:a", "INSERT:b"]]);
}

#[tokio::test]
async fn a_reader_goes_on_where_the_one_before_it_ended() {
    let data = tempfile::tempdir().unwrap();
    let world = World::of(&stack(), Some(data.path()));
    let streaming = Streaming::on(world, mapping(), |_| Ok(Value::Null));
    streaming.world.put("a", "name").await;
    streaming.world.db.streams_idle().await;
    assert_eq!(streaming.batches(), [["INSERT:a"]]);
    drop(streaming);
    let world = World::of(&stack(), Some(data.path()));
    world.put("b", "name").await;
    let streaming = Streaming::on(world, mapping(), |_| Ok(Value::Null));
    streaming.world.put("c", "name").await;
    streaming.world.db.streams_idle().await;
    let seen: Vec<_> = streaming.batches().into_iter().flatten().collect();
    assert_eq!(seen, ["INSERT:b", "INSERT:c"]);
}

#[tokio::test]
async fn records_that_every_mapping_has_read_are_forgotten() {
    let streaming = Streaming::start(mapping(), |_| Ok(Value::Null));
    for n in 0..30 {
        streaming.world.put(&n.to_string(), "name").await;
    }
    streaming.world.db.streams_idle().await;
    let kept = positions::records(&streaming.world.db.shared.engine, "things", 0, 1000).unwrap();
    assert_eq!(
        kept.len(),
        1,
        "the last stays, as sequence numbers go on from it"
    );
}

#[test]
fn a_mapping_with_an_invalid_filter_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let world = World::new();
    let destinations = Destinations {
        functions: Functions::in_process(BTreeMap::new(), world.clock.clone()),
        deliver: Arc::new(|_, _| {}),
    };
    let filters = vec![json!({"eventName": "INSERT"})];
    let stack = Stack {
        mappings: vec![Mapping {
            filters,
            ..mapping()
        }],
        ..stack()
    };
    let error = world.db.start_streams(&stack, &destinations).unwrap_err();
    assert!(
        error.contains("OnChange") && error.contains("filter"),
        "{error}"
    );
}

#[tokio::test]
async fn a_fault_delivers_a_batch_twice() {
    let streaming = Streaming::start(mapping(), |_| Ok(Value::Null));
    let fault = streaming
        .faults
        .set_text(&["dynamodb:Deliver@on-change=duplicate#1"]);
    fault.unwrap();
    streaming.world.put("a", "name").await;
    streaming.world.db.streams_idle().await;
    streaming.world.put("b", "name").await;
    streaming.world.db.streams_idle().await;
    assert_eq!(
        streaming.batches(),
        [["INSERT:a"], ["INSERT:a"], ["INSERT:b"]]
    );
}
