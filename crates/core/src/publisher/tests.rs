//! Publishing, with the event log on the embedded DynamoDB and a bus that the test stands in for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::publish::{Publisher, publish_events};
use super::redrive::Redrive;
use super::tables::Service;
use crate::aws::Aws;
use crate::aws::dynamo::Table;
use crate::aws::settings::Setting;
use crate::customers::rules::REGISTERED;
use crate::event_log::store::EventLog;
use crate::runtime::Error;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;
use crate::values::stream::StreamBatch;

/// The entries of each call that was made to the bus.
type Calls = Arc<Mutex<Vec<Vec<Value>>>>;

/// The messages that were sent.
type Messages = Arc<Mutex<Vec<Value>>>;

struct Shop {
    aws: Aws,
    engine: Engine,
    publisher: Publisher,
    log: EventLog,
    calls: Calls,
    set_aside: Messages,
}

fn now() -> Time {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

/// Returns a shop whose bus refuses an entry if `refuses` says so, given the entry's detail and the number of
/// earlier calls.
fn shop(refuses: impl Fn(&Value, usize) -> bool + Send + 'static) -> Shop {
    shop_whose_bus(move |detail, calls| refuses(detail, calls).then_some("ThrottlingException"))
}

/// Returns a shop whose bus refuses an entry with the error code that `refusal` returns, given the entry's detail and
/// the number of earlier calls.
fn shop_whose_bus(
    refusal: impl Fn(&Value, usize) -> Option<&'static str> + Send + 'static,
) -> Shop {
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
                match refusal(&detail, calls.len()) {
                    Some(code) => json!({"ErrorCode": code, "ErrorMessage": "no"}),
                    None => json!({"EventId": "1"}),
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
    let set_aside = Messages::default();
    let sent = Arc::clone(&set_aside);
    engine.answer_others("SendMessage", move |request| {
        let body = request["MessageBody"].as_str().unwrap();
        sent.lock()
            .unwrap()
            .push(serde_json::from_str(body).unwrap());
        (200, json!({"MessageId": "1"}))
    });
    Shop {
        publisher: Publisher::new(&aws).unwrap(),
        log: EventLog::new(&aws).unwrap(),
        aws,
        engine,
        calls,
        set_aside,
    }
}

fn customer(name: &str) -> CustomerId {
    CustomerId::derived(&[name])
}

/// Returns a customer at `version`, as it is stored.
fn item(name: &str, version: u64) -> Value {
    json!({
        "pk": format!("customer#{}", customer(name)),
        "customer_id": customer(name),
        "email": "ana@example.com",
        "roles": ["customer"],
        "version": version,
        "event": Stamp::new(customer(name), version, REGISTERED, now()),
    })
}

/// Returns the image of a customer at `version`, as the stream has it.
fn image(name: &str, version: u64) -> Value {
    let item: serde_dynamo::Item = serde_dynamo::to_item(item(name, version)).unwrap();
    serde_json::to_value(item).unwrap()
}

fn record(sequence: usize, old: Value, new: Value) -> Value {
    let key = json!({"pk": {"S": format!("customer#{sequence}")}});
    let mut change = json!({"SequenceNumber": sequence.to_string(), "Keys": key});
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

    fn set_aside(&self) -> Vec<Value> {
        self.set_aside.lock().unwrap().clone()
    }

    /// Lets the queue deliver `message` once. Returns the receipts of the messages that are deleted.
    fn queue(&self, message: String) -> Arc<Mutex<Vec<String>>> {
        let mut messages = vec![json!({"Body": message, "ReceiptHandle": "receipt"})];
        self.engine.answer_others("ReceiveMessage", move |_| {
            (200, json!({"Messages": std::mem::take(&mut messages)}))
        });
        let deleted = Arc::new(Mutex::new(Vec::new()));
        let receipts = Arc::clone(&deleted);
        self.engine.answer_others("DeleteMessage", move |request| {
            let receipt = request["ReceiptHandle"].as_str().unwrap().to_owned();
            receipts.lock().unwrap().push(receipt);
            (200, json!({}))
        });
        deleted
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
async fn a_change_that_can_never_be_published_is_set_aside_alone() {
    let shop = shop(|_, _| false);
    let mut records = new_customers(4);
    records[1] = record(1, Value::Null, unpublishable());
    assert_eq!(shop.publish(&records).await.unwrap(), all_published());
    assert_eq!(shop.put(), names([0, 2, 3]));
    let set_aside = shop.set_aside();
    assert_eq!(set_aside.len(), 1);
    assert_eq!(set_aside[0]["key"], json!({"pk": {"S": "customer#1"}}));
    assert_eq!(set_aside[0]["sequence_number"], "1");
    let reason = "the item does not have the shape of its service";
    assert_eq!(set_aside[0]["reason"], reason);
}

#[tokio::test]
async fn an_event_that_the_bus_will_never_take_is_set_aside_alone() {
    for code in ["InvalidArgument", "MalformedDetail", "RedactionFailure"] {
        let second = customer("1").to_string();
        let shop =
            shop_whose_bus(move |detail, _| (detail["aggregate_id"] == second).then_some(code));
        let records = new_customers(4);
        assert_eq!(shop.publish(&records).await.unwrap(), all_published());
        assert_eq!(shop.put(), names([0, 1, 2, 3]), "{code} is not tried again");
        let set_aside = shop.set_aside();
        assert_eq!(set_aside.len(), 1, "{code}");
        assert_eq!(set_aside[0]["sequence_number"], "1");
        let reason = "the bus refused what the event contains";
        assert_eq!(set_aside[0]["reason"], reason);
    }
}

#[tokio::test]
async fn what_an_operator_can_mend_is_delivered_again() {
    for code in [
        "InternalFailure",
        "AccessDeniedException",
        "InvalidAccountIdException",
        "NotAuthorizedForSourceException",
        "NotAuthorizedForDetailTypeException",
    ] {
        let shop = shop_whose_bus(move |_, _| Some(code));
        let response = shop.publish(&new_customers(1)).await.unwrap();
        assert_eq!(response, retry_from(0), "{code}");
        assert_eq!(shop.set_aside(), Vec::<Value>::new(), "{code}");
    }
}

#[tokio::test]
async fn an_event_that_the_bus_will_never_take_before_one_that_failed_is_set_aside() {
    let (first, third) = (customer("0").to_string(), customer("2").to_string());
    let shop = shop_whose_bus(move |detail, _| {
        let never = (detail["aggregate_id"] == first).then_some("MalformedDetail");
        never.or((detail["aggregate_id"] == third).then_some("ThrottlingException"))
    });
    let response = shop.publish(&new_customers(3)).await.unwrap();
    assert_eq!(response, retry_from(2));
    assert_eq!(shop.set_aside().len(), 1);
}

#[tokio::test]
async fn what_is_set_aside_tells_nothing_of_the_item() {
    let shop = shop(|_, _| false);
    let mut image = image("0", 1);
    // The error of the deserialiser would quote it.
    image["roles"] = json!({"S": "ana@example.com"});
    image["name"] = json!({"S": "Ana"});
    let records = [record(0, Value::Null, image)];
    assert_eq!(shop.publish(&records).await.unwrap(), all_published());
    let set_aside = &shop.set_aside()[0];
    assert_eq!(set_aside["stamp"]["type"], REGISTERED);
    let text = set_aside.to_string();
    assert!(!text.contains("ana@") && !text.contains("Ana"), "{text}");
}

#[tokio::test]
async fn a_change_that_cannot_be_set_aside_is_delivered_again() {
    let shop = shop(|_, _| false);
    shop.engine
        .answer_others("SendMessage", |_| (400, json!({"__type": "AccessDenied"})));
    let mut records = new_customers(4);
    records[2] = record(2, Value::Null, unpublishable());
    assert_eq!(shop.publish(&records).await.unwrap(), retry_from(2));
}

#[tokio::test]
async fn a_change_behind_one_that_failed_is_not_set_aside_yet() {
    let first = customer("0").to_string();
    let shop = shop(move |detail, _| detail["aggregate_id"] == first);
    let mut records = new_customers(3);
    records[2] = record(2, Value::Null, unpublishable());
    assert_eq!(shop.publish(&records).await.unwrap(), retry_from(0));
    assert_eq!(shop.set_aside(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_event_of_an_unknown_table_is_set_aside() {
    let shop = shop(|_, _| false);
    let mut record = record(0, Value::Null, image("0", 1));
    record["eventSourceARN"] = json!("arn:aws:dynamodb:eu-central-1:1:table/other/stream/x");
    assert_eq!(shop.publish(&[record]).await.unwrap(), all_published());
    let reason = "the table belongs to no service with events";
    assert_eq!(shop.set_aside()[0]["reason"], reason);
}

#[tokio::test]
async fn what_was_set_aside_is_published_with_its_own_id_once_it_can_be() {
    let shop = shop(|_, _| false);
    let mut broken = record(0, Value::Null, image("0", 1));
    broken["dynamodb"]["NewImage"]["roles"] = json!({"S": "admin"});
    broken["dynamodb"]["Keys"]["pk"]["S"] = item("0", 1)["pk"].clone();
    shop.publish(&[broken]).await.unwrap();
    // Mended, and changed once more in the meantime.
    let table = Table::new(&shop.aws, Setting::CustomersTable).unwrap();
    let put = table.put(&item("0", 2)).unwrap();
    table.write(put).await.unwrap();
    let message = shop.set_aside()[0].to_string();
    let deleted = shop.queue(message);
    let redrive = Redrive::new(&shop.aws).unwrap();
    let redriven = redrive.next().await.unwrap();
    assert!(redriven[0].outcome.is_ok(), "{redriven:?}");
    assert_eq!(shop.put(), names([0]));
    let history = shop.log.history(customer("0")).await.unwrap();
    let stamp = Stamp::new(customer("0"), 1, REGISTERED, now());
    assert_eq!((history[0].event_id, history[0].version), (stamp.id, 1));
    assert_eq!(*deleted.lock().unwrap(), ["receipt"]);
    assert!(redrive.next().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_still_cannot_be_published_stays_in_the_queue() {
    let shop = shop(|_, _| false);
    let records = [record(0, Value::Null, unpublishable())];
    shop.publish(&records).await.unwrap();
    let message = shop.set_aside()[0].to_string();
    let deleted = shop.queue(message);
    let redriven = Redrive::new(&shop.aws).unwrap().next().await.unwrap();
    let reason = redriven[0].outcome.as_ref().unwrap_err().to_string();
    assert_eq!(reason, "the item does not exist any more");
    assert!(deleted.lock().unwrap().is_empty());
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
        shop.publish(&[record]).await.unwrap();
        let set_aside = shop.set_aside();
        let reason = &set_aside.last().unwrap()["reason"];
        assert_eq!(
            *reason, "the item does not have the shape of its service",
            "{source}"
        );
    }
}

#[test]
fn audits_read_every_table_with_events() {
    let published = Service::ALL.iter().map(|service| service.source());
    let read = crate::integrity::tables::SOURCES.iter();
    let read: BTreeSet<&str> = read.map(|source| source.name).collect();
    assert_eq!(read, published.collect());
}
