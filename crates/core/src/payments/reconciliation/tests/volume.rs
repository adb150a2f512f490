//! A day of as many payments as are wanted, with the time and the memory that it takes:
//! `OXCART_VOLUME=100000 cargo test --release -p oxcart-core reconciliation::tests::volume -- --nocapture`.

use std::collections::BTreeMap;
use std::time::Instant;

use super::*;

/// Movements of a page, as many as [`crate::payments::gateway::stripe`] asks for.
const OF_STATEMENT: usize = 50;

/// Of each ten thousand payments, this one has no entry.
const WITHOUT_ENTRY: usize = 500;

/// And this one is not in the statement.
const NOT_MOVED: usize = 600;

#[tokio::test]
async fn a_day_of_any_length_is_compared_in_bounded_runs_and_nothing_is_left_out() {
    let payments = testing::volume(700);
    let shop = Shop::open().await;
    let day = i64::try_from(DAY.as_millis()).unwrap();
    let when = |number: usize| {
        let part = i64::try_from(number).unwrap() * day / i64::try_from(payments).unwrap();
        Time::from_millis(at("01T00:00:00").as_millis() + part)
    };
    let began = Instant::now();
    let mut movements = Vec::new();
    for number in 0..payments {
        let name = number.to_string();
        if number % 10_000 != NOT_MOVED {
            let moved = movement(number, Some(charge(&name)));
            movements.push(Movement {
                at: when(number),
                ..moved
            });
        }
        for of in [Of::Authorised, Of::Captured] {
            if of == Of::Authorised || number % 10_000 != WITHOUT_ENTRY {
                let written = Entry {
                    at: when(number),
                    ..entry(&name, 1, of, "1.00", "01T00:00:00")
                };
                shop.ledger.record(&written).await.unwrap();
            }
        }
    }
    let entries = shop.engine.calls().len();
    println!(
        "{payments} payments: {} movements, {entries} calls to write the entries, {:.1} s, resident {} MB",
        movements.len(),
        began.elapsed().as_secs_f32(),
        testing::resident_megabytes(),
    );
    let statement = Written(movements, OF_STATEMENT);
    let mut runs = 0;
    while !is_over(&shop).await {
        runs += 1;
        shop.engine.forget_calls();
        let began = Instant::now();
        assert!(shop.run_with(&statement, "02T02:00:00").await);
        let mut calls = BTreeMap::new();
        for call in shop.engine.calls() {
            *calls.entry(call).or_insert(0_usize) += 1;
        }
        println!(
            "run {runs}: {:.1} s, {calls:?}, resident {} MB",
            began.elapsed().as_secs_f32(),
            testing::resident_megabytes(),
        );
    }
    // 400 pages each, of 50 movements and of 100 entries.
    let pages = payments.div_ceil(50) + (2 * payments).div_ceil(100);
    let most = pages / 400 + 2;
    assert!(runs <= most, "{runs} runs of {most}");
    let listed = shop.differences().await;
    let count = |kind: &str| listed.matches(kind).count();
    let tens = (payments.saturating_sub(NOT_MOVED + 1) / 10_000) + 1;
    assert_eq!(count("missing_in_ledger captured gateway 1.00"), tens);
    assert_eq!(count("missing_at_gateway captured gateway - "), tens);
    assert_eq!(listed.lines().count(), 2 * tens);
}

/// Returns whether the day is compared.
async fn is_over(shop: &Shop) -> bool {
    let progress = shop.store.progress(&Provider::Sandbox.into()).await;
    progress.unwrap().unwrap().day > at("01T00:00:00")
}
