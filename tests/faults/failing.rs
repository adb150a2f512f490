//! Steps that keep failing, until they work again or until after the order's deadline.

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};
use crate::support::steps::{STEPS, UNDOING};

use super::order;

/// Checks that an order paid with `token` gets `status` although `function` fails at each call for half of the order's
/// deadline.
async fn check_recovery(shop: &Shop, function: &str, token: &str, status: &str) {
    shop.fault(&format!("lambda:Invoke@{function}=error")).await;
    let (_, product, order) = order(shop, token).await;
    shop.advance_in_steps(450).await;
    assert!(shop.fault_hits().await > 0, "{function} was never called");
    shop.no_faults().await;
    shop.run_until_settled(&order).await;
    let books = shop.books_of(&order).await;
    assert_eq!(books.status(), status, "{function}: {books:#?}");
    let held = if status == "confirmed" { 2 } else { 0 };
    assert_eq!(
        shop.stock(&product).await,
        (10, held, 10 - held),
        "{function}"
    );
}

fn check_all(express: bool) {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            express,
            ..Setup::default()
        })
        .await;
        for step in STEPS {
            check_recovery(&shop, step, "tok_ok", "confirmed").await;
        }
        for step in ["fail-order"].iter().chain(&UNDOING) {
            check_recovery(&shop, step, "tok_declined", "failed").await;
        }
        check_recovery(&shop, "postpone-order", "tok_unknown", "confirmed").await;
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn an_order_is_settled_once_a_failing_step_works_again() {
    check_all(false);
}

#[test]
fn an_order_is_settled_once_a_failing_step_works_again_when_express() {
    check_all(true);
}

#[test]
fn an_order_fails_at_its_deadline_if_a_step_keeps_failing() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        for step in ["validate-order", "reserve-inventory", "process-payment"] {
            shop.fault(&format!("lambda:Invoke@{step}=error")).await;
            let (customer, product, order) = order(&shop, "tok_ok").await;
            shop.run_until_settled(&order).await;
            let failed = shop.read(&customer, &order).await;
            assert_eq!(failed["failure"]["code"], "expired", "{step}: {failed}");
            assert_eq!(shop.stock(&product).await, (10, 0, 10), "{step}");
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
