//! A queue hands its messages over in another order than that in which they came.

use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

use super::order;

/// Messages wait in their queue, and are handed over in an order that is drawn.
const REORDERED: &str = "sqs:Poll@*=reorder";

#[test]
fn messages_in_any_order_tell_once_what_is_true() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let waiting = format!("{REORDERED},lambda:Invoke@send-messages=throttle");
        shop.fault(&waiting).await;
        let mut people = Vec::new();
        for cancelled in [true, false, true, false, true] {
            let (customer, _, order) = order(&shop, "tok_ok").await;
            shop.run_until_settled(&order).await;
            if cancelled {
                shop.cancel(&customer, &order).await.expect(200);
                shop.run_until_settled(&order).await;
            }
            people.push((customer, cancelled));
        }
        shop.fault(REORDERED).await;
        for (customer, cancelled) in &people {
            let messages = shop.run_until_mail(&customer.email, 1).await;
            let subjects: Vec<_> = messages
                .iter()
                .map(|message| message["subject"].as_str().unwrap())
                .collect();
            // Nobody is told that an order is confirmed that has been cancelled.
            let told = if *cancelled {
                "Your order at Oxcart has been cancelled"
            } else {
                "Your order at Oxcart is confirmed"
            };
            assert_eq!(subjects, [told]);
        }
        assert!(shop.fault_hits().await > 0);
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
