//! Publishing, with the event log on the embedded DynamoDB and a bus that the test stands in for.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::publish::{Publisher, publish_events};
use super::stream::StreamBatch;
use crate::aws::settings::Setting;
use crate::customers::rules::REGISTERED;
use crate::event_log::store::EventLog;
use crate::runtime::Error;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// The entries of each call that was made to the bus.
type Calls = Arc<Mutex<Vec<Vec<Value>>>>;

struct Shop {
    engine: Engine,
    publisher: Publisher,
    log: EventLog,
    calls: Calls,
}

fn now() -> Time {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

/// Returns a shop whose bus refuses an entry if `refuses` says so, given the entry's detail and the number of
/// earlier calls.
fn shop(refuses: impl Fn(&Value, usize) -> bool + Send + 'static) -> Shop {
    let (aws, engine) = testing::aws();
    let calls = Calls::default();
    let noted = Arc::clone(&calls);
    engine.answer_others("PutEvents", move |request| {
        let mut calls = noted.lock().unwrap();
        let entries = request["Entries"].as_array().unwrap().clone();
        let results: Vec<Value> = entries
            .iter()
            .map(|entry| {
                let detail = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
                if refuses(&detail, calls.len()) {
                    json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "slowly"})
                } else {
                    json!({"EventId": "1"})
                }
            })
            .collect();
        calls.push(entries);
        let failed = results
            .iter()
            .filter(|result| result.get("ErrorCode").is_some());
        (
            200,
            json!({"FailedEntryCount": failed.count(), "Entries": results}),
        )
    });
    Shop {
        publisher: Publisher::new(&aws).unwrap(),
        log: EventLog::new(&aws).unwrap(),
        engine,
        calls,
    }
}

fn customer(name: &str) -> CustomerId {
    CustomerId::derived(&[name])
}

/// Returns the image of a customer at `version`, as the stream has it.
fn image(name: &str, version: u64) -> Value {
    let item = json!({
        "pk": format!("customer#{}", customer(name)),
        "customer_id": customer(name),
        "email": "ana@example.com",
        "roles": ["customer"],
        "version": version,
        "event": Stamp::new(customer(name), version, REGISTERED, now()),
    });
    let item: serde_dynamo::Item = serde_dynamo::to_item(item).unwrap();
    serde_json::to_value(item).unwrap()
}

fn record(sequence: usize, old: Value, new: Value) -> Value {
    let mut change = json!({"SequenceNumber": sequence.to_string(), "Keys": {}});
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if !image.is_null() {
            change[name] = image;
        }
    }
    let table = Setting::CustomersTable.name();
    json!({
        "eventID": "1",
        "eventName": "MODIFY",
        "eventSourceARN": format!(
            "arn:aws:dynamodb:eu-central-1:123456789012:table/{table}/stream/2026-03-01T00:00:00.000"
        ),
        "dynamodb": change,
    })
}

/// Returns the records `0..count`, each of a new customer.
fn new_customers(count: usize) -> Vec<Value> {
    let record = |n: usize| record(n, Value::Null, image(&n.to_string(), 1));
    (0..count).map(record).collect()
}

/// Returns an image that has an event but not the shape of any service.
fn unpublishable() -> Value {
    json!({"pk": {"S": "x"}, "event": {"M": {"id": {"S": "y"}}}})
}

impl Shop {
    async fn publish(&self, records: &[Value]) -> Result<Value, Error> {
        let batch: StreamBatch = serde_json::from_value(json!({"Records": records})).unwrap();
        let response = publish_events(&self.publisher, batch).await?;
        Ok(serde_json::to_value(response).unwrap())
    }

    /// Returns the aggregates of all entries that were put, in their order.
    fn put(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().flatten().map(aggregate).collect()
    }

    fn logged(&self) -> usize {
        self.engine.items(Setting::EventLogTable).len()
    }
}

fn aggregate(entry: &Value) -> String {
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    detail["aggregate_id"].as_str().unwrap().to_owned()
}

fn all_published() -> Value {
    json!({"batchItemFailures": []})
}

fn retry_from(sequence: usize) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": sequence.to_string()}]})
}

fn names(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let id = |n: usize| customer(&n.to_string()).to_string();
    numbers.into_iter().map(id).collect()
}

