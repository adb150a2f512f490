//! The balance transactions of localstripe. It takes no `created`, as it is not sent any; it has no fees, disputes or payouts,
//! and does not copy an intent's metadata to its charge, so each charge's intent is read.

use super::*;
use crate::payments::days::Span;
use crate::payments::gateway::statement::{Fee, Kind};
use crate::payments::model::{GatewayName, Provider};
use crate::values::clock::Time;
use crate::values::money::Money;

/// Returns all movements within `hours` of the first intent of `localstripe`, and how many pages they took.
async fn statement(
    shop: &Shop,
    localstripe: &Localstripe,
    hours: (i64, i64),
) -> (Vec<String>, usize) {
    let created = localstripe.intents()[0]["created"].as_i64().unwrap();
    let hour = |hours: i64| Time::from_millis((created + hours * 3600) * 1000);
    let span = Span {
        from: hour(hours.0),
        to: hour(hours.1),
    };
    let gateway: GatewayName = Provider::Stripe.into();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = shop
            .stripe
            .statement(&gateway, span, after.as_deref())
            .await
            .unwrap();
        pages += 1;
        for moved in page.items {
            let refund = moved.refund == Some(refund_key("first").refund);
            let ours = moved.charge == Some(key().at(gateway.clone()));
            found.push(format!("{:?} {} {ours} {refund}", moved.kind, moved.amount));
        }
        after = page.next;
        if after.is_none() {
            found.sort();
            return (found, pages);
        }
    }
}

#[tokio::test]
async fn a_statement_has_the_shops_charges_and_refunds_of_the_time() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    assert_eq!(shop.refund("first", "10.00").await, "succeeded");
    let moved = statement(&shop, &localstripe, (-1, 1)).await;
    let both = ["Charge 40.00 EUR true false", "Refund 10.00 EUR true true"];
    assert_eq!(moved, (both.map(str::to_owned).to_vec(), 1));
    for elsewhere in [(-2, -1), (1, 2)] {
        assert_eq!(
            statement(&shop, &localstripe, elsewhere).await,
            (Vec::new(), 1)
        );
    }
    // What another program charges with the account is a movement of nobody known, and there are more than fit on a page.
    for _ in 0..60 {
        localstripe.charge(700);
    }
    let (moved, pages) = statement(&shop, &localstripe, (-1, 1)).await;
    assert_eq!((moved.len(), pages), (62, 2));
    let others = moved
        .iter()
        .filter(|line| *line == "Charge 7.00 EUR false false");
    assert_eq!(others.count(), 60);
    // What is before the time is not read.
    assert_eq!(statement(&shop, &localstripe, (1, 2)).await.1, 1);
}

#[tokio::test]
async fn each_transaction_is_what_its_category_says() {
    let shop = Shop::before(0);
    let transaction = |category: &str, source: serde_json::Value| {
        json!({"id": "txn_1", "amount": -1500, "currency": "eur", "created": 1_772_357_400,
            "reporting_category": category, "source": source})
    };
    let ours = json!({"order_id": key().order_id, "attempt": "1", "refund_id": refund_key("first").refund});
    let gateway: GatewayName = Provider::Stripe.into();
    for (category, source, kind, amount, is_ours) in [
        (
            "refund_failure",
            json!({"metadata": ours}),
            Kind::RefundReturned,
            "15.00 EUR",
            true,
        ),
        (
            "dispute",
            json!({"metadata": {}, "payment_intent": null}),
            Kind::Dispute,
            "15.00 EUR",
            false,
        ),
        (
            "dispute_reversal",
            json!({}),
            Kind::DisputeWon,
            "15.00 EUR",
            false,
        ),
        ("payout", json!("po_1"), Kind::Other, "15.00 EUR", false),
        ("fee", json!(null), Kind::Other, "15.00 EUR", false),
        // The account is in another currency.
        (
            "charge",
            json!({"amount": 1700, "currency": "usd", "metadata": ours}),
            Kind::Charge,
            "17.00 USD",
            true,
        ),
    ] {
        let page = json!({"data": [transaction(category, source)], "has_more": true}).to_string();
        shop.proxy
            .treat(move |_| Treatment::Answer(200, page.clone()));
        let span = Span {
            from: Time::from_millis(1_772_357_400_000),
            to: Time::from_millis(1_772_357_401_000),
        };
        let found = shop.stripe.statement(&gateway, span, None).await.unwrap();
        assert_eq!(found.next.as_deref(), Some("txn_1"));
        let moved = &found.items[0];
        assert_eq!(
            (moved.kind, moved.charge.is_some()),
            (kind, is_ours),
            "{category}"
        );
        assert_eq!(moved.amount.to_string(), amount);
    }
}

#[tokio::test]
async fn a_fee_is_in_the_currency_of_the_account() {
    let shop = Shop::before(0);
    let money = |units| Money::from_minor_units(units, "EUR".parse().unwrap()).unwrap();
    for (fee, expected) in [
        (json!(85), Some(Fee::Kept(money(85)))),
        (json!(-1500), Some(Fee::Returned(money(1500)))),
        (json!(0), None),
    ] {
        let source = json!({"amount": 1700, "currency": "usd", "metadata": {}});
        let transaction = json!({
            "id": "txn_1", "amount": 1500, "currency": "eur", "created": 1_772_357_400, "fee": fee,
            "reporting_category": "charge", "source": source,
        });
        let page = json!({"data": [transaction], "has_more": false}).to_string();
        shop.proxy
            .treat(move |_| Treatment::Answer(200, page.clone()));
        let span = Span {
            from: Time::from_millis(1_772_357_400_000),
            to: Time::from_millis(1_772_357_401_000),
        };
        let gateway: GatewayName = Provider::Stripe.into();
        let found = shop.stripe.statement(&gateway, span, None).await.unwrap();
        assert_eq!(found.items[0].fee, expected);
    }
}
