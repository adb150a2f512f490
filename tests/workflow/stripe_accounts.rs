//! Payments at two accounts at Stripe, each with its own key and signing secret.

use serde_json::{Value, json};

use super::stripe::refund;
use super::stripe_disputes::until_shown;
use crate::support::people::Person;
use crate::support::prices::money;
use crate::support::run_in_euros;
use crate::support::shop::{Setup, Shop};
use crate::support::stripe::{ACCOUNTS, Localstripe};

/// Returns the gateway of the order's payment, and the number of its attempt.
async fn place(shop: &Shop, customer: &Person, order: &str) -> String {
    let payment = shop.payment(customer, order).await;
    assert_eq!(payment["captured"], money("39.80"), "{payment}");
    let gateway = payment["gateway"].as_str().unwrap();
    format!("{gateway} {}", payment["attempts"])
}

/// Returns how many cents of `order` each account has taken.
async fn taken(accounts: &[Localstripe; 2], order: &str) -> [u64; 2] {
    let mut taken = [0; 2];
    for (taken, account) in taken.iter_mut().zip(accounts) {
        for intent in account.intents_of(order).await {
            if intent["status"] == "succeeded" {
                *taken += intent["amount"].as_u64().unwrap();
            }
        }
    }
    taken
}

/// Returns the cents that each account has refunded.
async fn refunded(accounts: &[Localstripe; 2]) -> [Vec<Value>; 2] {
    let amounts = async |account: &Localstripe| -> Vec<Value> {
        let refunds = account.refunds().await;
        refunds.iter().map(|r| r["amount"].clone()).collect()
    };
    [amounts(&accounts[0]).await, amounts(&accounts[1]).await]
}

#[test]
fn orders_go_to_another_account_of_stripe_while_one_fails_and_are_refunded_where_they_are() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let setup = Setup {
            manual_clock: true,
            parameters: &[("PaymentGateways", "stripe:eu,stripe:us")],
            ..Setup::default()
        };
        let shop = stripe.shop(setup).await;
        let accounts = ACCOUNTS.map(|name| stripe.account(name));
        let [eu, us] = &accounts;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let pay = async || {
            let order = shop.order(&customer, &product, "pm_card_visa").await;
            shop.run_until_settled(&order).await;
            let place = place(&shop, &customer, &order).await;
            (order, place)
        };
        let (first, at) = pay().await;
        assert_eq!(at, "stripe:eu 1");
        assert_eq!(taken(&accounts, &first).await, [3980, 0]);

        eu.refuse("POST /v1/payment_intents", 5, 503).await;
        let mut moved = Vec::new();
        for _ in 0..5 {
            let (order, at) = pay().await;
            assert_eq!(at, "stripe:us 2");
            assert_eq!(taken(&accounts, &order).await, [0, 3980]);
            moved.push(order);
        }
        // It works again, but is left out for a while.
        assert!(shop.logs().contains("\"left_out_seconds\":30"));
        let (order, at) = pay().await;
        assert_eq!(at, "stripe:us 1");
        assert_eq!(taken(&accounts, &order).await, [0, 3980]);
        shop.advance(31).await;
        let (again, at) = pay().await;
        assert_eq!(at, "stripe:eu 1");

        for (order, amount) in [(&first, "1.00"), (&moved[0], "2.00")] {
            let payment = shop.payment_of(order).await;
            let made = refund(&shop, &payment, &json!({"amount": money(amount)})).await;
            assert_eq!(made["status"], "succeeded", "{made}");
        }
        assert_eq!(refunded(&accounts).await, [[100], [200]]);
        for order in [&again, &moved[0]] {
            shop.cancel(&customer, order).await.expect(200);
            shop.run_until_settled(order).await;
        }
        let mut refunded = refunded(&accounts).await;
        for amounts in &mut refunded {
            amounts.sort_by_key(Value::as_u64);
        }
        assert_eq!(refunded, [[100, 3980], [200, 3780]]);

        // What has perhaps happened at one account is not done at the other, though the first fails then.
        eu.lose_answers("POST /v1/payment_intents/*/confirm", 1)
            .await;
        eu.refuse("GET /v1/payment_intents/*", 3, 503).await;
        let (order, at) = pay().await;
        assert_eq!(at, "stripe:eu 1");
        assert_eq!(taken(&accounts, &order).await, [3980, 0]);
        assert!(us.intents_of(&order).await.is_empty());
        shop.audited().await.unwrap();
    });
}

/// Tells the shop `event`, signed with `secret`. Returns the status.
async fn tell(shop: &Shop, event: &Value, secret: &str) -> u16 {
    let call = shop.event_of("stripe", event, secret).await;
    call.send().await.status
}

#[test]
fn an_event_of_stripe_is_of_the_account_whose_secret_signed_it() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let setup = Setup {
            parameters: &[
                ("PaymentGateways", "stripe:eu,stripe:us"),
                ("PaymentRouting", "round_robin"),
            ],
            ..Setup::default()
        };
        let shop = stripe.shop(setup).await;
        let accounts = ACCOUNTS.map(|name| stripe.account(name));
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let mut left = ACCOUNTS.to_vec();
        while !left.is_empty() {
            let order = shop.order(&customer, &product, "pm_card_visa").await;
            shop.until_settled(&order).await;
            let at = place(&shop, &customer, &order).await;
            let Some(found) = left
                .iter()
                .position(|name| at == format!("stripe:{name} 1"))
            else {
                continue;
            };
            let name = left.remove(found);
            let index = ACCOUNTS.iter().position(|account| *account == name);
            let index = index.unwrap();
            let (account, other) = (&accounts[index], &accounts[1 - index]);
            let intent = account.intents_of(&order).await.remove(0);
            let charged = json!({"type": "payment_intent.succeeded", "data": {"object": intent}});
            let own = account.signing_secret();
            assert_eq!(tell(&shop, &charged, &own).await, 204);
            assert_eq!(tell(&shop, &charged, "whsec_foreign").await, 400);
            // localstripe signs what it sends with the account's own secret.
            let dispute = account.dispute(intent["id"].as_str().unwrap()).await;
            let opened = json!({
                "type": "charge.dispute.created",
                "data": {"object": {"id": dispute, "payment_intent": intent["id"]}},
            });
            assert_eq!(tell(&shop, &opened, "whsec_foreign").await, 400);
            assert_eq!(tell(&shop, &opened, &other.signing_secret()).await, 503);
            until_shown(&shop, &customer, &order, &dispute, "opened").await;
            account.decide(&dispute, true).await;
            until_shown(&shop, &customer, &order, &dispute, "won").await;
            assert_eq!(tell(&shop, &opened, &own).await, 204);
        }
        shop.audited().await.unwrap();
    });
}
