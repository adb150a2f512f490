//! Every step may be run again, and in parallel with itself.

use crate::support::people::Person;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, express, shared};
use crate::support::steps::{STEPS, UNDOING};

use super::{order, still_shop};

/// Returns the state that a run leaves, as far as it is the same for every order.
async fn outcome(shop: &Shop, order: &str, product: &str) -> String {
    let books = shop.books_of(order).await;
    let header = &books.header;
    format!(
        "order {} {} v{} due {}, reservation {} v{}, payment {} v{} captured {} refunded {}, \
         gateway {} charges {} taken {} given back, token {}, stock {:?}",
        header["status"],
        header["payment_status"],
        header["version"],
        header["due_at"].is_string(),
        books.reservation["status"],
        books.reservation["version"],
        books.payment["status"],
        books.payment["version"],
        books.payment["captured"],
        books.payment["refunded"],
        books.charges,
        books.taken,
        books.given_back,
        books.lines["payment_token"],
        shop.stock(product).await,
    )
}

/// Makes `times` concurrent calls of `step`.
async fn at_once(shop: &Shop, step: &str, order: &str, times: usize) {
    let calls = (0..times).map(|_| shop.step(step, order));
    for result in futures::future::join_all(calls).await {
        result.unwrap_or_else(|error| panic!("{step}: {error}"));
    }
}

/// Leads an order to `confirmed`, calling each step by `call`, and returns the state that is left; then the same for
/// cancelling it.
async fn lead(call: impl AsyncFn(&Shop, &str, &str)) -> [String; 2] {
    let shop = still_shop().await;
    let (customer, product, order) = order(&shop, "tok_ok").await;
    for step in STEPS {
        call(&shop, step, &order).await;
    }
    let confirmed = outcome(&shop, &order, &product).await;
    shop.cancel(&customer, &order).await.expect(200);
    for step in UNDOING {
        call(&shop, step, &order).await;
    }
    shop.balanced().await.unwrap();
    shop.audited().await.unwrap();
    [confirmed, outcome(&shop, &order, &product).await]
}

#[test]
fn a_step_run_twice_or_in_parallel_with_itself_leaves_what_one_run_leaves() {
    run_local(async {
        let once = lead(async |shop, step, order| at_once(shop, step, order, 1).await);
        let twice = lead(async |shop, step, order| {
            at_once(shop, step, order, 1).await;
            at_once(shop, step, order, 1).await;
        });
        let beside_itself = lead(async |shop, step, order| at_once(shop, step, order, 3).await);
        let (once, twice, beside_itself) = futures::join!(once, twice, beside_itself);
        assert!(once[0].contains("order \"confirmed\""), "{}", once[0]);
        assert!(once[1].contains("order \"cancelled\""), "{}", once[1]);
        assert_eq!(once, twice);
        assert_eq!(once, beside_itself);
    });
}

#[test]
fn a_repeated_run_changes_nothing() {
    run_local(async {
        let shop = still_shop().await;
        let (customer, _, order) = order(&shop, "tok_ok").await;
        for step in STEPS {
            shop.step(step, &order).await.unwrap();
        }
        let before = shop.first_hand().await;
        for (step, result) in [
            ("validate-order", Some("AlreadyConfirmed")),
            ("reserve-inventory", None),
            ("process-payment", Some("AlreadyConfirmed")),
            ("confirm-order", None),
            ("commit-inventory", None),
            ("notify-order", None),
            ("release-inventory", Some("AlreadyConfirmed")),
            ("void-payment", Some("AlreadyConfirmed")),
            ("close-order", Some("AlreadyConfirmed")),
        ] {
            let error = shop.step(step, &order).await.err();
            assert_eq!(error.as_deref(), result, "{step}");
        }
        let error = shop.fail(&order, "Expired").await.err();
        assert_eq!(error.as_deref(), Some("AlreadyConfirmed"), "fail-order");
        assert_eq!(shop.first_hand().await, before);
        shop.cancel(&customer, &order).await.expect(200);
        shop.undo(&order).await;
        let before = shop.first_hand().await;
        for step in STEPS {
            let error = shop.step(step, &order).await.err();
            assert_eq!(error.as_deref(), Some("AlreadyClosed"), "{step}");
        }
        shop.fail(&order, "Expired").await.unwrap();
        shop.undo(&order).await;
        assert_eq!(shop.first_hand().await, before);
    });
}

/// Starts two more runs of the workflow in parallel with the order's own.
async fn crowd(shop: &Shop, order: &str) {
    let runs = ["crowd-1", "crowd-2"].map(|run| shop.start_workflow(order, run));
    futures::future::join_all(runs).await;
}

/// Places an order paid with `token` with two more runs in parallel, and waits for `status`.
async fn place_in_a_crowd(shop: &Shop, token: &str, status: &str) -> (Person, String, String) {
    let (customer, product, order) = order(shop, token).await;
    crowd(shop, &order).await;
    shop.until_status(&customer, &order, status).await;
    shop.until_settled(&order).await;
    (customer, product, order)
}

#[test]
fn whole_runs_in_parallel_make_one_outcome() {
    run_local(async {
        for shop in [shared().await, express().await] {
            let confirmed = place_in_a_crowd(shop, "tok_ok", "confirmed");
            let declined = place_in_a_crowd(shop, "tok_declined", "failed");
            let (confirmed, declined) = futures::join!(confirmed, declined);
            let (customer, product, order) = confirmed;
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
            assert_eq!(shop.books_of(&order).await.charges, 1);
            assert_eq!(shop.stock(&declined.1).await, (10, 0, 10));
            shop.cancel(&customer, &order).await.expect(200);
            let again = ["again-1", "again-2"].map(|run| shop.start_workflow(&order, run));
            futures::future::join_all(again).await;
            shop.until_settled(&order).await;
            assert_eq!(shop.stock(&product).await, (10, 0, 10));
            let books = shop.books_of(&order).await;
            assert_eq!((books.taken, books.given_back), (3980, 3980));
        }
    });
}

#[test]
fn an_order_placed_and_cancelled_at_once_keeps_nothing() {
    run_local(async {
        for express in [false, true] {
            let setup = Setup {
                manual_clock: true,
                express,
                ..Setup::default()
            };
            let shop = Shop::start(setup).await;
            let orders = futures::future::join_all((0..8).map(async |_| {
                let (customer, product, order) = order(&shop, "tok_ok").await;
                shop.cancel(&customer, &order).await.expect(200);
                (product, order)
            }))
            .await;
            for (product, order) in orders {
                shop.run_until_settled(&order).await;
                assert_eq!(shop.books_of(&order).await.status(), "cancelled");
                assert_eq!(shop.stock(&product).await, (10, 0, 10));
            }
            shop.balanced().await.unwrap();
            shop.audited().await.unwrap();
        }
    });
}