#[tokio::test]
async fn an_event_is_put_on_the_bus_and_into_the_log() {
    let shop = shop(|_, _| false);
    assert_eq!(
        shop.publish(&new_customers(1)).await.unwrap(),
        all_published()
    );
    let entry = shop.calls.lock().unwrap()[0][0].clone();
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let history = shop.log.history(customer("0")).await.unwrap();
    assert_eq!(detail, serde_json::to_value(&history[0]).unwrap());
    assert_eq!(entry["Source"], "oxcart.customers");
    assert_eq!(entry["DetailType"], "CustomerRegistered");
    assert_eq!(entry["EventBusName"], Setting::BusName.name());
    assert_eq!(entry["Time"], now().as_seconds());
}

#[tokio::test]
async fn only_a_change_of_the_event_is_an_event() {
    let shop = shop(|_, _| false);
    let mut touched = image("0", 1);
    touched["name"] = json!({"S": "Anna"});
    let records = [
        // Written again without a new event, removed, and written as an item that has no event.
        record(0, image("0", 1), touched),
        record(1, image("0", 1), Value::Null),
        record(
            2,
            Value::Null,
            json!({"pk": {"S": "email#ana@example.com"}}),
        ),
    ];
    assert_eq!(shop.publish(&records).await.unwrap(), all_published());
    assert_eq!((shop.put().len(), shop.logged()), (0, 0));
    let changed = [record(3, image("0", 1), image("0", 2))];
    assert_eq!(shop.publish(&changed).await.unwrap(), all_published());
    assert_eq!((shop.put().len(), shop.logged()), (1, 1));
}

#[tokio::test]
async fn events_are_put_ten_at_a_time_in_their_order() {
    let shop = shop(|_, _| false);
    assert_eq!(
        shop.publish(&new_customers(25)).await.unwrap(),
        all_published()
    );
    let sizes: Vec<usize> = shop.calls.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(shop.put(), names(0..25));
    assert_eq!(shop.logged(), 25);
}

#[tokio::test]
async fn a_batch_that_is_delivered_twice_is_logged_once_and_put_with_the_same_ids() {
    let shop = shop(|_, _| false);
    shop.publish(&new_customers(3)).await.unwrap();
    let before = shop.engine.items(Setting::EventLogTable);
    shop.publish(&new_customers(3)).await.unwrap();
    assert_eq!(shop.engine.items(Setting::EventLogTable).len(), 3);
    assert_eq!(before.len(), 3);
    let calls = shop.calls.lock().unwrap();
    assert_eq!(calls[0], calls[1]);
}

#[tokio::test]
async fn the_history_of_an_aggregate_has_its_events_in_order() {
    let shop = shop(|_, _| false);
    let mut records = vec![record(0, Value::Null, image("ana", 1))];
    records.extend((1..12).map(|n| {
        let version = u64::try_from(n).unwrap();
        record(n, image("ana", version), image("ana", version + 1))
    }));
    records.push(record(99, Value::Null, image("bob", 1)));
    shop.publish(&records).await.unwrap();
    let history = shop.log.history(customer("ana")).await.unwrap();
    let versions: Vec<u64> = history.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_entry_that_the_bus_refuses_is_put_again_alone() {
    let third = customer("3").to_string();
    let shop = shop(move |detail, call| detail["aggregate_id"] == third && call < 2);
    assert_eq!(
        shop.publish(&new_customers(5)).await.unwrap(),
        all_published()
    );
    assert_eq!(shop.put(), names([0, 1, 2, 3, 4, 3, 3]));
}

#[tokio::test]
async fn a_batch_is_delivered_again_from_an_entry_that_the_bus_keeps_refusing() {
    let twelfth = customer("12").to_string();
    let shop = shop(move |detail, _| detail["aggregate_id"] == twelfth);
    assert_eq!(
        shop.publish(&new_customers(25)).await.unwrap(),
        retry_from(12)
    );
    // Nothing of a later call is put before it.
    assert_eq!(shop.put().len(), 10 + 10 + 3);
    assert!(!shop.put().contains(&names([20])[0]));
}

#[tokio::test]
async fn a_batch_is_delivered_again_from_the_call_that_failed() {
    let shop = shop(|_, _| false);
    let calls = Arc::new(Mutex::new(0));
    shop.engine.answer_others("PutEvents", move |request| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        if *calls == 1 {
            let count = request["Entries"].as_array().unwrap().len();
            let results = vec![json!({"EventId": "1"}); count];
            (200, json!({"FailedEntryCount": 0, "Entries": results}))
        } else {
            (500, json!({"__type": "InternalException"}))
        }
    });
    let records = new_customers(25);
    assert_eq!(shop.publish(&records).await.unwrap(), retry_from(10));
    // The log was a call ahead; the next delivery writes nothing twice.
    assert_eq!((shop.put().len(), shop.logged()), (0, 25));
    shop.engine.answer_others("PutEvents", |request| {
        let count = request["Entries"].as_array().unwrap().len();
        let results = vec![json!({"EventId": "1"}); count];
        (200, json!({"FailedEntryCount": 0, "Entries": results}))
    });
    assert_eq!(shop.publish(&records[10..]).await.unwrap(), all_published());
    assert_eq!(shop.logged(), 25);
}

