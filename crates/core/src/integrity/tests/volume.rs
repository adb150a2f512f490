//! Audits of more than fits into a request, a piece or a run.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::world::{World, minutes};
use crate::aws::dynamo::{Key, Table};
use crate::aws::settings::Setting;
use crate::integrity::audit::{AuditRequest, audit_integrity};
use crate::integrity::model::Subject;
use crate::integrity::store::IntegrityStore;
use crate::orders::fixtures::{placed_at, product};
use crate::payments::model::Payment;
use crate::publisher::publish::{Publisher, publish_events};
use crate::stock::model::stock_aggregate;
use crate::testing::Fault;
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::EventId;

/// Appends the second event of each of `count` teapots, whose first is missing, at so many seconds.
async fn boiled(world: &World, count: u64, second: impl Fn(u64) -> u64) {
    for number in 0..count {
        let teapot = format!("teapot {number}");
        let at = placed_at().plus(std::time::Duration::from_secs(second(number)));
        let stamp = Stamp::new(&teapot, 2, "TeapotBoiled", at);
        let event = DomainEvent::new(&teapot, stamp, json!({}));
        world.log.append(event).await.unwrap();
    }
}

#[tokio::test]
async fn an_audit_of_hundreds_of_confirmed_orders_finds_nothing() {
    let (world, orders) = World::with_orders(250).await;
    let outcome = world.audit_at(minutes(60)).await;
    assert_eq!(outcome.open_findings, 0, "{:?}", world.open_findings());
    assert_eq!((outcome.unsettled, outcome.restored_events), (0, 0));
    assert!(outcome.caught_up);
    // The orders and the stock of two products.
    assert_eq!(outcome.checked, 252);
    // And it sees the reservations: one piece too much is found.
    world.misplace(orders[0].lines[0].variant_id).await;
    let outcome = world.audit_at(minutes(120)).await;
    let subject = Subject::Stock(orders[0].lines[0].variant_id);
    let expected = format!("{subject}#reserved_is_open_reservations");
    assert_eq!(world.open_findings(), [expected]);
    assert_eq!(outcome.open_findings, 1);
}

#[tokio::test]
async fn an_audit_that_is_cut_continues_where_it_stopped() {
    let mut world = World::open(0).await;
    world.audit.limits.events = 40;
    world.audit.limits.events_at_a_time = 20;
    world.audit.limits.items = 0;
    world.audit_at(placed_at()).await;
    // A hundred events within ten minutes: more than one audit reads of the time by which audits overlap.
    boiled(&world, 100, |number| number * 6).await;
    let mut found = Vec::new();
    for hour in 1..5 {
        let outcome = world.audit_at(minutes(60 * hour)).await;
        found.push((outcome.open_findings, outcome.caught_up));
    }
    assert_eq!(found, [(40, false), (80, false), (100, true), (100, true)]);
}

#[tokio::test]
async fn more_events_of_one_moment_than_are_read_at_once_do_not_stop_the_audit() {
    let mut world = World::open(0).await;
    world.audit.limits.events = 60;
    world.audit.limits.events_at_a_time = 20;
    boiled(&world, 50, |number| if number < 45 { 0 } else { number }).await;
    let outcome = world.audit_at(minutes(60)).await;
    assert!(outcome.caught_up);
    assert_eq!(outcome.open_findings, 20 + 5);
}

#[tokio::test]
async fn an_audit_that_dies_has_advanced() {
    let mut world = World::open(0).await;
    world.audit.limits.events_at_a_time = 20;
    world.audit.limits.items = 0;
    boiled(&world, 100, |number| number * 6).await;
    let time = minutes(60);
    let request = AuditRequest { time, since: None };
    let store = IntegrityStore::new(&world.aws).unwrap();
    // Each piece writes twenty findings, and then how far it has got. The third piece fails.
    for _ in 0..45 {
        world.engine.fail_next("PutItem", Fault::None);
    }
    for _ in 0..3 {
        world.engine.fail_next("PutItem", Fault::Failed);
    }
    assert!(audit_integrity(&world.audit, request).await.is_err());
    let run = store.latest_run().await.unwrap().unwrap();
    assert!(!run.has_caught_up());
    assert!(run.until > placed_at() && run.until < minutes(10));
    let outcome = world.audit_at(minutes(120)).await;
    assert_eq!((outcome.open_findings, outcome.caught_up), (100, true));
}

#[tokio::test]
async fn reservations_are_compared_in_pieces_over_several_audits() {
    let (mut world, orders) = World::with_orders(60).await;
    world.misplace(orders[0].lines[1].variant_id).await;
    world.audit.limits.reservations = 20;
    world.audit.limits.reservations_at_a_time = 10;
    let mut hours = 0;
    while world.open_findings().is_empty() {
        hours += 1;
        assert!(hours < 12, "the comparison advances");
        world.audit_at(minutes(60 * hours)).await;
    }
    let subject = Subject::Stock(orders[0].lines[1].variant_id);
    let expected = format!("{subject}#reserved_is_open_reservations");
    assert_eq!(world.open_findings(), [expected]);
    assert!(hours > 3, "twice sixty reservations, twenty an hour");
}

