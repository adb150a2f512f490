//! Orders that are paid with gift cards.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::aws::settings::Setting;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::checkout::{Checkout, place_order};
use crate::orders::fixtures::{
    Shop, after, customer, eur, json_of, placed_at, product, request, step, with_header,
};
use crate::orders::gift_cards::code::GiftCardCode;
use crate::orders::gift_cards::model::GiftCard;
use crate::orders::gift_cards::returns;
use crate::orders::guests::place_guest_order;
use crate::orders::model::{Failure, FailureCode, Order};
use crate::orders::redemptions::{self, Redemption};
use crate::orders::{rules, workflow};
use crate::testing::{self, Fault};
use crate::values::clock::Time;
use crate::values::id::GiftCardId;
use crate::values::money::Money;

/// Issues a card of `amount`, and returns its id and its code.
pub(super) async fn issue(
    shop: &Shop,
    amount: Money,
    change: impl FnOnce(GiftCard) -> GiftCard,
) -> Card {
    let code = GiftCardCode::random().unwrap();
    let card = change(GiftCard {
        id: GiftCardId::derived(&[&code.reveal()]),
        last_four: code.last_four(),
        issued: amount,
        balance: amount,
        customer_id: None,
        expires_at: None,
        request_hash: "hash".to_owned(),
        created_at: placed_at(),
        updated_at: placed_at(),
    });
    shop.gift_cards.create(&card, &code).await.unwrap();
    Card {
        id: card.id,
        code: code.reveal(),
    }
}

pub(super) struct Card {
    pub(super) id: GiftCardId,
    pub(super) code: String,
}

pub(super) async fn plain(shop: &Shop, euros: &str) -> Card {
    issue(shop, eur(euros), |card| card).await
}

pub(super) async fn balance(shop: &Shop, card: &Card) -> Money {
    shop.gift_cards.get(card.id).await.unwrap().unwrap().balance
}

/// A shop that sells sencha, two of which cost 25.80.
pub(super) async fn shop() -> (Shop, Checkout) {
    let shop = Shop::selling_sencha().await;
    let checkout = Checkout::new(&shop.aws).unwrap();
    (shop, checkout)
}

pub(super) fn body(token: Option<&str>, cards: &[&Card]) -> Value {
    let codes: Vec<&str> = cards.iter().map(|card| card.code.as_str()).collect();
    let mut payment = json!({"gift_card_codes": codes});
    if let Some(token) = token {
        payment["token"] = json!(token);
    }
    json!({
        "items": [{"product_id": product("sencha"), "quantity": 2}],
        "shipping_address": {
            "recipient": "Ana", "line1": "Lindenstraße 12", "city": "Wien",
            "postal_code": "1070", "country": "AT",
        },
        "payment": payment,
    })
}

pub(super) fn placing(key: &str, body: &Value, now: Time) -> Request {
    let request = with_header(request("ana", now), "content-type", "application/json");
    let mut request = with_header(request, "idempotency-key", key);
    request.body = body.to_string().into_bytes();
    request
}

pub(super) async fn place(
    checkout: &Checkout,
    key: &str,
    body: &Value,
) -> Result<Response, Problem> {
    place_order(checkout, placing(key, body, placed_at())).await
}

async fn stored(shop: &Shop, answer: &Response) -> Order {
    let id = json_of(answer)["id"].as_str().unwrap().parse().unwrap();
    shop.orders.get(id).await.unwrap().unwrap()
}

/// Returns the faults, or the problem if it is about something else.
pub(super) fn faults(answer: Result<Response, Problem>) -> Vec<String> {
    match answer {
        Err(Problem::InvalidBody(faults)) => faults
            .iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect(),
        Err(problem) => vec![problem.to_string()],
        Ok(answer) => panic!("it is placed: {}", json_of(&answer)),
    }
}

