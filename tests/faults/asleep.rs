//! A run that is delayed until after its order was closed can neither hold nor charge (point 4), and no charge is
//! forgotten (point 5).

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};
use crate::support::until;

use super::{NO_WORKFLOW, order, still_shop};

/// Starts the functions that must be quicker than the delayed one.
async fn warm(shop: &Shop) {
    let (customer, _, order) = order(shop, "tok_ok").await;
    shop.cancel(&customer, &order).await.expect(200);
    shop.undo(&order).await;
}

/// Calls a step of which `fault` delays a call; cancels and undoes the order in the meantime; and checks that in the
/// end nothing is held or taken.
async fn check_asleep(fault: &str, steps: &[&str], asleep: &'static str) {
    let shop = still_shop().await;
    warm(&shop).await;
    let (customer, product, order) = order(&shop, "tok_ok").await;
    for step in steps {
        shop.step(step, &order).await.unwrap();
    }
    shop.fault(&format!("{NO_WORKFLOW},{fault}")).await;
    let sleeper = shop.step(asleep, &order);
    let closer = async {
        until("the sleeper sleeps", async || {
            match shop.fault_hits().await {
                0 => Err("it does not".to_owned()),
                _ => Ok(()),
            }
        })
        .await;
        shop.cancel(&customer, &order).await.expect(200);
        shop.undo(&order).await;
        assert!(shop.books_of(&order).await.settled());
    };
    let (woken, ()) = futures::join!(sleeper, closer);
    assert_eq!(woken, Err("AlreadyClosed".to_owned()), "{asleep}");
    let books = shop.books_of(&order).await;
    assert_eq!(books.taken, books.given_back, "{books:#?}");
    assert_eq!(shop.stock(&product).await, (10, 0, 10));
    shop.balanced().await.unwrap();
    shop.audited().await.unwrap();
}

#[test]
fn a_step_delayed_until_after_the_end_holds_nothing() {
    run_local(check_asleep(
        "dynamodb:TransactWriteItems@reserve-inventory=delay:2000",
        &["validate-order"],
        "reserve-inventory",
    ));
}

#[test]
fn a_step_delayed_until_after_the_end_begins_no_payment() {
    run_local(check_asleep(
        "dynamodb:PutItem@process-payment=delay:2000#1",
        &["validate-order", "reserve-inventory"],
        "process-payment",
    ));
}

#[test]
fn a_step_delayed_until_after_the_end_takes_no_money() {
    // The second item is the gateway's charge, the first the payment.
    run_local(check_asleep(
        "dynamodb:PutItem@process-payment=delay:2000#2",
        &["validate-order", "reserve-inventory"],
        "process-payment",
    ));
}

#[test]
fn a_step_delayed_until_after_the_end_confirms_nothing() {
    run_local(check_asleep(
        "dynamodb:PutItem@confirm-order=delay:2000",
        &["validate-order", "reserve-inventory", "process-payment"],
        "confirm-order",
    ));
}

#[test]
fn a_step_delayed_until_after_the_end_commits_nothing() {
    run_local(check_asleep(
        "dynamodb:PutItem@commit-inventory=delay:2000",
        &[
            "validate-order",
            "reserve-inventory",
            "process-payment",
            "confirm-order",
        ],
        "commit-inventory",
    ));
}

#[test]
fn a_charge_whose_response_is_lost_is_found_and_not_made_again() {
    run_local(async {
        for express in [false, true] {
            let shop = Shop::start(Setup {
                manual_clock: true,
                express,
                ..Setup::default()
            })
            .await;
            shop.fault("dynamodb:PutItem@process-payment=kill-after#2")
                .await;
            let (_, product, order) = order(&shop, "tok_ok").await;
            shop.run_until_settled(&order).await;
            assert_eq!(shop.fault_hits().await, 1);
            let books = shop.books_of(&order).await;
            assert_eq!(books.status(), "confirmed");
            assert_eq!((books.charges, books.taken), (1, 3980));
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
        }
    });
}

#[test]
fn no_charge_is_made_before_the_payment_is_stored() {
    run_local(async {
        let shop = still_shop().await;
        let (_, _, order) = order(&shop, "tok_ok").await;
        for step in ["validate-order", "reserve-inventory"] {
            shop.step(step, &order).await.unwrap();
        }
        shop.fault("dynamodb:PutItem@process-payment=kill-after#1")
            .await;
        shop.step_once("process-payment", &order).await.unwrap_err();
        assert_eq!(shop.fault_hits().await, 1);
        let books = shop.books_of(&order).await;
        assert_eq!(books.payment["attempt"], 1, "{books:#?}");
        assert_eq!(books.charges, 0);
    });
}

#[test]
fn a_late_payment_of_a_cancelled_order_is_refunded() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let (customer, product, order) = order(&shop, "tok_unknown").await;
        shop.until_payment_status(&customer, &order, "processing")
            .await;
        assert_eq!(
            shop.books_of(&order).await.taken,
            3980,
            "the money is taken"
        );
        shop.cancel(&customer, &order).await.expect(200);
        shop.run_until_settled(&order).await;
        let books = shop.books_of(&order).await;
        assert_eq!((books.taken, books.given_back), (3980, 3980));
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
