//! Orders are completed while many clients wait for theirs, and the account has few invocations.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::people::{Person, order_of};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

/// The invocations that all functions share.
const CONCURRENCY: u32 = 10;

/// How many clients wait at the same time, and how long each of them tries to place its order.
struct Crowd {
    clients: usize,
    persistence: Duration,
    /// The template's parameters.
    parameters: &'static [(&'static str, &'static str)],
}

/// Sends the order number `number` until it is taken, as a client does that is turned away because everything is taken:
/// again after a second, with the same key. Returns the order's id.
async fn place(
    shop: &Shop,
    customer: &Person,
    order: &Value,
    persistence: Duration,
    number: usize,
) -> String {
    let begun = Instant::now();
    loop {
        let call = shop.post("/orders").bearer(&customer.token);
        let call = call.key(&format!("crowded-{number}"));
        let answer = call.header("prefer", "wait=20").json(order).send().await;
        if let 201 | 202 = answer.status {
            return answer.json()["id"].as_str().unwrap().to_owned();
        }
        assert!(begun.elapsed() < persistence, "{number}: {answer:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn orders_are_completed_for(crowd: Crowd) {
    let Crowd {
        clients,
        persistence,
        parameters,
    } = crowd;
    run_local(async {
        let shop = Shop::start(Setup {
            concurrency: Some(CONCURRENCY),
            // Steps that find no place are retried, and orders become due, without the test waiting for it.
            manual_clock: true,
            parameters,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let stock = u32::try_from(clients).unwrap();
        let product = shop.product("18.50", stock).await;
        let order = order_of(&[(&product, 1)], "tok_ok");
        let place = |number| place(&shop, &customer, &order, persistence, number);
        let orders = (0..clients).map(place);
        let orders = futures::future::join_all(orders).await;
        for order in &orders {
            shop.run_until_settled(order).await;
            assert_eq!(shop.books_of(order).await.status(), "confirmed");
        }
        assert_eq!(shop.stock(&product).await.2, 0);
    });
}

#[test]
fn orders_are_completed_while_clients_wait_for_theirs() {
    orders_are_completed_for(Crowd {
        clients: 60,
        persistence: PATIENCE,
        parameters: &[],
    });
}

#[test]
#[ignore = "takes minutes: cargo test -p oxcart-tests --test suite -- --ignored five_hundred"]
fn orders_are_completed_while_five_hundred_clients_wait_for_theirs() {
    orders_are_completed_for(Crowd {
        clients: 500,
        // Most find no place for minutes.
        persistence: Duration::from_mins(20),
        // The test moves the clock for one order after the other, much further than a shop's clock would have moved.
        parameters: &[("OrderDeadlineSeconds", "604800")],
    });
}
