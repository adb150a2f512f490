//! A hold ends with its order and not before (point 3).

use crate::support::run_local;
use crate::support::steps::STEPS;

use super::{order, still_shop};

#[test]
fn a_hold_does_not_expire_while_its_order_is_pending() {
    run_local(async {
        let shop = still_shop().await;
        let (_, product, order) = order(&shop, "tok_ok").await;
        for step in &STEPS[..2] {
            shop.step(step, &order).await.unwrap();
        }
        shop.advance_in_steps(3600).await;
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        assert_eq!(shop.books_of(&order).await.reservation["status"], "held");
        shop.no_faults().await;
        shop.run_until_settled(&order).await;
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_hold_and_its_stock_change_together_or_not_at_all() {
    run_local(async {
        let shop = still_shop().await;
        let (customer, product, order) = order(&shop, "tok_ok").await;
        let four_times = async |step: &str| {
            let calls = (0..4).map(|_| shop.step(step, &order));
            futures::future::join_all(calls).await;
        };
        four_times("reserve-inventory").await;
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
        shop.cancel(&customer, &order).await.expect(200);
        four_times("release-inventory").await;
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