#[tokio::test]
async fn of_two_audits_at_once_one_stops_and_the_comparison_of_the_other_goes_on() {
    let (mut world, orders) = World::with_orders(8).await;
    let misplaced = orders[0].lines[1].variant_id;
    world.misplace(misplaced).await;
    world.audit.limits.reservations = 4;
    world.audit.limits.reservations_at_a_time = 2;
    let store = IntegrityStore::new(&world.aws).unwrap();
    let time = minutes(60);
    let request = AuditRequest { time, since: None };
    // Another audit is made, and leaves its comparison unfinished, after this one has read what is left to do.
    let (other, before) = (world.audit.clone(), store.clone());
    world.engine.before_next("Scan", async move || {
        audit_integrity(&other, request).await.unwrap();
        assert!(before.sweep().await.unwrap().is_some());
    });
    let overtaken = audit_integrity(&world.audit, request).await;
    assert!(overtaken.is_err(), "{overtaken:?}");
    let sweep = store.sweep().await.unwrap().unwrap();
    assert!(sweep.after.is_some(), "it has not begun anew");
    for hour in 2..12 {
        world.audit_at(minutes(60 * hour)).await;
    }
    let subject = Subject::Stock(misplaced);
    let expected = format!("{subject}#reserved_is_open_reservations");
    assert_eq!(world.open_findings(), [expected]);
}

#[tokio::test]
async fn stock_that_was_collected_is_compared_if_the_audit_dies_before() {
    let (mut world, orders) = World::with_orders(2).await;
    let misplaced = orders[0].lines[1].variant_id;
    world.audit.limits.items = 0;
    world.misplace(misplaced).await;
    let time = minutes(60);
    let request = AuditRequest { time, since: None };
    for _ in 0..3 {
        world.engine.fail_next("TransactWriteItems", Fault::Failed);
    }
    assert!(audit_integrity(&world.audit, request).await.is_err());
    world.engine.clear_faults();
    // So late that the events are not looked at again.
    world.audit_at(minutes(60 * 24)).await;
    assert_eq!(world.open_findings().len(), 1);
}

#[tokio::test]
async fn stock_that_changes_while_reservations_are_read_is_looked_at_again() {
    let (mut world, orders) = World::with_orders(4).await;
    world.audit.limits.reservations = 2;
    world.audit.limits.reservations_at_a_time = 1;
    world.audit_at(minutes(60)).await;
    let changed = orders[0].lines[0].variant_id;
    world.misplace(changed).await;
    world.audit.limits.reservations = 1_000;
    world.audit.limits.reservations_at_a_time = 100;
    let outcome = world.audit_at(minutes(120)).await;
    assert_eq!(world.open_findings(), [""; 0]);
    assert!(outcome.unsettled >= 1, "{outcome:?}");
    world.audit_at(minutes(180)).await;
    assert_eq!(world.open_findings().len(), 1);
}

/// Publishes what the stream of the table of audits has of lost events. Returns what the bus got: sources and events.
async fn republished(world: &World) -> Vec<(String, EventId)> {
    let sent: Arc<Mutex<Vec<Value>>> = Arc::default();
    let noted = sent.clone();
    world.engine.answer_others("PutEvents", move |request| {
        let entries = request["Entries"].as_array().unwrap().clone();
        let results: Vec<Value> = entries.iter().map(|_| json!({"EventId": "1"})).collect();
        noted.lock().unwrap().extend(entries);
        (200, json!({"FailedEntryCount": 0, "Entries": results}))
    });
    let items = world.engine.items(Setting::IntegrityTable);
    let records = items
        .iter()
        .filter(|item| item["pk"] == "lost")
        .map(|item| {
            let image: serde_dynamo::Item = serde_dynamo::to_item(item).unwrap();
            json!({
                "eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/INTEGRITY_TABLE/stream/1",
                "dynamodb": {"SequenceNumber": "1", "Keys": {}, "NewImage": image},
            })
        });
    let batch = json!({"Records": records.collect::<Vec<Value>>()});
    let publisher = Publisher::new(&world.aws).unwrap();
    let batch = serde_json::from_value(batch).unwrap();
    publish_events(&publisher, batch).await.unwrap();
    let sent = sent.lock().unwrap();
    let sent = sent.iter().map(|entry| {
        let source = entry["Source"].as_str().unwrap().to_owned();
        let detail: DomainEvent = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        (source, detail.event_id)
    });
    sent.collect()
}

