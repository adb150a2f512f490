//! Orders that a rule holds until an admin has looked at them, with both types of the state machine.

use serde_json::{Value, json};

use super::discounts::uses;
use crate::support::client::Answer;
use crate::support::people::{Person, order_of};
use crate::support::prices::{amount, percentage};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

/// Starts a shop that reviews orders of more than 100.00.
async fn shop(express: bool) -> Shop {
    let setup = Setup {
        express,
        ..Setup::default()
    };
    let shop = Shop::start(setup).await;
    let admin = shop.admin().await;
    let rule = json!({
        "expression": format!("order.total <= money(\"{}\")", amount("100.00")),
        "message": "more than 100.00",
        "code": "large",
        "severity": "review",
    });
    let put = shop.put("/rules/large_orders").bearer(&admin.token);
    put.json(&rule).send().await.expect(201);
    shop
}

/// A customer, a product at 60.00 with five in stock, and the customer's order of two, as soon as it
/// is held.
async fn held(shop: &Shop) -> (Person, String, String) {
    let customer = shop.customer().await;
    let product = shop.product("60.00", 5).await;
    let order = shop.order(&customer, &product, "tok_ok").await;
    until_held(shop, &customer, &product, &order).await;
    (customer, product, order)
}

async fn until_held(shop: &Shop, customer: &Person, product: &str, order: &str) {
    until("the order to be held", async || {
        let read = shop.read(customer, order).await;
        let stock = shop.stock(product).await;
        let wanted = read["review"]["state"] == "wanted" && stock.1 == 2;
        wanted.then_some(()).ok_or(format!("{read}, {stock:?}"))
    })
    .await;
}

async fn decide(shop: &Shop, token: &str, order: &str, body: Value) -> Answer {
    let call = shop.post(&format!("/orders/{order}/review")).bearer(token);
    call.json(&body).send().await
}

#[test]
fn an_order_that_an_admin_approves_is_paid_only_then() {
    run_local(async {
        for express in [false, true] {
            let shop = shop(express).await;
            let (customer, _, order) = held(&shop).await;
            let admin = shop.admin().await;
            let path = format!("/orders/{order}/payments");
            let payments = || shop.get(&path).bearer(&customer.token).send();
            assert_eq!(payments().await.expect(200).json()["items"], json!([]));
            let approve = || json!({"decision": "approve"});
            let own = decide(&shop, &customer.token, &order, approve()).await;
            own.expect(403);
            for _ in 0..2 {
                let done = decide(&shop, &admin.token, &order, approve()).await;
                let review = json!({"state": "approved", "reasons": ""});
                assert_eq!(done.expect(200).json()["review"], review);
            }
            shop.until_status(&customer, &order, "confirmed").await;
            shop.until_settled(&order).await;
            assert_eq!(shop.books_of(&order).await.taken, 12_000);
            let reject = json!({"decision": "reject"});
            let late = decide(&shop, &admin.token, &order, reject).await;
            late.expect(409);
        }
    });
}

#[test]
fn an_order_that_an_admin_rejects_fails_and_holds_nothing() {
    run_local(async {
        for express in [false, true] {
            let shop = shop(express).await;
            let (_, product, order) = held(&shop).await;
            let admin = shop.admin().await;
            let body = json!({"decision": "reject", "reason": "no such street"});
            let done = decide(&shop, &admin.token, &order, body).await;
            let failure = json!({
                "code": "rule_failed",
                "detail": "refused in a review: no such street",
            });
            assert_eq!(done.expect(200).json()["failure"], failure);
            shop.until_settled(&order).await;
            assert_eq!(shop.stock(&product).await, (5, 0, 5));
            assert_eq!(shop.books_of(&order).await.taken, 0);
        }
    });
}

#[test]
fn an_order_that_is_held_can_be_cancelled() {
    run_local(async {
        let shop = shop(false).await;
        let (customer, product, order) = held(&shop).await;
        shop.cancel(&customer, &order).await.expect(200);
        shop.until_settled(&order).await;
        assert_eq!(shop.stock(&product).await, (5, 0, 5));
        let admin = shop.admin().await;
        let approve = json!({"decision": "approve"});
        let late = decide(&shop, &admin.token, &order, approve).await;
        late.expect(409);
    });
}

#[test]
fn a_rejected_order_gives_back_the_use_of_its_discount() {
    run_local(async {
        let shop = shop(false).await;
        let (customer, admin) = (shop.customer().await, shop.admin().await);
        let product = shop.product("60.00", 5).await;
        let limit = json!({"code": "ONCE", "usage_limit": 1});
        let discount = shop.discount(percentage("Once", "0.1"), limit).await;
        let mut order = order_of(&[(&product, 2)], "tok_ok");
        order["discount_code"] = json!("ONCE");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let order = placed["id"].as_str().unwrap();
        until_held(&shop, &customer, &product, order).await;
        assert_eq!(uses(&shop, &discount, "total").await, 1);
        let reject = json!({"decision": "reject"});
        let done = decide(&shop, &admin.token, order, reject).await;
        done.expect(200);
        assert_eq!(uses(&shop, &discount, "total").await, 0);
    });
}
