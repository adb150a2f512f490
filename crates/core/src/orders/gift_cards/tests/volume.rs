//! Many gift cards, of which one pays a tenth as many orders:
//! `OXCART_VOLUME=100000 cargo test --release -p oxcart-core gift_cards::tests::volume -- --nocapture`.

use std::time::Instant;

use super::redeeming::{balance, body, issue, place, plain, shop};
use crate::http::problem::Problem;
use crate::orders::fixtures::{after, eur, json_of};
use crate::testing;
use crate::values::money::Money;

/// How many orders are placed at the same time.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn one_of_many_cards_pays_many_orders_at_once_and_loses_what_they_take() {
    let cards = testing::volume(400);
    let orders = cards / 10;
    let (shop, checkout) = shop().await;
    let began = Instant::now();
    for _ in 1..cards {
        plain(&shop, "5.00").await;
    }
    // Each order costs 25.80, so about a fifth of them find it empty.
    let issued = Money::from_minor_units(orders as u64 * 2000, eur("0.00").currency()).unwrap();
    let card = issue(&shop, issued, |card| card).await;
    println!(
        "{cards} cards issued in {:.1} s, resident {} MB",
        began.elapsed().as_secs_f32(),
        testing::resident_megabytes(),
    );
    let wanted = body(Some("tok_ok"), &[&card]);
    let began = Instant::now();
    let (mut taken, mut placed, mut empty, mut busy) = (eur("0.00"), 0, 0, 0);
    let mut calls = Vec::new();
    for wave in 0..orders.div_ceil(AT_ONCE) {
        shop.engine.forget_calls();
        let many = if wave == 0 {
            1
        } else {
            AT_ONCE.min(orders - wave * AT_ONCE)
        };
        let answers = testing::at_once((0..many).map(|number| {
            let (checkout, wanted) = (&checkout, &wanted);
            async move || place(checkout, &format!("{wave}-{number}"), wanted).await
        }));
        calls.push(shop.engine.calls().len());
        for answer in answers {
            match answer {
                Ok(answer) => {
                    let shown = &json_of(&answer)["gift_cards"][0]["amount"]["amount"];
                    taken = taken.plus(eur(shown.as_str().unwrap())).unwrap();
                    placed += 1;
                }
                Err(Problem::InvalidBody(faults)) => {
                    assert_eq!(faults[0].code, "empty");
                    empty += 1;
                }
                Err(Problem::Busy(_)) => busy += 1,
                Err(other) => panic!("{other}"),
            }
        }
        let left = balance(&shop, &card).await;
        assert_eq!(left.plus(taken).unwrap(), issued);
    }
    println!(
        "{placed} orders took {taken} of {issued}, {empty} found it empty, {busy} were told to retry: {:.1} s, resident {} MB, \
         the first order made {} calls",
        began.elapsed().as_secs_f32(),
        testing::resident_megabytes(),
        calls[0],
    );
    assert!(placed > 0 && empty > 0);
    assert!(balance(&shop, &card).await.is_zero());
    let stored = shop.gift_cards.with_orders(card.id, orders).await.unwrap();
    let records = stored.unwrap().1.unwrap();
    assert_eq!(records.len(), placed);
    // What one of them took comes back, and pays for another one with as many calls as the first.
    let back = &records[0];
    let cards = &shop.gift_cards;
    cards
        .bring_back(card.id, back.order_id, back.amount, after(1))
        .await
        .unwrap();
    shop.engine.forget_calls();
    place(&checkout, "last", &wanted).await.unwrap();
    assert_eq!(shop.engine.calls().len(), calls[0]);
}
