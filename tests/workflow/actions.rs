//! Payments that need the shopper, who confirms them at the bank.

use serde_json::json;

use crate::support::people::{order_of, unique};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, express, shared};

#[test]
fn an_order_says_that_its_shopper_has_to_confirm_the_payment() {
    run_local(async {
        for shop in [shared().await, express().await] {
            let customer = shop.customer().await;
            let product = shop.product("19.90", 10).await;
            let call = shop.post("/orders").bearer(&customer.token);
            let call = call.key(&unique("order")).header("prefer", "wait=20");
            let order = order_of(&[(&product, 2)], "tok_requires_action");
            let placed = call.json(&order).send().await.expect(202).json();
            assert_eq!(placed["status"], "pending", "{placed}");
            assert_eq!(placed["payment_status"], "requires_action", "{placed}");
            let order = placed["id"].as_str().unwrap();
            let payment = shop.payment(&customer, order).await;
            assert_eq!(payment["status"], "requires_action", "{payment}");
            let url = format!("https://bank.example/confirm?charge={order}:1");
            assert_eq!(payment["action"], json!({"type": "redirect", "url": url}));
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
        }
    });
}

#[test]
fn an_order_goes_on_when_the_gateway_says_that_its_shopper_has_confirmed_the_payment() {
    run_local(async {
        for shop in [shared().await, express().await] {
            let customer = shop.customer().await;
            let product = shop.product("19.90", 10).await;
            let order = shop.order(&customer, &product, "tok_requires_action").await;
            shop.until_payment_status(&customer, &order, "requires_action")
                .await;
            let event = json!({"type": "charge.confirmed", "charge": format!("{order}:1")});
            let forged = shop.signed_event(&event, "whsec_x").await;
            let problem = forged.send().await.expect(400).json();
            assert_eq!(
                problem["errors"][0]["pointer"], "stripe-signature",
                "{problem}"
            );
            for _ in 0..2 {
                let event = shop.payment_event("charge.confirmed", &order).await;
                event.send().await.expect(204);
            }
            shop.until_status(&customer, &order, "confirmed").await;
            shop.until_settled(&order).await;
            assert_eq!(shop.books_of(&order).await.taken, 3980);
            // An event that comes late changes nothing.
            let event = shop.payment_event("charge.refused", &order).await;
            event.send().await.expect(204);
            assert_eq!(shop.read(&customer, &order).await["status"], "confirmed");

            let refused = shop.order(&customer, &product, "tok_requires_action").await;
            shop.until_payment_status(&customer, &refused, "requires_action")
                .await;
            let event = shop.payment_event("charge.refused", &refused).await;
            event.send().await.expect(204);
            let failed = shop.until_status(&customer, &refused, "failed").await;
            assert_eq!(failed["failure"]["code"], "payment_declined", "{failed}");
            let nobodys = shop.payment_event("charge.confirmed", &customer.id).await;
            nobodys.send().await.expect(404);
        }
    });
}

#[test]
fn an_order_whose_shopper_does_not_confirm_the_payment_fails_at_its_deadline() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop.order(&customer, &product, "tok_requires_action").await;
        shop.until_payment_status(&customer, &order, "requires_action")
            .await;
        shop.advance_in_steps(880).await;
        assert_eq!(shop.read(&customer, &order).await["status"], "pending");
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        shop.advance_in_steps(180).await;
        let failed = shop.read(&customer, &order).await;
        assert_eq!(failed["failure"]["code"], "expired", "{failed}");
        shop.run_until_settled(&order).await;
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
        assert_eq!(shop.payment(&customer, &order).await["status"], "voided");
        assert_eq!(shop.books_of(&order).await.taken, 0);
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
