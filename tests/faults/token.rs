//! The payment token stands only on the lines of an undecided order (point 7).

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

use super::order;

/// A token that no other text contains by chance, and that the sandbox declines.
const TOKEN: &str = "tok_5f2b9d71c3";

/// Returns where the token stands: tables, executions, messages, queues, logs.
async fn places(shop: &Shop, token: &str, execution: &str) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for (table, items) in shop.tables().await {
        for item in items {
            if item.to_string().contains(token) {
                places.push(format!("{table} {}", item["part"]));
            }
        }
    }
    for (name, text) in [
        ("execution", shop.execution(execution).await.to_string()),
        ("mail", format!("{:?}", shop.mail().await)),
        ("queues", shop.control("queues").await.to_string()),
        ("logs", shop.logs()),
    ] {
        if text.contains(token) {
            places.push(name.to_owned());
        }
    }
    places
}

#[test]
fn the_token_is_on_the_lines_only_and_is_removed_when_the_order_is_decided() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        for (token, status) in [(TOKEN, "failed"), ("tok_ok", "confirmed")] {
            shop.fault("lambda:Invoke@process-payment=error").await;
            let (customer, _, order) = order(&shop, token).await;
            let execution = format!("{order}-0");
            shop.advance_in_steps(60).await;
            let places_before = places(&shop, token, &execution).await;
            assert_eq!(places_before, ["OrdersTable \"lines\""]);
            shop.no_faults().await;
            shop.run_until_settled(&order).await;
            assert_eq!(shop.read(&customer, &order).await["status"], status);
            let places_after = places(&shop, token, &execution).await;
            assert_eq!(places_after, Vec::<String>::new());
        }
    });
}

#[test]
fn the_token_of_a_cancelled_order_is_removed_too() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        shop.fault("lambda:Invoke@process-payment=error").await;
        let (customer, _, order) = order(&shop, TOKEN).await;
        shop.cancel(&customer, &order).await.expect(200);
        shop.no_faults().await;
        shop.run_until_settled(&order).await;
        let execution = format!("{order}-1");
        assert_eq!(places(&shop, TOKEN, &execution).await, Vec::<String>::new());
    });
}

#[test]
fn the_next_run_removes_the_token_that_a_confirmation_left() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        // The order is confirmed, but the step fails; the next run finds the order confirmed.
        shop.fault("dynamodb:UpdateItem@confirm-order=error").await;
        let (customer, _, order) = order(&shop, "tok_ok").await;
        shop.run_until_settled(&order).await;
        assert_eq!(shop.read(&customer, &order).await["status"], "confirmed");
        let execution = format!("{order}-0");
        let places = places(&shop, "tok_ok", &execution).await;
        assert_eq!(places, Vec::<String>::new());
    });
}
