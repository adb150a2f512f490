//! Customers are told the outcome of their orders, once.

use expect_test::expect;
use serde_json::Value;

use crate::support::run_local;
use crate::support::shop::{Setup, Shop, shared};
use crate::support::until;

/// Waits until `count` messages have been sent to `email`, and returns them.
async fn messages(shop: &Shop, email: &str, count: usize) -> Vec<Value> {
    until("messages", async || {
        let found: Vec<Value> = shop
            .order_mail()
            .await
            .into_iter()
            .filter(|message| message["to"].to_string().contains(email))
            .collect();
        if found.len() >= count {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await
}

#[test]
fn every_end_of_an_order_is_told_once() {
    run_local(async {
        let shop = shared().await;
        let product = shop.named_product("Kite", "18.50", 10).await;
        let customer = shop.customer().await;
        let confirmed = shop.order(&customer, &product, "tok_ok").await;
        shop.until_status(&customer, &confirmed, "confirmed").await;
        messages(shop, &customer.email, 1).await;
        shop.cancel(&customer, &confirmed).await.expect(200);
        messages(shop, &customer.email, 2).await;
        let failed = shop.order(&customer, &product, "tok_declined").await;
        shop.until_status(&customer, &failed, "failed").await;
        let told = messages(shop, &customer.email, 3).await;
        let subjects: String = told
            .iter()
            .map(|message| {
                let subject = message["subject"].as_str().unwrap();
                let subject = subject.replace(&confirmed, "<confirmed>");
                let subject = subject.replace(&failed, "<failed>");
                for form in ["text", "html"] {
                    assert!(
                        message[form].as_str().unwrap().contains("Kite"),
                        "{message}"
                    );
                }
                subject + "\n"
            })
            .collect();
        expect![[r#"
            Your order at Oxcart is confirmed
            Your order at Oxcart has been cancelled
            Your order at Oxcart could not be completed
        "#]]
        .assert_eq(&subjects);
    });
}

#[test]
fn a_message_that_is_queued_twice_is_sent_once() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        shop.fault("sqs:Deliver@send-messages=duplicate").await;
        let product = shop.product("18.50", 10).await;
        let customer = shop.customer().await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.until_settled(&order).await;
        messages(&shop, &customer.email, 1).await;
        shop.quiet().await;
        assert_eq!(messages(&shop, &customer.email, 1).await.len(), 1);
    });
}

#[test]
fn mail_that_is_throttled_for_two_hours_is_sent_once() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        shop.fault("ses:SendEmail@send-messages=throttle").await;
        let product = shop.product("18.50", 10).await;
        let customer = shop.customer().await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.run_until_settled(&order).await;
        shop.bear_faults_for_two_hours().await;
        assert_eq!(shop.order_mail().await, Vec::<Value>::new());
        shop.no_faults().await;
        let told = shop
            .run_until("the mail about the order", async || {
                let mail = shop.order_mail().await;
                if mail.is_empty() {
                    return Err("no mail".to_owned());
                }
                Ok(mail)
            })
            .await;
        assert_eq!(told.len(), 1);
    });
}