#[tokio::test]
async fn cards_pay_in_their_order_up_to_the_total_and_then_no_token_is_needed() {
    let (shop, checkout) = shop().await;
    let (first, second, third) = (
        plain(&shop, "10.00").await,
        plain(&shop, "20.00").await,
        plain(&shop, "5.00").await,
    );
    let all = body(None, &[&first, &second, &third]);
    let answer = place(&checkout, "a", &all).await.unwrap();
    let shown = json_of(&answer);
    let amounts: Vec<&Value> = shown["gift_cards"].as_array().unwrap().iter().collect();
    let amounts: Vec<&str> = amounts
        .iter()
        .map(|card| card["amount"]["amount"].as_str().unwrap())
        .collect();
    assert_eq!(amounts, ["10.00", "15.80"]);
    assert_eq!(shown["total_amount"]["amount"], "25.80");
    assert_eq!(shown["amount_due"]["amount"], "0.00");
    let order = stored(&shop, &answer).await;
    assert_eq!(order.payment_token, None);
    assert_eq!(order.amount_due().unwrap(), eur("0.00"));
    assert_eq!(balance(&shop, &first).await, eur("0.00"));
    assert_eq!(balance(&shop, &second).await, eur("4.20"));
    assert_eq!(balance(&shop, &third).await, eur("5.00"));
    let rest = body(Some("tok_ok"), &[&second]);
    let answer = place(&checkout, "b", &rest).await.unwrap();
    assert_eq!(json_of(&answer)["amount_due"]["amount"], "21.60");
}

