//! A cancellation between any two steps.

use crate::support::run_local;
use crate::support::shop::Shop;
use crate::support::steps::{STEPS, UNDOING};

use super::{order, still_shop};

/// Runs `first` steps and then cancels. The remaining steps of the same run follow before or after the cancellation's own
/// run has undone everything.
async fn check(shop: &Shop, first: usize, undone_before: bool) {
    let (customer, product, order) = order(shop, "tok_ok").await;
    for step in &STEPS[..first] {
        shop.step(step, &order).await.unwrap();
    }
    shop.cancel(&customer, &order).await.expect(200);
    if undone_before {
        shop.undo(&order).await;
    }
    for step in &STEPS[first..] {
        let error = shop.step(step, &order).await.err();
        let harmless = *step == "reserve-inventory" || error.as_deref() == Some("AlreadyClosed");
        assert!(harmless, "{step} after {first}: {error:?}");
    }
    shop.undo(&order).await;
    let books = shop.books_of(&order).await;
    assert_eq!(books.status(), "cancelled");
    assert!(books.settled(), "{books:#?}");
    assert_eq!(
        shop.stock(&product).await,
        (10, 0, 10),
        "after {first} steps"
    );
    assert_eq!(books.taken, books.given_back, "after {first} steps");
}

#[test]
fn a_cancellation_between_any_two_steps_leaves_nothing_behind() {
    run_local(async {
        let shop = still_shop().await;
        for first in 0..=STEPS.len() {
            check(&shop, first, false).await;
            check(&shop, first, true).await;
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_cancellation_while_a_failure_is_undone_changes_nothing() {
    run_local(async {
        let shop = still_shop().await;
        for first in 0..=UNDOING.len() {
            let (customer, product, order) = order(&shop, "tok_declined").await;
            for step in &STEPS[..2] {
                shop.step(step, &order).await.unwrap();
            }
            let declined = shop.step("process-payment", &order).await;
            assert_eq!(declined, Err("PaymentDeclined".to_owned()));
            shop.fail(&order, "PaymentDeclined").await.unwrap();
            for step in &UNDOING[..first] {
                shop.step(step, &order).await.unwrap();
            }
            shop.cancel(&customer, &order).await.expect(409);
            shop.undo(&order).await;
            assert_eq!(shop.books_of(&order).await.status(), "failed");
            assert_eq!(shop.stock(&product).await, (10, 0, 10));
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
