//! An order is due until everything that its status demands is done (point 2).

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

use super::order;

fn standing_still(express: bool) -> Setup {
    Setup {
        manual_clock: true,
        express,
        ..Setup::default()
    }
}

#[test]
fn an_order_whose_run_was_never_started_is_run_when_it_is_due() {
    run_local(async {
        for express in [false, true] {
            let shop = Shop::start(standing_still(express)).await;
            shop.fault("states:StartExecution@place-order=error").await;
            let (_, product, order) = order(&shop, "tok_ok").await;
            shop.run_until_settled(&order).await;
            assert_eq!(shop.books_of(&order).await.status(), "confirmed");
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
        }
    });
}

#[test]
fn a_cancellation_whose_run_was_never_started_is_run_when_it_is_due() {
    run_local(async {
        let shop = Shop::start(standing_still(false)).await;
        let (customer, product, order) = order(&shop, "tok_ok").await;
        shop.run_until_settled(&order).await;
        shop.fault("states:StartExecution@cancel-order=error").await;
        shop.cancel(&customer, &order).await.expect(200);
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        shop.run_until_settled(&order).await;
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn nothing_is_begun_for_an_order_past_its_deadline() {
    run_local(async {
        let shop = Shop::start(standing_still(false)).await;
        shop.fault("states:StartExecution@*=error").await;
        let (customer, product, order) = order(&shop, "tok_ok").await;
        shop.advance_in_steps(1000).await;
        shop.no_faults().await;
        shop.run_until_settled(&order).await;
        let failed = shop.read(&customer, &order).await;
        assert_eq!(failed["status"], "failed");
        assert_eq!(failed["failure"]["code"], "expired");
        let books = shop.books_of(&order).await;
        assert_eq!((books.charges, books.taken), (0, 0), "{books:#?}");
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
    });
}

#[test]
fn an_order_with_an_unknown_payment_outlives_its_deadline() {
    run_local(async {
        let shop = Shop::start(standing_still(false)).await;
        // The gateway keeps its books there, so that it cannot be asked.
        let (customer, product, order) = {
            shop.fault("dynamodb:GetItem@process-payment=error#3").await;
            order(&shop, "tok_unknown").await
        };
        shop.until_payment_status(&customer, &order, "processing")
            .await;
        shop.fault("lambda:Invoke@process-payment=error").await;
        shop.advance_in_steps(2000).await;
        let waiting = shop.read(&customer, &order).await;
        assert_eq!(waiting["status"], "pending", "{waiting}");
        assert_eq!(waiting["payment_status"], "processing", "{waiting}");
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        shop.no_faults().await;
        shop.run_until_settled(&order).await;
        assert_eq!(shop.read(&customer, &order).await["status"], "confirmed");
        assert_eq!(shop.books_of(&order).await.taken, 3980);
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
