use expect_test::{Expect, expect};

use super::check;
use crate::support::run_local;
use crate::support::shop::shared;

/// Checks the payments of an order that is paid with `token`, once it has `status`.
fn check_payments(token: &'static str, status: &'static str, expected: Expect) {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("18.50", 10).await;
        let order = shop.order(&customer, &product, token).await;
        shop.until_status(&customer, &order, status).await;
        shop.until_settled(&order).await;
        let call = shop
            .get(&format!("/orders/{order}/payments"))
            .bearer(&customer.token);
        check(&call.send().await, expected);
    });
}

#[test]
fn the_payment_of_a_confirmed_order_is_captured() {
    check_payments(
        "tok_ok",
        "confirmed",
        expect![[r#"
            200
            content-type: application/json
            {
              "items": [
                {
                  "action": null,
                  "attempts": 1,
                  "authorized": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "capture_before": null,
                  "captured": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "captures": [],
                  "decline": null,
                  "disputes": [],
                  "gateway": "sandbox",
                  "gift_cards": {
                    "amount": {
                      "amount": "0.00",
                      "currency": "EUR"
                    },
                    "refunded": {
                      "amount": "0.00",
                      "currency": "EUR"
                    }
                  },
                  "id": "<id-1>",
                  "refunded": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "status": "completed"
                }
              ],
              "next_cursor": null
            }
        "#]],
    );
}

#[test]
fn the_payment_of_a_declined_order_captured_nothing() {
    check_payments(
        "tok_declined",
        "failed",
        expect![[r#"
            200
            content-type: application/json
            {
              "items": [
                {
                  "action": null,
                  "attempts": 1,
                  "authorized": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "capture_before": null,
                  "captured": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "captures": [],
                  "decline": "declined",
                  "disputes": [],
                  "gateway": "sandbox",
                  "gift_cards": {
                    "amount": {
                      "amount": "0.00",
                      "currency": "EUR"
                    },
                    "refunded": {
                      "amount": "0.00",
                      "currency": "EUR"
                    }
                  },
                  "id": "<id-1>",
                  "refunded": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "status": "failed"
                }
              ],
              "next_cursor": null
            }
        "#]],
    );
}