#[tokio::test]
async fn what_does_not_pay_is_said_by_its_place_and_nothing_is_written() {
    let (shop, checkout) = shop().await;
    let good = plain(&shop, "10.00").await;
    let unknown = Card {
        id: good.id,
        code: GiftCardCode::random().unwrap().reveal(),
    };
    let expired = issue(&shop, eur("10.00"), |card| GiftCard {
        expires_at: Some(placed_at()),
        ..card
    })
    .await;
    let dollars = Money::parse("10.00", "USD".parse().unwrap()).unwrap();
    let dollars = issue(&shop, dollars, |card| card).await;
    let bens = issue(&shop, eur("10.00"), |card| GiftCard {
        customer_id: Some(customer("ben")),
        ..card
    })
    .await;
    let empty = issue(&shop, eur("10.00"), |card| GiftCard {
        balance: eur("0.00"),
        ..card
    })
    .await;
    let before = (
        shop.engine.items(Setting::GiftCardsTable),
        shop.engine.items(Setting::OrdersTable),
    );
    let cards = [&unknown, &expired, &dollars, &bens, &empty];
    let refused = faults(place(&checkout, "a", &body(Some("tok_ok"), &cards)).await);
    let expected = [
        "/payment/gift_card_codes/0 unknown_code",
        "/payment/gift_card_codes/1 expired",
        "/payment/gift_card_codes/2 other_currency",
        "/payment/gift_card_codes/3 other_customer",
        "/payment/gift_card_codes/4 empty",
    ];
    assert_eq!(refused, expected);
    for (token, cards, expected) in [
        (None, vec![&good], "/payment/token required"),
        (None, vec![], "/payment/token required"),
        (
            Some("tok_ok"),
            vec![&good, &good],
            "/payment/gift_card_codes/1 repeated",
        ),
    ] {
        let refused = faults(place(&checkout, "a", &body(token, &cards)).await);
        assert_eq!(refused, [expected]);
    }
    let after = (
        shop.engine.items(Setting::GiftCardsTable),
        shop.engine.items(Setting::OrdersTable),
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn store_credit_pays_for_its_customer_and_not_for_a_guest() {
    let (shop, checkout) = shop().await;
    let anas = issue(&shop, eur("30.00"), |card| GiftCard {
        customer_id: Some(customer("ana")),
        ..card
    })
    .await;
    let mut guest = body(None, &[&anas]);
    guest["email"] = json!("ana@example.com");
    let links = crate::customers::link::Links::new(&shop.aws).unwrap();
    let refused = place_guest_order(&checkout, &links, placing("a", &guest, placed_at())).await;
    assert_eq!(
        faults(refused),
        ["/payment/gift_card_codes/0 other_customer"]
    );
    place(&checkout, "a", &body(None, &[&anas])).await.unwrap();
    assert_eq!(balance(&shop, &anas).await, eur("4.20"));
}

#[tokio::test]
async fn a_card_that_another_order_uses_meanwhile_pays_what_is_left() {
    let (shop, checkout) = shop().await;
    let card = plain(&shop, "30.00").await;
    let other = (Checkout::new(&shop.aws).unwrap(), body(None, &[&card]));
    shop.engine
        .before_next("TransactWriteItems", async move || {
            place(&other.0, "other", &other.1).await.unwrap();
        });
    let answer = place(&checkout, "a", &body(Some("tok_ok"), &[&card])).await;
    assert_eq!(json_of(&answer.unwrap())["amount_due"]["amount"], "21.60");
    assert_eq!(balance(&shop, &card).await, eur("0.00"));
}

#[tokio::test]
async fn two_hundred_orders_at_once_take_no_more_than_a_card_has() {
    let (shop, checkout) = shop().await;
    let card = plain(&shop, "1000.00").await;
    let wanted = body(Some("tok_ok"), &[&card]);
    let answers = testing::at_once((0..200).map(|number| {
        let (checkout, wanted) = (&checkout, &wanted);
        async move || place(checkout, &format!("key-{number}"), wanted).await
    }));
    let mut taken = eur("0.00");
    let mut placed = 0;
    for answer in answers {
        match answer {
            Ok(answer) => {
                let order = stored(&shop, &answer).await;
                taken = taken.plus(order.paid_by_gift_cards().unwrap()).unwrap();
                placed += 1;
            }
            Err(Problem::InvalidBody(faults)) => assert_eq!(faults[0].code, "empty"),
            Err(Problem::Busy(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let left = balance(&shop, &card).await;
    assert_eq!(left.plus(taken).unwrap(), eur("1000.00"));
    assert!(placed > 0);
}

#[tokio::test]
async fn the_same_request_takes_once_however_often_and_at_once_it_comes() {
    let (shop, checkout) = shop().await;
    let card = plain(&shop, "25.80").await;
    let wanted = body(None, &[&card]);
    let answers = testing::at_once((0..20).map(|_| {
        let (checkout, wanted) = (&checkout, &wanted);
        async move || place(checkout, "a", wanted).await
    }));
    let ids: Vec<Value> = answers
        .into_iter()
        .map(|answer| json_of(&answer.unwrap())["id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(balance(&shop, &card).await, eur("0.00"));
    let (other, second) = (plain(&shop, "30.00").await, "b");
    let wanted = body(None, &[&other]);
    shop.engine
        .fail_next("TransactWriteItems", Fault::LostAnswer);
    let first = place(&checkout, second, &wanted).await;
    let again = place(&checkout, second, &wanted).await.unwrap();
    assert!(first.is_ok_and(|first| json_of(&first)["id"] == json_of(&again)["id"]));
    assert_eq!(balance(&shop, &other).await, eur("4.20"));
}

#[tokio::test]
async fn what_a_failed_or_cancelled_order_took_comes_back_once() {
    for fails in [true, false] {
        let (shop, checkout) = shop().await;
        let (first, second) = (plain(&shop, "10.00").await, plain(&shop, "10.00").await);
        let answer = place(&checkout, "a", &body(Some("tok_ok"), &[&first, &second])).await;
        let order = stored(&shop, &answer.unwrap()).await;
        let close = async |seconds| {
            let step = step(&order, after(seconds));
            workflow::close_order(&shop.orders, &shop.gift_cards, step).await
        };
        assert!(close(1).await.is_err(), "the order is pending");
        assert_eq!(balance(&shop, &first).await, eur("0.00"));
        let ended = if fails {
            let failure = Failure::new(FailureCode::OutOfStock, "no");
            rules::fail(order.clone(), failure, after(1)).unwrap()
        } else {
            rules::cancel(order.clone(), after(1), None).unwrap()
        };
        shop.orders.replace(ended.unwrap(), &[]).await.unwrap();
        // The first run dies after the first card.
        shop.engine.fail_next("TransactWriteItems", Fault::None);
        for _ in 0..3 {
            shop.engine.fail_next("TransactWriteItems", Fault::Failed);
        }
        assert!(close(2).await.is_err());
        assert_eq!(balance(&shop, &first).await, eur("10.00"));
        assert_eq!(balance(&shop, &second).await, eur("0.00"));
        assert!(stored_due(&shop, &order).await);
        testing::at_once((0..8).map(|number| {
            let close = &close;
            async move || drop(close(3 + number).await)
        }));
        close(20).await.unwrap();
        assert_eq!(balance(&shop, &first).await, eur("10.00"));
        assert_eq!(balance(&shop, &second).await, eur("10.00"));
        assert!(!stored_due(&shop, &order).await);
    }
}

async fn stored_due(shop: &Shop, order: &Order) -> bool {
    shop.stored(order).await.due_at.is_some()
}

#[tokio::test]
async fn late_and_repeated_returns_bring_nothing_back_twice() {
    let (shop, checkout) = shop().await;
    let card = plain(&shop, "20.00").await;
    let answer = place(&checkout, "a", &body(Some("tok_ok"), &[&card])).await;
    let order = stored(&shop, &answer.unwrap()).await;
    for (total, expected) in [
        ("5.00", "5.00"),
        ("5.00", "5.00"),
        ("12.00", "12.00"),
        ("7.00", "12.00"),
        ("99.00", "20.00"),
        ("20.00", "20.00"),
    ] {
        let back = returns::bring_back(&shop.gift_cards, &order, eur(total), after(9));
        back.await.unwrap();
        assert_eq!(balance(&shop, &card).await, eur(expected), "{total}");
    }
}

#[tokio::test]
async fn a_card_is_read_with_what_its_orders_took_unless_they_are_too_many() {
    let (shop, checkout) = shop().await;
    let card = plain(&shop, "30.00").await;
    for key in ["a", "b"] {
        let wanted = body(Some("tok_ok"), &[&card]);
        place(&checkout, key, &wanted).await.unwrap();
    }
    let (found, orders) = shop
        .gift_cards
        .with_orders(card.id, 2)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.balance, eur("0.00"));
    let mut taken: Vec<Money> = orders.unwrap().iter().map(|order| order.amount).collect();
    taken.sort_by_key(|amount| amount.minor_units());
    assert_eq!(taken, [eur("4.20"), eur("25.80")]);
    let (_, orders) = shop
        .gift_cards
        .with_orders(card.id, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(orders, None);
    let other = GiftCardId::derived(&["other"]);
    assert!(
        shop.gift_cards
            .with_orders(other, 1)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn of_two_returns_at_once_the_larger_one_counts() {
    let (shop, checkout) = shop().await;
    let card = plain(&shop, "20.00").await;
    let answer = place(&checkout, "a", &body(Some("tok_ok"), &[&card])).await;
    let order = stored(&shop, &answer.unwrap()).await;
    let (cards, other) = (shop.gift_cards.clone(), order.clone());
    shop.engine
        .before_next("TransactWriteItems", async move || {
            let back = returns::bring_back(&cards, &other, eur("5.00"), after(9));
            back.await.unwrap();
        });
    let back = returns::bring_back(&shop.gift_cards, &order, eur("12.00"), after(9));
    back.await.unwrap();
    assert_eq!(balance(&shop, &card).await, eur("12.00"));
}

proptest! {
    #[test]
    fn what_comes_back_is_spread_over_the_cards_and_each_gets_no_more_than_it_paid(
        paid in prop::collection::vec(1_u64..10_000, 0..5),
        returned in 0_u64..60_000,
    ) {
        let currency = "EUR".parse().unwrap();
        let money = |units| Money::from_minor_units(units, currency).unwrap();
        let redemptions: Vec<Redemption> = paid
            .iter()
            .map(|units| Redemption {
                card: GiftCardId::derived(&["card"]),
                last_four: "2345".to_owned(),
                amount: money(*units),
            })
            .collect();
        let parts = redemptions::returned_of_each(&redemptions, money(returned)).unwrap();
        let sum = Money::sum(currency, parts.iter().copied()).unwrap();
        let all: u64 = paid.iter().sum();
        prop_assert_eq!(sum, money(returned.min(all)));
        for (part, redemption) in parts.iter().zip(&redemptions) {
            prop_assert!(part.compare(redemption.amount).unwrap().is_le());
        }
    }
}
