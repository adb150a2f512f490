//! Conflicts and throttling never decide an order (point 6).

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};
use crate::support::steps::STEPS;

use super::order;

#[test]
fn a_conflict_is_never_out_of_stock() {
    run_local(async {
        for express in [false, true] {
            let shop = Shop::start(Setup {
                manual_clock: true,
                express,
                ..Setup::default()
            })
            .await;
            shop.fault("dynamodb:TransactWriteItems@reserve-inventory=conflict")
                .await;
            let (customer, product, order) = order(&shop, "tok_ok").await;
            // Neither the first run nor its retries finish.
            shop.run_until("conflicts", async || match shop.fault_hits().await {
                hits if hits > 8 => Ok(()),
                hits => Err(format!("{hits} conflicts")),
            })
            .await;
            let waiting = shop.read(&customer, &order).await;
            assert_eq!(waiting["status"], "pending", "{waiting}");
            shop.no_faults().await;
            shop.run_until_settled(&order).await;
            assert_eq!(shop.read(&customer, &order).await["status"], "confirmed");
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
        }
    });
}

#[test]
fn a_few_conflicts_and_throttled_calls_are_not_noticed() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        for step in STEPS {
            for mode in [
                "conflict*2",
                "throttle*2",
                "error*2",
                "lost-answer*1",
                "duplicate*1",
            ] {
                shop.fault(&format!("dynamodb:*@{step}={mode}")).await;
                let (customer, _, order) = order(&shop, "tok_ok").await;
                shop.run_until_settled(&order).await;
                let read = shop.read(&customer, &order).await;
                assert_eq!(read["status"], "confirmed", "{step} {mode}: {read}");
                assert_eq!(shop.books_of(&order).await.charges, 1, "{step} {mode}");
            }
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
