//! Tests of the events that are consumed and published.

use aws_lambda_events::sqs::SqsEvent;
use expect_test::expect;
use serde_json::{Value, json};

use super::{Shop, order_id, product, shop};
use crate::aws::settings::Setting;
use crate::inventory::events;
use crate::orders::model::Status;
use crate::runtime;

fn created(name: &str) -> String {
    json!({
        "version": "0", "id": "1", "detail-type": "ProductCreated", "source": "oxcart.catalog",
        "account": "1", "region": "x", "resources": [], "time": "2026-03-01T09:30:00Z",
        "detail": {
            "event_id": product("event"), "event_type": "ProductCreated",
            "aggregate_id": product(name), "version": 1,
            "timestamp": "2026-03-01T09:29:59.000Z", "data": {},
        },
    })
    .to_string()
}

impl Shop {
    /// Returns the response to a batch of messages with `bodies`.
    async fn deliver(&self, bodies: &[String]) -> String {
        let records: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| json!({"messageId": number.to_string(), "body": body}))
            .collect();
        let batch: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
        let handle = |message| events::on_product_created(&self.inventory, message);
        serde_json::to_string(&runtime::batch(batch, handle).await).unwrap()
    }
}

#[tokio::test]
async fn a_new_product_gets_stock_of_zero_unless_it_has_stock() {
    let shop = shop();
    shop.stocked("cup", 3).await;
    for name in ["tea", "cup", "tea"] {
        assert_eq!(
            shop.deliver(&[created(name)]).await,
            r#"{"batchItemFailures":[]}"#
        );
    }
    assert_eq!(shop.counts("tea").await, (0, 0));
    assert_eq!(shop.counts("cup").await, (3, 0));
    let stocks = shop.inventory.stocks(product("tea")).await.unwrap();
    assert_eq!(
        stocks[0].updated_at,
        "2026-03-01T09:30:00Z".parse().unwrap()
    );
}

#[tokio::test]
async fn each_variant_of_a_new_product_gets_stock() {
    let shop = shop();
    let [small, large] = ["small", "large"].map(product);
    let variants = json!([{"id": small, "sku": "T-S"}, {"id": large}]);
    let data = format!("\"data\":{{\"variants\":{variants}}}");
    let message = created("shirt").replace("\"data\":{}", &data);
    assert!(message.contains("T-S"), "{message}");
    assert_eq!(
        shop.deliver(&[message]).await,
        r#"{"batchItemFailures":[]}"#
    );
    for (name, count) in [("small", 1), ("large", 1), ("shirt", 0)] {
        let stocks = shop.inventory.stocks(product(name)).await.unwrap();
        assert_eq!(stocks.len(), count, "{name}");
    }
}

