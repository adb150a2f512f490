//! Refunds.

use super::*;

/// Returns a shop whose charge of 40.00 is captured.
async fn charged() -> Option<(Shop, Localstripe)> {
    let (shop, localstripe) = Shop::start()?;
    assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    shop.proxy.sent();
    Some((shop, localstripe))
}

/// Returns the amounts that `localstripe` refunded, sorted.
fn refunded(localstripe: &Localstripe) -> Vec<u64> {
    let refunds = localstripe.refunds();
    let amounts = refunds
        .iter()
        .map(|refund| refund["amount"].as_u64().unwrap());
    let mut amounts: Vec<u64> = amounts.collect();
    amounts.sort_unstable();
    amounts
}

#[tokio::test]
async fn no_more_is_refunded_than_was_captured_and_each_key_once() {
    let Some((shop, localstripe)) = charged().await else {
        return;
    };
    let failed = "failed charge_already_refunded";
    for (name, amount, said, found) in [
        ("large", "40.01", failed, "captured 40.00 EUR"),
        (
            "first",
            "10.00",
            "succeeded",
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        (
            "first",
            "10.00",
            "succeeded",
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        ("other", "30.01", failed, "refunded 10.00 EUR of 40.00 EUR"),
        (
            "last",
            "30.00",
            "succeeded",
            "refunded 40.00 EUR of 40.00 EUR",
        ),
        ("more", "0.01", failed, "refunded 40.00 EUR of 40.00 EUR"),
        // What failed stays failed.
        ("large", "0.01", failed, "refunded 40.00 EUR of 40.00 EUR"),
    ] {
        assert_eq!(shop.refund(name, amount).await, said, "{name}");
        assert_eq!(shop.retrieve_refund(name).await, said, "{name}");
        assert_eq!(shop.retrieve().await, found, "{name}");
    }
    assert_eq!(shop.retrieve_refund("none").await, "not found");
    assert_eq!(refunded(&localstripe), [1000, 3000]);
}

#[tokio::test]
async fn only_what_was_captured_is_refunded() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    assert_eq!(shop.retrieve_refund("first").await, "not found");
    assert_eq!(
        shop.refund("first", "1.00").await,
        "failed charge_already_refunded"
    );
    shop.proxy.treat_next(CAPTURE, Treatment::Lose);
    assert_eq!(shop.charge("pm_card_visa").await, "unknown");
    assert_eq!(shop.retrieve_refund("second").await, "not found");
    assert_eq!(
        shop.refund("second", "1.00").await,
        "failed charge_already_refunded"
    );
    assert_eq!(shop.charge("pm_card_visa").await, "captured 40.00 EUR");
    assert_eq!(shop.refund("third", "-1.00").await, "unknown");
    assert_eq!(shop.retrieve_refund("third").await, "not found");
    assert_eq!(refunded(&localstripe), [0; 0]);
}

#[tokio::test]
async fn a_lost_answer_refunds_nothing_twice() {
    let Some((shop, localstripe)) = charged().await else {
        return;
    };
    shop.proxy.treat_next(REFUND, Treatment::LoseAnswer);
    assert_eq!(shop.refund("first", "10.00").await, "unknown");
    assert_eq!(shop.retrieve_refund("first").await, "succeeded");
    assert_eq!(shop.refund("first", "10.00").await, "succeeded");
    assert_eq!(refunded(&localstripe), [1000]);
    shop.proxy.treat_next(REFUND, Treatment::Lose);
    assert_eq!(shop.refund("second", "5.00").await, "unknown");
    assert_eq!(shop.retrieve_refund("second").await, "not found");
    assert_eq!(shop.refund("second", "5.00").await, "succeeded");
    assert_eq!(refunded(&localstripe), [500, 1000]);
    for status in [409, 429, 500] {
        shop.proxy
            .treat_next(REFUND, Treatment::Answer(status, String::new()));
        let said = if status == 500 { "unknown" } else { "busy" };
        assert_eq!(shop.refund("third", "1.00").await, said, "{status}");
    }
    assert_eq!(shop.refund("third", "1.00").await, "succeeded");
    // Each time with the same key.
    let sent = shop.proxy.sent().into_iter();
    let third = format!("idempotency-key: {}\r\n", refund_key("third"));
    let keyed = sent.filter(|sent| sent.line == REFUND && sent.headers.contains(&third));
    assert_eq!(keyed.count(), 4);
}

#[tokio::test]
async fn what_stripe_refuses_to_refund_stays_refused() {
    let Some((shop, localstripe)) = charged().await else {
        return;
    };
    let refused = json!({"error": {"code": "charge_disputed", "type": "invalid_request_error"}});
    shop.proxy
        .treat_next(REFUND, Treatment::Answer(400, refused.to_string()));
    for _ in 0..2 {
        assert_eq!(
            shop.refund("first", "10.00").await,
            "failed charge_disputed"
        );
        assert_eq!(
            shop.retrieve_refund("first").await,
            "failed charge_disputed"
        );
    }
    assert_eq!(shop.refund("second", "10.00").await, "succeeded");
    assert_eq!(refunded(&localstripe), [1000]);
}

#[tokio::test]
async fn a_refund_is_found_on_a_later_page() {
    let Some((shop, localstripe)) = charged().await else {
        return;
    };
    let page = |name: &str, status: &str, has_more: bool| {
        let refund_id = refund_key(name).refund.to_string();
        let refund = json!({"id": name, "status": status, "metadata": {"refund_id": refund_id}});
        Treatment::Answer(
            200,
            json!({"data": [refund], "has_more": has_more}).to_string(),
        )
    };
    shop.proxy.treat(
        move |sent| match (&*sent.line, sent.query.ends_with("&starting_after=a")) {
            (REFUNDS, false) => page("a", "succeeded", true),
            (REFUNDS, true) => page("b", "pending", false),
            _ => Treatment::Pass,
        },
    );
    assert_eq!(shop.refund("b", "10.00").await, "pending");
    assert_eq!(shop.proxy.lines(), [READ, REFUNDS, REFUNDS]);
    // Pages without an end.
    shop.proxy.treat(move |sent| match &*sent.line {
        REFUNDS => page("a", "succeeded", true),
        _ => Treatment::Pass,
    });
    assert_eq!(shop.refund("b", "10.00").await, "unknown");
    assert_eq!(shop.proxy.lines().len(), 11);
    assert_eq!(refunded(&localstripe), [0; 0]);
}
