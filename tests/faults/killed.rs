//! Functions are killed before their first AWS call and after each of their calls, and the next runs repair what is
//! left.

use crate::support::people::{order_of, unique};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};
use crate::support::steps::{STEPS, UNDOING};

use super::order;

/// The course that an order is to take.
#[derive(Clone, Copy, Debug)]
enum Course {
    Confirmed,
    Declined,
    Unknown,
    Cancelled,
}

impl Course {
    /// Returns the functions that take part in it.
    fn functions(self) -> Vec<&'static str> {
        match self {
            Self::Confirmed => STEPS.to_vec(),
            Self::Declined => [&["fail-order"], UNDOING.as_slice()].concat(),
            Self::Unknown => vec!["process-payment", "postpone-order"],
            Self::Cancelled => [UNDOING.as_slice(), &["cancel-order"]].concat(),
        }
    }

    fn token(self) -> &'static str {
        match self {
            Self::Confirmed | Self::Cancelled => "tok_ok",
            Self::Declined => "tok_declined",
            Self::Unknown => "tok_unknown",
        }
    }

    fn status(self) -> &'static str {
        match self {
            Self::Confirmed | Self::Unknown => "confirmed",
            Self::Declined => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Takes an order through its `course` while `fault` is active, and returns whether the fault hit anything.
async fn survive(shop: &Shop, course: Course, fault: &str) -> bool {
    let customer = shop.buyer().await;
    let product = shop.product("19.90", 10).await;
    let body = order_of(&[(&product, 2)], course.token());
    if !matches!(course, Course::Cancelled) {
        shop.fault(fault).await;
    }
    let placed = shop.place(customer, &body).await.expect(202).json();
    let order = placed["id"].as_str().unwrap();
    if let Course::Cancelled = course {
        shop.run_until_settled(order).await;
        shop.fault(fault).await;
        // A client without a response sends the request again.
        while shop.cancel(customer, order).await.status != 200 {}
    }
    shop.run_until_settled(order).await;
    let hit = shop.fault_hits().await > 0;
    shop.no_faults().await;
    let books = shop.books_of(order).await;
    assert_eq!(books.status(), course.status(), "{fault}: {books:#?}");
    assert!(books.charges <= 1, "{fault}");
    let held = if course.status() == "confirmed" { 2 } else { 0 };
    assert_eq!(shop.stock(&product).await, (10, held, 10 - held), "{fault}");
    hit
}

/// Kills every function of `course` at each of its calls.
fn check_kills(course: Course, express: bool) {
    run_local(async {
        let setup = Setup {
            manual_clock: true,
            express,
            ..Setup::default()
        };
        let shop = Shop::start(setup).await;
        for function in course.functions() {
            let first = format!("*:*@{function}=kill-before*1");
            assert!(
                survive(&shop, course, &first).await,
                "{function} calls nothing"
            );
            let mut call = 1;
            while survive(&shop, course, &format!("*:*@{function}=kill-after#{call}")).await {
                call += 1;
                assert!(call < 20, "{function} makes very many calls");
            }
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_confirmation_survives_every_kill() {
    check_kills(Course::Confirmed, false);
}

#[test]
fn a_confirmation_survives_every_kill_when_express() {
    check_kills(Course::Confirmed, true);
}

#[test]
fn a_declined_payment_survives_every_kill() {
    check_kills(Course::Declined, false);
}

#[test]
fn a_declined_payment_survives_every_kill_when_express() {
    check_kills(Course::Declined, true);
}

#[test]
fn an_unknown_payment_survives_every_kill() {
    check_kills(Course::Unknown, false);
}

#[test]
fn an_unknown_payment_survives_every_kill_when_express() {
    check_kills(Course::Unknown, true);
}

#[test]
fn a_cancellation_survives_every_kill() {
    check_kills(Course::Cancelled, false);
}

#[test]
fn a_cancellation_survives_every_kill_when_express() {
    check_kills(Course::Cancelled, true);
}

#[test]
fn an_order_whose_placing_is_killed_is_placed_once_by_a_retry() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let body = order_of(&[(&product, 2)], "tok_ok");
        let mut orders = 0;
        for call in 1.. {
            shop.fault(&format!("*:*@place-order=kill-after#{call}"))
                .await;
            let key = unique("order");
            let mut placed = shop.place_with_key(&customer, &body, &key).await;
            while placed.status == 500 {
                placed = shop.place_with_key(&customer, &body, &key).await;
            }
            let hit = shop.fault_hits().await > 0;
            shop.no_faults().await;
            let id = placed.json()["id"].as_str().unwrap().to_owned();
            shop.run_until_settled(&id).await;
            orders += 1;
            if !hit {
                break;
            }
        }
        assert!(orders > 2, "place-order makes several calls");
        assert_eq!(shop.order_books().await.len(), orders);
        assert_eq!(shop.stock(&product).await.1, 2 * orders as u64);
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn the_sweep_of_due_orders_survives_every_kill() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        for call in 1.. {
            shop.fault("states:StartExecution@place-order=error").await;
            let (_, product, order) = order(&shop, "tok_ok").await;
            shop.fault(&format!("*:*@run-due-orders=kill-after#{call}"))
                .await;
            shop.run_until_settled(&order).await;
            let hit = shop.fault_hits().await > 0;
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
            if !hit {
                assert!(call > 2, "run-due-orders makes several calls");
                break;
            }
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn publishing_survives_every_kill() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        for call in 1..6 {
            let (customer, _, order) = order(&shop, "tok_ok").await;
            shop.fault(&format!("*:*@publish-events=kill-after#{call}"))
                .await;
            shop.run_until_settled(&order).await;
            shop.cancel(&customer, &order).await.expect(200);
            shop.run_until_settled(&order).await;
            let events = ["OrderCreated", "OrderConfirmed", "OrderCancelled"];
            shop.run_until_history(&customer, &order, &events).await;
            shop.no_faults().await;
        }
    });
}