#[tokio::test]
async fn only_the_messages_that_failed_are_delivered_again() {
    let shop = shop();
    let bodies = [
        created("tea"),
        "nonsense".to_owned(),
        created("tea").replace("\"ProductCreated\"", "\"ProductUpdated\""),
        created("tea").replace(&product("tea").to_string(), "nonsense"),
        created("cup"),
    ];
    expect![[r#"{"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"2"},{"itemIdentifier":"3"}]}"#]]
        .assert_eq(&shop.deliver(&bodies).await);
    assert_eq!(shop.counts("tea").await, (0, 0));
    assert_eq!(shop.counts("cup").await, (0, 0));
}

#[tokio::test]
async fn each_change_has_its_event() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    let mut seen = Vec::new();
    let mut look = |sk: &str| {
        let items = shop.engine.items(Setting::InventoryTable);
        let item = items.into_iter().find(|item| item["sk"] == sk).unwrap();
        let event = events::published(serde_dynamo::to_item(item).unwrap());
        let event = event.unwrap().unwrap();
        let text = format!(
            "{} {} {} {}",
            event.aggregate_id, event.version, event.event_type, event.data
        );
        let text = text.replace(&product("tea").to_string(), "TEA");
        seen.push(text.replace(&order_id(1).to_string(), "ORDER"));
    };
    look("main#0");
    assert_eq!(shop.reserve(1).await, "done");
    look("main#0");
    look("reservation");
    shop.set_status(1, Status::Confirmed).await;
    assert_eq!(shop.commit(1).await, "done");
    look("reservation");
    shop.set_status(1, Status::Cancelled).await;
    assert_eq!(shop.release(1).await, "done");
    look("reservation");
    assert_eq!(shop.put("tea", 12, "*").await.0, 200);
    look("main#0");
    expect![[r#"
        stock#TEA#main#0 1 StockAdjusted {"backorder":0,"location":"main","on_hand":10,"product_id":"TEA","variant_id":"TEA"}
        stock#TEA#main#0 1 StockAdjusted {"backorder":0,"location":"main","on_hand":10,"product_id":"TEA","variant_id":"TEA"}
        reservation#ORDER 1 InventoryReserved {"lines":[{"product_id":"TEA","quantity":4}],"order_id":"ORDER"}
        reservation#ORDER 2 InventoryCommitted {"lines":[{"product_id":"TEA","quantity":4}],"order_id":"ORDER"}
        reservation#ORDER 3 InventoryReleased {"lines":[{"product_id":"TEA","quantity":4}],"order_id":"ORDER"}
        stock#TEA#main#0 2 StockAdjusted {"backorder":0,"location":"main","on_hand":12,"product_id":"TEA","variant_id":"TEA"}"#]].assert_eq(&seen.join("\n"));
}

#[test]
fn the_items_of_the_first_release_are_read() {
    let (tea, order) = (product("tea"), order_id(1));
    let event = |event_type: &str| json!({"id": tea, "type": event_type, "version": 1, "at": "2026-03-01T09:30:00Z"});
    let stock = json!({
        "pk": format!("stock#{tea}"), "sk": "main#0", "available": 3, "reserved": 2, "version": 1, "schema": 1,
        "updated_at": "2026-03-01T09:30:00Z", "event": event("StockAdjusted"),
    });
    let reservation = json!({
        "pk": format!("reservation#{order}"), "sk": "reservation", "order_id": order, "status": "held",
        "lines": [{"product_id": tea, "location": "main", "shard": 0, "quantity": 2}],
        "version": 1, "schema": 1, "created_at": "2026-03-01T09:30:00Z", "updated_at": "2026-03-01T09:30:00Z",
        "event": event("InventoryReserved"), "open_shard": "1",
    });
    let read = |item: Value| events::published(serde_dynamo::to_item(item).unwrap());
    let adjusted = read(stock).unwrap().unwrap();
    assert_eq!(adjusted.data["on_hand"], 5);
    let reserved = read(reservation).unwrap().unwrap();
    assert_eq!(reserved.data["lines"][0]["product_id"], json!(tea));
}

/// Returns the event that refunds of order 1 have restocked `restocked` of the tea in all.
fn refunded(restocked: u64) -> String {
    let mut event: Value = serde_json::from_str(&created("payment")).unwrap();
    event["detail-type"] = json!("PaymentRefunded");
    event["detail"]["event_type"] = json!("PaymentRefunded");
    let lines = json!([{"variant_id": product("tea"), "quantity": restocked}]);
    event["detail"]["data"] = json!({"order_id": order_id(1), "restocked": lines});
    event.to_string()
}

impl Shop {
    async fn restock(&self, restocked: u64) {
        let record = json!({"messageId": "1", "body": refunded(restocked)});
        let batch: SqsEvent = serde_json::from_value(json!({"Records": [record]})).unwrap();
        let handle = |message| events::restock_inventory(&self.inventory, message);
        let answer = serde_json::to_string(&runtime::batch(batch, handle).await).unwrap();
        assert_eq!(answer, r#"{"batchItemFailures":[]}"#);
    }
}

#[tokio::test]
async fn refunded_pieces_come_back_once_however_often_and_late_the_events_come() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.stocked("cup", 10).await;
    shop.placed(1, &[("tea", 5), ("cup", 1)]).await;
    shop.reserve(1).await;
    shop.set_status(1, Status::Confirmed).await;
    shop.commit(1).await;
    // The event of the second refund comes first, and more than was ordered never comes back.
    for (restocked, counts) in [
        (3, (8, 2)),
        (3, (8, 2)),
        (1, (8, 2)),
        (4, (9, 1)),
        (99, (10, 0)),
    ] {
        shop.restock(restocked).await;
        assert_eq!(shop.counts("tea").await, counts, "{restocked}");
    }
    assert_eq!(shop.counts("cup").await, (9, 1));
}

#[tokio::test]
async fn what_has_come_back_is_not_released_again() {
    for first in ["restock", "release"] {
        let shop = shop();
        shop.stocked("tea", 10).await;
        shop.placed(1, &[("tea", 5)]).await;
        shop.reserve(1).await;
        shop.set_status(1, Status::Cancelled).await;
        if first == "restock" {
            shop.restock(2).await;
            assert_eq!(shop.counts("tea").await, (7, 3));
        }
        assert_eq!(shop.release(1).await, "done");
        shop.restock(2).await;
        assert_eq!(shop.counts("tea").await, (10, 0), "{first}");
    }
}
