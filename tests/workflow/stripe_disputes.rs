//! Disputes at Stripe: localstripe has none, so the launcher of the tests adds them as Stripe documents them.

use serde_json::{Value, json};

use super::stripe::refund;
use crate::support::people::Person;
use crate::support::prices::{money, written};
use crate::support::shop::{Setup, Shop};
use crate::support::stripe::Localstripe;
use crate::support::{run_in_euros, until};

/// Waits until the dispute `id` of the order's payment has `status`.
pub(super) async fn until_shown(
    shop: &Shop,
    customer: &Person,
    order: &str,
    id: &str,
    status: &str,
) {
    let expected = json!([{
        "id": id, "status": status, "amount": money("39.80"), "reason": "fraudulent",
    }]);
    until("the dispute is shown", async || {
        let disputes = shop.payment(customer, order).await["disputes"].clone();
        if disputes == expected {
            Ok(())
        } else {
            Err(disputes.to_string())
        }
    })
    .await;
}

/// Waits until the ledger has `expected` of a payment.
async fn until_in_ledger(shop: &Shop, payment: &str, expected: &[&str]) {
    until("the dispute is in the ledger", async || {
        let call = shop.get(&format!("/ledger?payment_id={payment}"));
        let page = call.bearer(&shop.admin().await.token).send().await;
        let page = page.expect(200).json();
        let entries = page["items"].as_array().unwrap().iter();
        let entries = entries.map(|entry| {
            let of = entry["of"].as_str().unwrap();
            format!("{of} {}", written(&entry["amount"]))
        });
        let entries: Vec<String> = entries.collect();
        if entries == expected {
            Ok(())
        } else {
            Err(format!("{entries:?}"))
        }
    })
    .await;
}

/// Waits until the events `PaymentDisputed` of `payment` have `expected`.
async fn until_published(shop: &Shop, payment: &str, expected: &[&str]) {
    until("the dispute is published", async || {
        let mut events = shop.items("EventLogTable").await;
        events.retain(|event| event.to_string().contains(payment));
        events.retain(|event| event["event_type"] == "PaymentDisputed");
        events.sort_by_key(|event| event["version"].as_u64());
        let statuses: Vec<&Value> = events
            .iter()
            .map(|event| &event["data"]["status"])
            .collect();
        if statuses == expected {
            Ok(())
        } else {
            Err(format!("{events:?}"))
        }
    })
    .await;
}

#[test]
fn disputes_of_stripe_are_on_the_payment_in_the_ledger_and_in_events() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = stripe.shop(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        for won in [true, false] {
            let order = shop.order(&customer, &product, "pm_card_visa").await;
            shop.until_settled(&order).await;
            let payment = shop.payment_of(&order).await;
            let intents = stripe.intents_of(&order).await;
            let dispute = stripe.dispute(intents[0]["id"].as_str().unwrap()).await;
            until_shown(&shop, &customer, &order, &dispute, "opened").await;
            // What the bank has taken cannot be refunded.
            let call = shop.post(&format!("/payments/{payment}/refunds"));
            let call = call.bearer(&shop.admin().await.token).key(&dispute);
            let call = call.json(&json!({"amount": money("1.00")}));
            call.send().await.expect(409);
            stripe.decide(&dispute, won).await;
            let (status, booked) = if won {
                ("won", "dispute_won 39.80")
            } else {
                ("lost", "dispute_lost 39.80")
            };
            until_shown(&shop, &customer, &order, &dispute, status).await;
            let charged = ["authorised 39.80", "captured 39.80", "disputed 39.80"];
            let mut entries = [&charged[..], &[booked]].concat();
            until_in_ledger(&shop, &payment, &entries).await;
            until_published(&shop, &payment, &["opened", status]).await;
            if won {
                let made = refund(&shop, &payment, &json!({"amount": money("1.00")})).await;
                assert_eq!(made["status"], "succeeded", "{made}");
                entries.push("refunded 1.00");
                until_in_ledger(&shop, &payment, &entries).await;
            }
            // Of a lost one nothing is left, so that nothing more is refunded.
            shop.cancel(&customer, &order).await.expect(200);
            shop.until_settled(&order).await;
            let shown = shop.payment(&customer, &order).await;
            let refunded = if won { "39.80" } else { "0.00" };
            assert_eq!(shown["refunded"], money(refunded), "{shown}");
        }
        let refunds = stripe.refunds().await;
        let total: u64 = refunds.iter().map(|r| r["amount"].as_u64().unwrap()).sum();
        assert_eq!(total, 3980, "{refunds:?}");
        shop.audited().await.unwrap();
    });
}
