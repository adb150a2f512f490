//! Paying declined orders with another token.

use serde_json::json;

use crate::support::people::{order_of, unique};
use crate::support::shop::{Setup, Shop, express, shared};
use crate::support::{run_local, until};

#[test]
fn a_customer_and_a_guest_pay_declined_orders_with_another_token() {
    run_local(async {
        for (shop, token, waits) in [
            (shared().await, "tok_insufficient_funds", "failed"),
            (shared().await, "tok_requires_action", "requires_action"),
            (express().await, "tok_insufficient_funds", "failed"),
        ] {
            let customer = shop.customer().await;
            let product = shop.product("19.90", 10).await;
            let mut order = order_of(&[(&product, 1)], token);
            order["payment"]["retryable"] = json!(true);
            let placed = shop.place(&customer, &order).await.expect(202).json();
            let id = placed["id"].as_str().unwrap();
            shop.until_payment_status(&customer, id, waits).await;
            assert_eq!(shop.stock(&product).await, (10, 1, 9), "it is held");
            let again = json!({"payment": {"token": "tok_ok"}});
            let key = unique("retry");
            for _ in 0..2 {
                let call = shop.post(&format!("/orders/{id}/payments"));
                let call = call.bearer(&customer.token).key(&key).json(&again);
                call.send().await.expect(202);
            }
            shop.until_status(&customer, id, "confirmed").await;
            shop.until_settled(id).await;
            let payment = shop.payment(&customer, id).await;
            let found = (&payment["status"], &payment["attempts"]);
            assert_eq!(found, (&json!("completed"), &json!(2)));

            order["email"] = json!(format!("{}@example.com", unique("guest")));
            let call = shop.post("/guest/orders").key(&unique("click"));
            let placed = call.json(&order).send().await.expect(202);
            let location = placed.header("location").unwrap().to_owned();
            let has = async |name: &str, wanted: &str| {
                until(wanted, async || {
                    let order = shop.get(&location).send().await.expect(200).json();
                    let found = order[name] == wanted;
                    found.then_some(()).ok_or(order.to_string())
                })
                .await;
            };
            has("payment_status", waits).await;
            let path = location.replace('?', "/payments?");
            let call = shop.post(&format!("{path}x")).key(&key).json(&again);
            call.send().await.expect(404);
            let call = shop.post(&path).key(&key).json(&again);
            call.send().await.expect(202);
            has("status", "confirmed").await;
        }
    });
}

#[test]
fn an_order_that_nobody_pays_again_fails_at_its_deadline() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let mut order = order_of(&[(&product, 2)], "tok_declined");
        order["payment"]["retryable"] = json!(true);
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let id = placed["id"].as_str().unwrap();
        shop.until_payment_status(&customer, id, "failed").await;
        shop.advance_in_steps(880).await;
        assert_eq!(shop.read(&customer, id).await["status"], "pending");
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        shop.advance_in_steps(180).await;
        let failed = shop.read(&customer, id).await;
        assert_eq!(failed["failure"]["code"], "payment_declined", "{failed}");
        shop.run_until_settled(id).await;
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
        let call = shop.post(&format!("/orders/{id}/payments"));
        let call = call.bearer(&customer.token).key(&unique("late"));
        let late = call
            .json(&json!({"payment": {"token": "tok_ok"}}))
            .send()
            .await;
        let problem = late.expect(409).json();
        assert_eq!(
            problem["detail"],
            "the order is failed, so it is not paid any more"
        );
        assert_eq!(shop.books_of(id).await.taken, 0);
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
