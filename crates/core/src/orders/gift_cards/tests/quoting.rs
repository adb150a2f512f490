//! Quotes that show what gift cards would pay.

use serde_json::{Value, json};

use super::redeeming::{Card, balance, body, faults, issue, placing, plain, shop};
use crate::aws::settings::Setting;
use crate::customers::link::Links;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::checkout::{Checkout, place_order};
use crate::orders::fixtures::{Shop, customer, eur, json_of, placed_at};
use crate::orders::gift_cards::code::GiftCardCode;
use crate::orders::gift_cards::model::GiftCard;
use crate::orders::gift_cards::preview::Preview;
use crate::orders::quotes::{create_guest_quote, create_quote};
use crate::orders::totals::Totals;
use crate::testing;
use crate::values::id::GiftCardId;

struct Quoting {
    shop: Shop,
    checkout: Checkout,
    totals: Totals,
    links: Links,
    cards: Preview,
}

async fn quoting() -> Quoting {
    let (shop, checkout) = shop().await;
    Quoting {
        totals: Totals::new(&shop.aws).unwrap(),
        links: Links::new(&shop.aws).unwrap(),
        cards: shop.preview(),
        shop,
        checkout,
    }
}

impl Quoting {
    async fn quote(&self, cards: &[&Card]) -> Result<Response, Problem> {
        let request = placing("-", &body(None, cards), placed_at());
        create_quote(&self.totals, &self.links, &self.cards, request).await
    }

    async fn guest_quote(&self, cards: &[&Card]) -> Result<Response, Problem> {
        let request = Request {
            identity: None,
            ..placing("-", &body(None, cards), placed_at())
        };
        create_guest_quote(&self.totals, &self.links, &self.cards, request).await
    }

    async fn place(&self, key: &str, body: &Value) -> Result<Response, Problem> {
        let request = placing(key, body, placed_at());
        Box::pin(place_order(&self.checkout, request)).await
    }
}

/// Returns what pays for a quote or an order.
fn paid_by(answer: &Response) -> [Value; 3] {
    let shown = json_of(answer);
    ["gift_cards", "amount_due", "total_amount"].map(|name| shown[name].clone())
}

/// A code that no card has.
fn unknown() -> Card {
    Card {
        id: GiftCardId::derived(&["nobody's"]),
        code: GiftCardCode::random().unwrap().reveal(),
    }
}

#[tokio::test]
async fn a_quote_shows_what_cards_would_pay_and_takes_nothing() {
    let quoting = quoting().await;
    let shop = &quoting.shop;
    let (first, second) = (plain(shop, "10.00").await, plain(shop, "5.00").await);
    let before = shop.engine.items(Setting::GiftCardsTable);
    let quote = quoting.quote(&[&first, &second]).await.unwrap();
    let guests = quoting.guest_quote(&[&first, &second]).await.unwrap();
    assert_eq!(paid_by(&guests), paid_by(&quote));
    let shown = json_of(&quote);
    assert_eq!(shown["gift_cards"][1]["amount"]["amount"], "5.00");
    assert_eq!(shown["amount_due"]["amount"], "10.80");
    assert_eq!(shop.engine.items(Setting::GiftCardsTable), before);
    // The order with the quote takes what it showed.
    let mut order = body(Some("tok_ok"), &[&first, &second]);
    order["quote"] = shown["quote"].clone();
    let order = quoting.place("a", &order).await.unwrap();
    assert_eq!(paid_by(&order), paid_by(&quote));
    assert_eq!(balance(shop, &second).await, eur("0.00"));
    // What is left over is not needed, and what is not named pays nothing.
    let enough = plain(shop, "30.00").await;
    let quote = json_of(&quoting.quote(&[&enough]).await.unwrap());
    assert_eq!(quote["amount_due"]["amount"], "0.00");
    let none = json_of(&quoting.quote(&[]).await.unwrap());
    assert_eq!(none["gift_cards"], json!([]));
    assert_eq!(none["amount_due"], none["total_amount"]);
}

#[tokio::test]
async fn a_quote_refuses_the_cards_that_an_order_refuses() {
    let quoting = quoting().await;
    let shop = &quoting.shop;
    let expired = issue(shop, eur("10.00"), |card| GiftCard {
        expires_at: Some(placed_at()),
        ..card
    });
    let empty = issue(shop, eur("10.00"), |card| GiftCard {
        balance: eur("0.00"),
        ..card
    });
    let bens = issue(shop, eur("10.00"), |card| GiftCard {
        customer_id: Some(customer("ben")),
        ..card
    });
    let (expired, empty, bens) = (expired.await, empty.await, bens.await);
    let good = plain(shop, "10.00").await;
    for cards in [
        vec![&good, &unknown(), &expired, &empty, &bens],
        vec![&good, &good],
    ] {
        let order = faults(quoting.place("a", &body(Some("tok_ok"), &cards)).await);
        assert!(!order.is_empty());
        assert_eq!(faults(quoting.quote(&cards).await), order);
        assert_eq!(faults(quoting.guest_quote(&cards).await), order);
    }
    let anas = issue(shop, eur("10.00"), |card| GiftCard {
        customer_id: Some(customer("ana")),
        ..card
    })
    .await;
    quoting.quote(&[&anas]).await.unwrap();
    let refused = faults(quoting.guest_quote(&[&anas]).await);
    assert_eq!(refused, ["/payment/gift_card_codes/0 other_customer"]);
    // A quote is paid later, so it has no token.
    let mut with_token = body(None, &[&good]);
    with_token["payment"]["token"] = json!("tok_ok");
    let request = placing("-", &with_token, placed_at());
    let refused = create_quote(&quoting.totals, &quoting.links, &quoting.cards, request).await;
    assert_eq!(faults(refused), ["/payment/token unknown_field"]);
}

#[tokio::test]
async fn each_code_counts_as_a_read_so_quotes_are_no_quicker_way_to_guess() {
    let quoting = quoting().await;
    let guess = |identity| {
        let codes = (0..5).map(|_| GiftCardCode::random().unwrap()).collect();
        let request = testing::request(placed_at(), &json!({}));
        let request = Request {
            identity,
            ..request
        };
        quoting.cards.look_up(quoting.cards.asked(&request, codes))
    };
    let caller = testing::request(placed_at(), &json!({})).identity;
    for identity in [caller, None] {
        for _ in 0..1200 {
            guess(identity.clone()).await.unwrap();
        }
        let refused = guess(identity).await;
        assert!(matches!(refused, Err(Problem::TooManyRequests { .. })));
    }
    let by_request = quoting.quote(&[&unknown()]).await;
    assert!(
        matches!(by_request, Err(Problem::InvalidBody(_))),
        "another caller"
    );
    let by_request = quoting.guest_quote(&[&unknown()]).await;
    assert!(matches!(by_request, Err(Problem::TooManyRequests { .. })));
    quoting.guest_quote(&[]).await.unwrap();
}