#[tokio::test]
async fn a_lost_event_is_found_without_log_or_stream_and_brought_back() {
    let (world, orders) = World::with_orders(3).await;
    world.audit_at(minutes(60)).await;
    let store = IntegrityStore::new(&world.aws).unwrap();
    assert_eq!(store.reading().await.unwrap().unwrap().table, 0);
    // Nothing of the order is in the log but what came before.
    let order = &orders[1];
    let before = world.log.history(order.id).await.unwrap();
    let lost = before.last().unwrap().clone();
    world.lose(order.id, lost.version).await;
    let stock = world
        .inventory
        .stocks(product("product 0").into())
        .await
        .unwrap();
    let stock = stock_aggregate(product("product 0").into(), &stock[0].place);
    world.lose(&stock, 1).await;
    let outcome = world.audit_at(minutes(60 * 30)).await;
    assert_eq!(outcome.restored_events, 2);
    assert!(outcome.open_findings >= 2, "{:?}", world.open_findings());
    // The stream of the table of audits publishes what was brought back, with the same identifier.
    let mut published = republished(&world).await;
    published.sort();
    let expected_stock = Stamp::new(&stock, 1, "StockAdjusted", placed_at()).id;
    let mut expected = vec![
        ("oxcart.inventory".to_owned(), expected_stock),
        ("oxcart.orders".to_owned(), lost.event_id),
    ];
    expected.sort();
    assert_eq!(published, expected);
    assert_eq!(world.log.history(order.id).await.unwrap(), before);
    world.publish().await;
    let outcome = world.audit_at(minutes(60 * 31)).await;
    assert_eq!((outcome.restored_events, outcome.open_findings), (0, 0));
}

#[tokio::test]
async fn an_event_that_may_still_come_is_not_brought_back() {
    let (world, orders) = World::with_orders(1).await;
    world.lose(orders[0].id, orders[0].version).await;
    let outcome = world.audit_at(minutes(10)).await;
    assert_eq!(outcome.restored_events, 0);
    let outcome = world.audit_at(minutes(20)).await;
    assert_eq!(outcome.restored_events, 1);
}

#[tokio::test]
async fn a_wrong_row_that_had_no_event_is_found_by_reading_on() {
    let (mut world, orders) = World::with_orders(30).await;
    world.audit_at(minutes(60)).await;
    // Days later, when no event leads there any more.
    let table = Table::new(&world.aws, Setting::PaymentsTable).unwrap();
    let id = Payment::id_of(orders[7].id);
    let key = Key::new("payment_id", id);
    let write = table.update(key, "SET captured = :less").value(":less", &1);
    table.write(write.unwrap()).await.unwrap();
    world.misplace(orders[0].lines[0].variant_id).await;
    world.audit.limits.items = 20;
    world.audit.limits.items_at_a_time = 10;
    let store = IntegrityStore::new(&world.aws).unwrap();
    let first = store.reading().await.unwrap().unwrap().last_round;
    let mut hours = 60 * 24 * 7;
    loop {
        world.audit_at(minutes(hours)).await;
        let round = store.reading().await.unwrap().unwrap().last_round;
        if round != first {
            assert!(round.unwrap().began_at >= first.unwrap().ended_at);
            break;
        }
        hours += 60;
        assert!(hours < 60 * 24 * 9, "the reading advances");
    }
    let expected: BTreeSet<String> = [
        format!("{}#confirmed_is_paid", Subject::Order(orders[7].id)),
        format!("{}#ledger_is_payment", Subject::Order(orders[7].id)),
        format!(
            "{}#reserved_is_open_reservations",
            Subject::Stock(orders[0].lines[0].variant_id)
        ),
    ]
    .into();
    let found: BTreeSet<String> = world.open_findings().into_iter().collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_a_finding_and_stops_nothing() {
    let (world, orders) = World::with_orders(3).await;
    let table = Table::new(&world.aws, Setting::OrdersTable).unwrap();
    let key = Key::new("order_id", orders[1].id).and("part", "lines");
    let write = table
        .update(key, "SET #lines = :text")
        .name("#lines", "lines");
    let write = write.value(":text", &"Lindenstraße");
    table.write(write.unwrap()).await.unwrap();
    let outcome = world.audit_at(minutes(60)).await;
    assert!(outcome.caught_up);
    let subject = Subject::Order(orders[1].id);
    let stored = Value::from(world.engine.items(Setting::IntegrityTable)).to_string();
    assert!(!stored.contains("Linden"), "findings have no personal data");
    let found = world.open_findings();
    assert!(
        found.contains(&format!("{subject}#row_is_readable")),
        "{found:?}"
    );
}

#[tokio::test]
async fn open_findings_are_looked_at_again_in_pieces_and_counted() {
    let mut world = World::open(0).await;
    boiled(&world, 30, |number| number).await;
    assert_eq!(world.audit_at(minutes(60)).await.open_findings, 30);
    world.audit.limits.findings = 12;
    for number in 0..30 {
        let teapot = format!("teapot {number}");
        let stamp = Stamp::new(&teapot, 1, "TeapotFilled", placed_at());
        world
            .log
            .append(DomainEvent::new(&teapot, stamp, json!({})))
            .await
            .unwrap();
    }
    let mut open = Vec::new();
    for hour in 30..33 {
        open.push(world.audit_at(minutes(60 * hour)).await.open_findings);
    }
    assert_eq!(open, [18, 6, 0]);
}