#[tokio::test]
async fn an_event_that_the_log_does_not_take_is_not_put_and_delivered_again() {
    let shop = shop(|_, _| false);
    // As often as the SDK tries, for one of the writes.
    for _ in 0..3 {
        shop.engine.fail_next("PutItem", Fault::Failed);
    }
    let response = shop.publish(&new_customers(1)).await.unwrap();
    assert_eq!(response, retry_from(0));
    assert_eq!((shop.put().len(), shop.logged()), (0, 0));
    assert_eq!(
        shop.publish(&new_customers(1)).await.unwrap(),
        all_published()
    );
    assert_eq!((shop.put().len(), shop.logged()), (1, 1));
}

#[tokio::test]
async fn changes_before_one_that_cannot_be_published_are_published() {
    let shop = shop(|_, _| false);
    let mut records = new_customers(4);
    records[2] = record(2, Value::Null, unpublishable());
    assert_eq!(shop.publish(&records).await.unwrap(), retry_from(2));
    assert_eq!(shop.put(), names(0..2));
    assert_eq!(shop.logged(), 2);
}

#[tokio::test]
async fn a_batch_that_begins_with_a_change_that_cannot_be_published_fails_as_a_whole() {
    let shop = shop(|_, _| false);
    let mut records = new_customers(4);
    records[0] = record(0, Value::Null, unpublishable());
    let error = shop.publish(&records).await.unwrap_err();
    assert_eq!(error.to_string(), "the change 0 cannot be published");
    assert!(shop.publish(&records[..1]).await.is_err());
    assert_eq!((shop.put().len(), shop.logged()), (0, 0));
    assert_eq!(shop.publish(&records[1..]).await.unwrap(), all_published());
    assert_eq!(shop.put(), names(1..4));
}

#[tokio::test]
async fn an_event_of_an_unknown_table_is_never_skipped() {
    let shop = shop(|_, _| false);
    let mut record = record(0, Value::Null, image("0", 1));
    record["eventSourceARN"] = json!("arn:aws:dynamodb:eu-central-1:1:table/other/stream/x");
    assert!(shop.publish(&[record]).await.is_err());
}

#[tokio::test]
async fn every_table_with_events_has_an_owner() {
    let shop = shop(|_, _| false);
    for (setting, source) in [
        (Setting::ProductsTable, "oxcart.catalog"),
        (Setting::CustomersTable, "oxcart.customers"),
        (Setting::InventoryTable, "oxcart.inventory"),
        (Setting::OrdersTable, "oxcart.orders"),
        (Setting::PaymentsTable, "oxcart.payments"),
        (Setting::PricingTable, "oxcart.pricing"),
    ] {
        // No service has items of this shape: the table has an owner if the error is about the shape.
        let mut record = record(0, Value::Null, unpublishable());
        let arn = format!(
            "arn:aws:dynamodb:eu-central-1:1:table/{}/stream/x",
            setting.name()
        );
        record["eventSourceARN"] = json!(arn);
        let error = shop.publish(&[record]).await.unwrap_err();
        let reason = error.source().unwrap().to_string();
        assert_eq!(
            reason, "the item does not have the shape of its service",
            "{source}"
        );
    }
}
