//! Captures of what was authorised before.

use super::*;

/// Returns a shop whose charge of 40.00 is authorised.
async fn authorized() -> Option<(Shop, Localstripe)> {
    let (shop, localstripe) = Shop::start()?;
    for _ in 0..2 {
        assert_eq!(shop.authorize("pm_card_visa").await, "authorized 40.00 EUR");
    }
    assert_eq!(shop.proxy.lines(), [CREATE, CONFIRM, READ]);
    Some((shop, localstripe))
}

#[tokio::test]
async fn an_intent_is_captured_once_and_the_rest_released() {
    let Some((shop, localstripe)) = authorized().await else {
        return;
    };
    assert_eq!(shop.retrieve().await, "authorized 40.00 EUR");
    assert_eq!(shop.capture("15.00", false).await, "unknown");
    assert_eq!(statuses(&localstripe), ["requires_capture"]);
    for _ in 0..2 {
        assert_eq!(shop.capture("15.00", true).await, "captured 15.00 EUR");
        assert_eq!(shop.retrieve().await, "captured 15.00 EUR");
    }
    assert_eq!(shop.void().await, "captured 15.00 EUR");
    assert_eq!(shop.authorize("pm_card_visa").await, "captured 15.00 EUR");
    assert_eq!(
        shop.refund("large", "15.01").await,
        "failed charge_already_refunded"
    );
    assert_eq!(shop.refund("part", "10.00").await, "succeeded");
    assert_eq!(shop.retrieve().await, "refunded 10.00 EUR of 15.00 EUR");
    // A capture that was asleep meanwhile does not take the refund for what it released.
    assert_eq!(
        shop.capture("15.00", true).await,
        "refunded 10.00 EUR of 15.00 EUR"
    );
    assert_eq!(shop.refund("rest", "5.00").await, "succeeded");
    assert_eq!(shop.retrieve().await, "refunded 15.00 EUR of 15.00 EUR");
}

#[tokio::test]
async fn all_of_an_intent_is_captured_whatever_gets_lost() {
    for treatment in [Treatment::Lose, Treatment::LoseAnswer] {
        let Some((shop, localstripe)) = authorized().await else {
            return;
        };
        shop.proxy.treat_next(CAPTURE, treatment);
        assert_eq!(shop.capture("40.00", true).await, "unknown");
        assert_eq!(shop.capture("40.00", true).await, "captured 40.00 EUR");
        assert_eq!(statuses(&localstripe), ["succeeded"]);
        assert_eq!(localstripe.refunds().len(), 0);
        assert_eq!(shop.refund("all", "40.00").await, "succeeded");
        assert_eq!(
            shop.capture("40.00", true).await,
            "refunded 40.00 EUR of 40.00 EUR"
        );
    }
}

#[tokio::test]
async fn a_part_is_captured_once_although_the_answer_is_lost() {
    let Some((shop, _localstripe)) = authorized().await else {
        return;
    };
    shop.proxy.treat_next(CAPTURE, Treatment::LoseAnswer);
    assert_eq!(shop.capture("15.00", true).await, "unknown");
    assert_eq!(shop.capture("15.00", true).await, "captured 15.00 EUR");
    assert_eq!(shop.refund("all", "15.00").await, "succeeded");
    assert_eq!(shop.retrieve().await, "refunded 15.00 EUR of 15.00 EUR");
}

#[tokio::test]
async fn what_is_voided_is_not_captured() {
    let Some((shop, localstripe)) = authorized().await else {
        return;
    };
    assert_eq!(shop.void().await, "voided");
    assert_eq!(shop.capture("40.00", true).await, "voided");
    assert_eq!(statuses(&localstripe), ["canceled"]);
    let never = Shop::before(localstripe.port());
    assert_eq!(never.capture("40.00", true).await, "not found");
}
