//! The order's status decides (point 1).

use serde_json::json;

use crate::support::run_local;
use crate::support::steps::{STEPS, UNDOING};

use super::{order, still_shop};

#[test]
fn nothing_is_undone_while_the_order_is_pending_or_confirmed() {
    run_local(async {
        let shop = still_shop().await;
        let (_, _, order) = order(&shop, "tok_ok").await;
        for (at, step) in STEPS.iter().enumerate() {
            shop.step(step, &order).await.unwrap();
            let before = shop.first_hand().await;
            let expected = if at < 3 { "Failed" } else { "AlreadyConfirmed" };
            for undoing in UNDOING {
                let more = json!({"payment_status": "refunded"});
                let error = shop.step_with(undoing, &order, more).await.err();
                assert_eq!(error.as_deref(), Some(expected), "{undoing} after {step}");
            }
            assert_eq!(shop.first_hand().await, before, "after {step}");
        }
    });
}

#[test]
fn a_run_that_would_fail_a_confirmed_order_goes_on_to_confirm_it() {
    run_local(async {
        let shop = still_shop().await;
        let (_, _, order) = order(&shop, "tok_ok").await;
        for step in &STEPS[..4] {
            shop.step(step, &order).await.unwrap();
        }
        for reason in ["OutOfStock", "PaymentDeclined", "RuleFailed", "Expired"] {
            let error = shop.fail(&order, reason).await.err();
            assert_eq!(error.as_deref(), Some("AlreadyConfirmed"), "{reason}");
        }
        for step in &STEPS[4..] {
            shop.step(step, &order).await.unwrap();
        }
        let books = shop.books_of(&order).await;
        assert_eq!(books.status(), "confirmed");
        assert!(books.settled());
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_failed_order_is_never_confirmed() {
    run_local(async {
        let shop = still_shop().await;
        let (_, product, order) = order(&shop, "tok_ok").await;
        for step in &STEPS[..3] {
            shop.step(step, &order).await.unwrap();
        }
        shop.fail(&order, "Expired").await.unwrap();
        let error = shop.step("confirm-order", &order).await.err();
        assert_eq!(error.as_deref(), Some("AlreadyClosed"));
        shop.undo(&order).await;
        let books = shop.books_of(&order).await;
        assert_eq!(books.status(), "failed");
        assert_eq!((books.taken, books.given_back), (3980, 3980));
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
    });
}
