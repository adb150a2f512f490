//! Events are published however long the bus or an item is out of order.

use serde_json::{Value, json};

use crate::support::run_local;
use crate::support::shop::{Setup, Shop, physical};
use crate::support::until;

use super::order;

/// Returns an event as the log has it, or null.
async fn logged(shop: &Shop, aggregate: &str, version: u64) -> Value {
    let version = format!("{version:012}");
    let request = json!({
        "TableName": physical("EventLogTable"),
        "Key": {"aggregate_id": {"S": aggregate}, "version": {"S": version}},
    });
    shop.dynamodb("GetItem", &request).await["Item"].clone()
}

#[test]
fn two_hours_without_the_bus_lose_no_event() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        shop.fault("events:PutEvents@publish-events=throttle").await;
        let (customer, _, order) = order(&shop, "tok_declined").await;
        shop.until_status(&customer, &order, "failed").await;
        shop.bear_faults_for_two_hours().await;
        assert_eq!(shop.order_mail().await, Vec::<Value>::new());
        shop.no_faults().await;
        shop.run_until("the mail about the order", async || {
            match shop.order_mail().await.len() {
                1 => Ok(()),
                count => Err(format!("{count} mails")),
            }
        })
        .await;
        shop.run_until_settled(&order).await;
        // Each stream tries again in its own time.
        shop.run_until_quiet().await;
        shop.audited().await.unwrap();
    });
}

#[test]
fn an_event_that_was_set_aside_is_published_by_redrive() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let product = shop.product("18.50", 10).await;
        shop.quiet().await;
        let table = physical("ProductsTable");
        let key = json!({"product_id": {"S": product}});
        let get = json!({"TableName": table, "Key": key, "ConsistentRead": true});
        let mut item = shop.dynamodb("GetItem", &get).await["Item"].clone();
        // A release that stores an item in a shape which the publisher does not know.
        item["event"]["M"]["id"] = json!({"S": "11111111-1111-5111-8111-111111111111"});
        item["event"]["M"]["type"] = json!({"S": "ProductUpdated"});
        item["event"]["M"]["version"] = json!({"N": "9"});
        item["price"] = json!({"S": "18.50"});
        let put = json!({"TableName": table, "Item": item});
        shop.dynamodb("PutItem", &put).await;
        until("the event is set aside", async || {
            match shop.redrive().await {
                (0, 1) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        // What is behind it is published nevertheless.
        let next = shop.product("2.00", 1).await;
        until("the next event is published", async || {
            let event = logged(&shop, &next, 1).await;
            let found = event.is_object();
            found.then_some(()).ok_or(event.to_string())
        })
        .await;
        item["price"] = json!({"M": {"amount": {"S": "18.50"}, "currency": {"S": "EUR"}}});
        let put = json!({"TableName": table, "Item": item});
        shop.dynamodb("PutItem", &put).await;
        // The message is hidden for a quarter of an hour after the first attempt.
        shop.advance(900).await;
        assert_eq!(shop.redrive().await, (1, 0));
        let event = logged(&shop, &product, 9).await;
        assert_eq!(
            event["event_id"]["S"],
            "11111111-1111-5111-8111-111111111111"
        );
    });
}
