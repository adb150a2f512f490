//! Refunds of orders that gift cards pay in part or wholly.

use super::*;
use crate::orders::gift_cards::code::GiftCardCode;
use crate::orders::gift_cards::model::GiftCard;
use crate::orders::gift_cards::store::GiftCardStore;
use crate::orders::model::Order;
use crate::orders::redemptions::Redemption;
use crate::orders::refunds::on_payment_refunded;
use crate::payments::events;
use crate::payments::fixtures::order;
use crate::payments::webhooks::tests::{event, tell_event};
use crate::runtime::Message;
use crate::values::id::GiftCardId;

/// A shop whose order of 40.00 is paid with `from_cards` of a card of 40.00, and for the rest with `token`.
async fn beside_cards(token: &str, from_cards: &str) -> (Shop, GiftCardStore) {
    let code = GiftCardCode::random().unwrap();
    let card = GiftCard {
        id: card(),
        last_four: code.last_four(),
        issued: eur("40.00"),
        balance: eur("40.00"),
        customer_id: None,
        expires_at: None,
        request_hash: "hash".to_owned(),
        created_at: after(0),
        updated_at: after(0),
    };
    let redemption = Redemption {
        card: card.id,
        last_four: card.last_four.clone(),
        amount: eur(from_cards),
    };
    let order = Order {
        gift_cards: vec![redemption],
        ..order(token)
    };
    let shop = Shop::with_order(&order).await;
    let cards = GiftCardStore::new(&shop.aws).unwrap();
    cards.create(&card, &code).await.unwrap();
    let writes = cards.take(order.id, &order.gift_cards[0], after(0));
    cards.write_all(writes.unwrap().into()).await;
    shop.process().await;
    assert_eq!(shop.process().await, "completed");
    shop.order_becomes(Status::Confirmed).await;
    (shop, cards)
}

fn card() -> GiftCardId {
    GiftCardId::derived(&["card"])
}

async fn balance(cards: &GiftCardStore) -> String {
    let card = cards.get(card()).await.unwrap().unwrap();
    card.balance.amount().to_string()
}

/// Delivers the payment's last event to the orders.
async fn deliver(shop: &Shop, cards: &GiftCardStore) {
    let item = shop.engine.items(Setting::PaymentsTable).remove(0);
    let last = events::published(serde_dynamo::to_item(item).unwrap());
    let last = last.unwrap().unwrap();
    let message = Message {
        id: "1".to_owned(),
        body: json!({"time": after(20), "detail": last}).to_string(),
        sent_at: after(20),
        receive_count: 1,
    };
    on_payment_refunded(&shop.orders, cards, message)
        .await
        .unwrap();
}

