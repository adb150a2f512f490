//! Every event and message is delivered twice.

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

use super::order;

/// Returns the state after an order that was confirmed, one that failed, and one that was cancelled.
async fn three_orders(shop: &Shop) -> Vec<String> {
    let mut left = Vec::new();
    let events = |last: &'static [&'static str]| [&["OrderCreated"], last].concat();
    for (token, cancel, last) in [
        ("tok_ok", false, events(&["OrderConfirmed"])),
        ("tok_declined", false, events(&["OrderFailed"])),
        (
            "tok_ok",
            true,
            events(&["OrderConfirmed", "OrderCancelled"]),
        ),
    ] {
        let (customer, product, order) = order(shop, token).await;
        shop.run_until_settled(&order).await;
        if cancel {
            shop.cancel(&customer, &order).await.expect(200);
            shop.run_until_settled(&order).await;
        }
        let history = shop.run_until_history(&customer, &order, &last).await;
        let messages = shop.run_until_mail(&customer.email, last.len() - 1).await;
        let books = shop.books_of(&order).await;
        left.push(format!(
            "{} {} v{}, {} events, {} messages, {} charges, {} taken, {} given back, {:?}",
            books.header["status"],
            books.header["payment_status"],
            books.header["version"],
            history["items"].as_array().unwrap().len(),
            messages.len(),
            books.charges,
            books.taken,
            books.given_back,
            shop.stock(&product).await,
        ));
    }
    shop.balanced().await.unwrap();
    shop.audited().await.unwrap();
    left
}

fn check(express: bool) {
    run_local(async {
        let setup = Setup {
            manual_clock: true,
            express,
            ..Setup::default()
        };
        let once = Shop::start(setup.clone()).await;
        let twice = Shop::start(setup).await;
        twice.fault("*:Deliver@*=duplicate").await;
        let (once, left) = futures::join!(three_orders(&once), three_orders(&twice));
        assert_eq!(once, left);
        assert!(twice.fault_hits().await > 0);
    });
}

#[test]
fn every_event_delivered_twice_leaves_the_same_state() {
    check(false);
}

#[test]
fn every_event_delivered_twice_leaves_the_same_state_when_express() {
    check(true);
}
