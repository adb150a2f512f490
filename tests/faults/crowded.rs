//! Orders are completed while many clients wait for theirs, and the account has few invocations.

use crate::support::people::order_of;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};
use crate::support::until;

/// How many clients wait at the same time, and the invocations that all functions share.
const CLIENTS: usize = 60;
const CONCURRENCY: u32 = 10;

#[test]
fn orders_are_completed_while_clients_wait_for_theirs() {
    run_local(async {
        let shop = Shop::start(Setup {
            concurrency: Some(CONCURRENCY),
            // Steps that find no place are retried, and orders become due, without the test waiting for it.
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let product = shop.product("18.50", 100).await;
        let order = order_of(&[(&product, 1)], "tok_ok");
        let clients = (0..CLIENTS).map(|number| {
            let (shop, customer, order) = (&shop, &customer, &order);
            async move {
                // A client that is turned away because everything is taken comes again with the same key.
                until("the order is placed", async || {
                    let call = shop.post("/orders").bearer(&customer.token);
                    let call = call.key(&format!("crowded-{number}"));
                    let answer = call.header("prefer", "wait=20").json(order).send().await;
                    match answer.status {
                        201 | 202 => Ok(answer.json()["id"].as_str().unwrap().to_owned()),
                        status => Err(format!("{status}")),
                    }
                })
                .await
            }
        });
        let orders = futures::future::join_all(clients).await;
        for order in &orders {
            shop.run_until_settled(order).await;
            assert_eq!(shop.books_of(order).await.status(), "confirmed");
        }
    });
}