/// Returns what refunds have returned: at the gateway, and to cards.
async fn returned(shop: &Shop) -> (String, String) {
    let payment = shop.payment().await;
    assert!(!payment.has_pending_refund());
    let text = |money: crate::values::money::Money| money.amount().to_string();
    (
        text(payment.amounts.refunded()),
        text(payment.gift_cards.refunded),
    )
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[tokio::test]
async fn a_refund_goes_back_where_it_came_from() {
    let (shop, cards) = beside_cards("tok_ok", "30.00").await;
    assert_eq!(shop.books().await, "completed 10.00 10.00 0.00 v1");
    assert_eq!(balance(&cards).await, "10.00");
    let (status, body) = refund(&shop, "a", euros("10.00")).await;
    assert_eq!((status, &body["amount"]["amount"]), (201, &json!("10.00")));
    assert_eq!(body["gift_card_amount"]["amount"], "7.50");
    assert_eq!(returned(&shop).await, pair("2.50", "7.50"));
    for _ in 0..2 {
        deliver(&shop, &cards).await;
        assert_eq!(balance(&cards).await, "17.50");
    }
    let order = shop.orders.get(order_id()).await.unwrap().unwrap();
    assert_eq!(order.payment_status.as_str(), "partially_refunded");
    let (status, detail) = refund(&shop, "b", euros("30.01")).await;
    let expected = json!("only 30.00 EUR of the payment is left to refund");
    assert_eq!((status, detail), (409, expected));
    assert_eq!(refund(&shop, "c", euros("30.00")).await.0, 201);
    assert_eq!(shop.books().await, "refunded 10.00 10.00 10.00 v3");
    assert_eq!(returned(&shop).await, pair("10.00", "30.00"));
    deliver(&shop, &cards).await;
    assert_eq!(balance(&cards).await, "40.00");
    let order = shop.orders.get(order_id()).await.unwrap().unwrap();
    assert_eq!(order.payment_status.as_str(), "refunded");
    assert_eq!(shop.calls(), "charge refund refund");
}

#[tokio::test]
async fn what_cards_paid_wholly_is_refunded_without_the_gateway() {
    let (shop, cards) = beside_cards("tok_ok", "40.00").await;
    assert_eq!(shop.books().await, "completed 0.00 0.00 0.00 v1");
    // The function dies before it can store that the refund has succeeded.
    shop.engine.fail_next("TransactWriteItems", Fault::None);
    for _ in 0..3 {
        shop.engine.fail_next("TransactWriteItems", Fault::Failed);
    }
    refund(&shop, "a", euros("15.00")).await;
    assert!(shop.payment().await.has_pending_refund());
    reconcile(&shop, 3600).await;
    assert_eq!(returned(&shop).await, pair("0.00", "15.00"));
    assert_eq!(shop.books().await, "partially_refunded 0.00 0.00 0.00 v2");
    deliver(&shop, &cards).await;
    assert_eq!(balance(&cards).await, "15.00");
    assert_eq!(refund(&shop, "b", euros("25.00")).await.0, 201);
    assert_eq!(shop.books().await, "refunded 0.00 0.00 0.00 v3");
    assert_eq!(shop.calls(), "");
}

#[tokio::test]
async fn a_refund_that_the_gateway_refuses_gives_the_part_of_the_cards_back_too() {
    let (shop, _) = beside_cards("tok_refund_fails", "30.00").await;
    for key in ["a", "b"] {
        let (status, body) = refund(&shop, key, euros("40.00")).await;
        assert_eq!((status, &body["status"]), (201, &json!("failed")), "{body}");
    }
    assert_eq!(returned(&shop).await, pair("0.00", "0.00"));
    assert_eq!(shop.books().await, "completed 10.00 10.00 0.00 v1");
}

#[test]
fn many_refunds_at_once_return_to_neither_more_than_it_paid() {
    let (shop, _) = testing::at_once([async || beside_cards("tok_ok", "29.99").await]).remove(0);
    let shop = &shop;
    let answers =
        testing::at_once((0..60).map(|number| {
            async move || refund(shop, &format!("key-{number}"), euros("0.97")).await
        }));
    testing::at_once([async || {
        for minutes in 2..10 {
            reconcile(shop, minutes * 3600).await;
        }
    }]);
    let accepted = answers.iter().filter(|(status, _)| *status == 201).count();
    assert!((1..=41).contains(&accepted), "{accepted}");
    let payment = testing::at_once([async || shop.payment().await]).remove(0);
    let (gateway, cards) = (payment.amounts.refunded(), payment.gift_cards.refunded);
    let all = eur("0.97").times(u32::try_from(accepted).unwrap()).unwrap();
    assert_eq!(gateway.plus(cards), Ok(all));
    let exact = all.minor_units().unwrap() * 2999 / 4000;
    assert_eq!(cards.minor_units(), Some(exact));
    assert!(!payment.has_pending_refund());
}

#[tokio::test]
async fn a_cancelled_order_returns_what_is_left_to_each_after_refunds() {
    for (from_cards, refunded, end) in [
        ("30.00", "10.00", "refunded"),
        // Rounding takes all of the gateway's with the first refunds.
        ("39.99", "0.01", "refunded"),
        ("40.00", "10.00", "voided"),
    ] {
        let (shop, _) = beside_cards("tok_ok", from_cards).await;
        assert_eq!(refund(&shop, "a", euros(refunded)).await.0, 201);
        shop.order_becomes(Status::Cancelled).await;
        assert_eq!(shop.void().await, end, "{from_cards}");
        assert_eq!(shop.void().await, end, "{from_cards}");
        let payment = shop.payment().await;
        assert_eq!(payment.amounts.refunded(), payment.amounts.captured());
        assert!(!payment.has_pending_refund());
        let sum = stored(&shop)
            .await
            .iter()
            .fold(eur("0.00"), |sum, refund| sum.plus(refund.amount).unwrap());
        let expected = payment.amounts.refunded().plus(payment.gift_cards.refunded);
        assert_eq!(Ok(sum), expected, "{from_cards}");
        if end == "refunded" {
            assert_eq!(sum, eur("40.00"));
        }
    }
}

#[tokio::test]
async fn a_refund_to_cards_that_begins_while_the_order_ends_is_settled_first() {
    let (shop, _) = beside_cards("tok_ok", "39.99").await;
    // The gateway has returned all of its part, so the next one is the cards' alone.
    assert_eq!(refund(&shop, "a", euros("0.01")).await.0, 201);
    shop.order_becomes(Status::Cancelled).await;
    let other = shop.clone();
    shop.engine.before_next("UpdateItem", async move || {
        // It dies between its two writes.
        other.engine.fail_next("TransactWriteItems", Fault::None);
        for _ in 0..3 {
            other.engine.fail_next("TransactWriteItems", Fault::Failed);
        }
        refund(&other, "b", euros("5.00")).await;
        assert!(other.payment().await.has_pending_refund());
    });
    let mut end = shop.void().await;
    for _ in 0..3 {
        if end != "refunded" {
            end = shop.void().await;
        }
    }
    assert_eq!(end, "refunded");
    assert!(!shop.payment().await.has_pending_refund());
    let all = stored(&shop).await;
    assert!(
        all.iter()
            .all(|refund| refund.status == RefundStatus::Succeeded)
    );
    assert_eq!(returned(&shop).await, pair("0.01", "39.99"));
}

#[tokio::test]
async fn of_two_refunds_of_everything_to_cards_at_once_one_is_made() {
    let (shop, _) = beside_cards("tok_ok", "40.00").await;
    let other = shop.clone();
    shop.engine
        .before_next("TransactWriteItems", async move || {
            assert_eq!(refund(&other, "b", euros("40.00")).await.0, 201);
        });
    let (status, detail) = refund(&shop, "a", euros("40.00")).await;
    let expected = json!("only 0.00 EUR of the payment is left to refund");
    assert_eq!((status, detail), (409, expected));
    assert_eq!(returned(&shop).await, pair("0.00", "40.00"));
}

#[tokio::test]
async fn of_a_refund_that_comes_back_the_gift_cards_keep_their_part() {
    let (shop, cards) = beside_cards("tok_ok", "30.00").await;
    let (_, body) = refund(&shop, "a", euros("20.00")).await;
    assert_eq!(returned(&shop).await, pair("5.00", "15.00"));
    deliver(&shop, &cards).await;
    let mut told = event("refund.failed");
    told["refund"] = body["id"].clone();
    for _ in 0..2 {
        assert_eq!(tell_event(&shop, &told).await, "204");
        assert_eq!(returned(&shop).await, pair("0.00", "15.00"));
        assert_eq!(shop.books().await, "partially_refunded 10.00 10.00 0.00 v3");
        deliver(&shop, &cards).await;
        assert_eq!(balance(&cards).await, "25.00");
    }
    // Everything else can be refunded again, and goes to where it came from.
    assert_eq!(refund(&shop, "b", euros("25.00")).await.0, 201);
    assert_eq!(returned(&shop).await, pair("10.00", "30.00"));
    deliver(&shop, &cards).await;
    assert_eq!(balance(&cards).await, "40.00");
    let refunds = stored(&shop).await;
    let sum: u64 = refunds
        .iter()
        .map(|refund| refund.amount.minor_units().unwrap())
        .sum();
    assert_eq!(sum, 4000, "{refunds:?}");
}
