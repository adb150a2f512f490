use super::*;
use crate::aws::settings::Setting;
use crate::payments::fixtures::{Shop, after, all_refunds, eur};
use crate::payments::model::Amounts;
use crate::payments::rules;
use crate::testing::Engine;

/// A shop whose payment of 40.00 is taken.
async fn paid() -> Shop {
    let shop = Shop::with("tok_ok").await;
    assert_eq!(shop.process().await, "completed");
    shop
}

/// Records `change`. Returns the payment after it, or `None` if the table refused it.
async fn record(shop: &Shop, payment: &Payment, change: &Change, seconds: i64) -> Option<Payment> {
    let next = rules::apply(payment, change, after(seconds)).unwrap();
    let written = shop.payments.record(payment, &next, change).await;
    (written.unwrap() == Written::Done).then_some(next)
}

fn image(engine: &Engine) -> serde_json::Value {
    engine.items(Setting::PaymentsTable).remove(0)
}

#[tokio::test]
async fn a_payment_is_one_small_item_in_whole_units() {
    let shop = paid().await;
    let stored = image(&shop.engine);
    assert_eq!(stored["authorized"], 4000);
    assert_eq!(stored["captured"], 4000);
    assert_eq!(stored["refunded"], 0);
    assert_eq!(stored["event"]["version"], stored["version"]);
    // A write unit is 1 KB; the JSON is longer than what DynamoDB counts.
    assert!(stored.to_string().len() < 1024, "{stored}");
}

#[tokio::test]
async fn a_stored_payment_is_read_as_it_was() {
    let shop = paid().await;
    let payment = shop.payment().await;
    let event = Change::Captured(eur("40.00")).stamp(&payment, payment.updated_at);
    let item = PaymentItem::new(&payment, Some(event)).unwrap();
    assert_eq!(item.clone().into_payment().unwrap(), payment);
    assert_eq!(serde_json::to_value(item).unwrap(), image(&shop.engine));
}

#[tokio::test]
async fn a_write_based_on_an_older_payment_is_refused() {
    let shop = paid().await;
    let stored = shop.payment().await;
    let older = Payment {
        version: 0,
        ..stored.clone()
    };
    let refund = all_refunds("40.00");
    assert_eq!(record(&shop, &older, &refund, 2).await, None);
    let refused = shop.payments.request_void(&older).await.unwrap();
    assert_eq!(refused, Written::Refused(vec![0]));
    assert_eq!(shop.payment().await, stored);
}

#[tokio::test]
async fn a_write_that_does_not_know_whether_voiding_began_is_refused() {
    let shop = paid().await;
    let before = shop.payment().await;
    assert_eq!(
        shop.payments.request_void(&before).await.unwrap(),
        Written::Done
    );
    let stored = shop.payment().await;
    assert!(stored.void_requested);
    let refund = all_refunds("1.00");
    assert_eq!(record(&shop, &before, &refund, 2).await, None);
    // A write that takes voiding for begun when it has not is refused, too.
    let shop = paid().await;
    assert_eq!(record(&shop, &stored, &refund, 2).await, None);
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
}

#[tokio::test]
async fn the_table_itself_refuses_amounts_that_break_their_order() {
    // The payment that is passed in has the stored version, but other amounts.
    let shop = paid().await;
    let stored = shop.payment().await;
    let claim = |authorized, captured, refunded, status| Payment {
        amounts: Amounts::new(eur(authorized), eur(captured), eur(refunded)).unwrap(),
        status,
        ..stored.clone()
    };
    let open = crate::orders::model::PaymentStatus::Authorized;
    for (claim, change) in [
        (
            claim("50.00", "50.00", "0.00", stored.status),
            all_refunds("40.01"),
        ),
        (
            claim("50.00", "0.00", "0.00", open),
            Change::Captured(eur("40.01")),
        ),
        (
            claim("10.00", "0.00", "0.00", open),
            Change::Captured(eur("39.99")),
        ),
        (
            claim("10.00", "0.00", "0.00", open),
            Change::Authorized(eur("39.99")),
        ),
    ] {
        let written = record(&shop, &claim, &change, 2).await;
        assert_eq!(written, None, "{change:?}");
    }
    assert_eq!(shop.payment().await, stored);
    let half = all_refunds("20.00");
    let halved = record(&shop, &stored, &half, 2).await;
    let less = claim("40.00", "40.00", "10.00", stored.status);
    let less = Payment { version: 2, ..less };
    let back = all_refunds("15.00");
    let written = record(&shop, &less, &back, 3).await;
    assert_eq!(written, None, "a refund is never taken back");
    assert_eq!(Some(shop.payment().await), halved);
}

#[tokio::test]
async fn the_table_itself_refuses_to_lower_what_is_captured() {
    let shop = Shop::with("tok_capture_later").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    let authorized = shop.payment().await;
    let part = Change::Captured(eur("20.00"));
    let captured = record(&shop, &authorized, &part, 2).await.unwrap();
    let claim = Payment {
        amounts: authorized.amounts,
        status: authorized.status,
        ..captured.clone()
    };
    let less = Change::Captured(eur("19.99"));
    assert_eq!(record(&shop, &claim, &less, 3).await, None);
    assert_eq!(shop.payment().await, captured);
}

#[tokio::test]
async fn a_payment_of_an_earlier_release_stays_out_of_the_ledger() {
    let shop = paid().await;
    assert!(shop.payment().await.in_ledger);
    let payment = shop.payment().await;
    let table = &shop.payments.table;
    let write = table.update(payment_key(payment.id), "SET #schema = :one");
    let write = write.name("#schema", "schema").value(":one", &1).unwrap();
    table.write(write).await.unwrap();
    let earlier = shop.payment().await;
    assert!(!earlier.in_ledger);
    let refund = all_refunds("40.00");
    assert!(record(&shop, &earlier, &refund, 2).await.is_some());
    assert!(!shop.payment().await.in_ledger);
}
