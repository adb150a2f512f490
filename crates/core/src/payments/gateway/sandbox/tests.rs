//! The sandbox behaves as documented, and charges each key once.

use super::*;
use crate::aws::settings::Setting;
use crate::payments::fixtures::{eur, key, refund_key, short};
use crate::testing::{self, Engine, Fault};

fn sandbox() -> (Sandbox, Engine) {
    let (aws, engine) = testing::aws();
    (Sandbox::new(&aws).unwrap(), engine)
}

/// Returns what charging 40.00 with `token` and then retrieving return.
async fn charge_and_retrieve(token: &str) -> (String, String) {
    let (sandbox, _) = sandbox();
    let charged = sandbox.charge(&key(), eur("40.00"), token).await;
    let found = sandbox.retrieve(&key()).await;
    (short(charged), short(found))
}

#[tokio::test]
async fn each_token_has_its_documented_outcome() {
    for (token, charged, found) in [
        ("tok_ok", "captured 40.00 EUR", "captured 40.00 EUR"),
        ("tok_declined", "declined declined", "declined declined"),
        (
            "tok_insufficient_funds",
            "declined insufficient_funds",
            "declined insufficient_funds",
        ),
        ("tok_requires_action", "action required", "action required"),
        ("tok_unknown", "unknown", "captured 40.00 EUR"),
        (
            "tok_capture_later",
            "authorized 40.00 EUR",
            "authorized 40.00 EUR",
        ),
        ("pm_card_visa", "captured 40.00 EUR", "captured 40.00 EUR"),
        (
            "pm_card_visa_chargeDeclined",
            "declined generic_decline",
            "declined generic_decline",
        ),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "declined insufficient_funds",
            "declined insufficient_funds",
        ),
        (
            "pm_card_visa_chargeDeclinedLostCard",
            "declined lost_card",
            "declined lost_card",
        ),
        (
            "pm_card_visa_chargeDeclinedStolenCard",
            "declined stolen_card",
            "declined stolen_card",
        ),
        (
            "pm_card_chargeDeclinedExpiredCard",
            "declined expired_card",
            "declined expired_card",
        ),
        (
            "pm_card_chargeDeclinedIncorrectCvc",
            "declined incorrect_cvc",
            "declined incorrect_cvc",
        ),
        (
            "pm_card_chargeDeclinedProcessingError",
            "declined processing_error",
            "declined processing_error",
        ),
        (
            "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
            "declined card_velocity_exceeded",
            "declined card_velocity_exceeded",
        ),
        (
            "pm_card_authenticationRequired",
            "action required",
            "action required",
        ),
        (
            "pm_card",
            "declined invalid_token",
            "declined invalid_token",
        ),
        ("tok", "declined invalid_token", "declined invalid_token"),
        ("", "declined invalid_token", "declined invalid_token"),
    ] {
        let said = charge_and_retrieve(token).await;
        assert_eq!((said.0.as_str(), said.1.as_str()), (charged, found));
    }
}

#[tokio::test]
async fn a_token_makes_one_account_busy() {
    for (gateway, charged, found) in [
        ("sandbox:us", "busy", "not found"),
        ("sandbox:eu", "captured 40.00 EUR", "captured 40.00 EUR"),
        ("sandbox", "captured 40.00 EUR", "captured 40.00 EUR"),
    ] {
        let (sandbox, _) = sandbox();
        let key = key().at(gateway.parse().unwrap());
        let said = sandbox.charge(&key, eur("40.00"), "tok_busy_at_us").await;
        assert_eq!(short(said), charged, "{gateway}");
        assert_eq!(short(sandbox.retrieve(&key).await), found, "{gateway}");
    }
}

#[tokio::test]
async fn a_key_is_charged_once_whatever_is_requested_later() {
    for (first, expected) in [
        ("tok_ok", "captured 40.00 EUR"),
        ("tok_declined", "declined declined"),
        ("tok_unknown", "unknown"),
    ] {
        let (sandbox, engine) = sandbox();
        for (token, amount) in [(first, "40.00"), (first, "40.00"), ("tok_ok", "99.00")] {
            let again = sandbox.charge(&key(), eur(amount), token).await;
            assert_eq!(short(again), expected, "{first}");
        }
        assert_eq!(engine.items(Setting::SandboxTable).len(), 1);
    }
}

#[test]
fn simultaneous_charges_and_voids_agree_on_one_outcome() {
    for token in ["tok_ok", "tok_capture_later", "tok_declined"] {
        let (sandbox, _) = sandbox();
        let sandbox = &sandbox;
        let results = testing::at_once((0..12).map(|number| {
            async move || {
                if number % 2 == 0 {
                    short(sandbox.void(&key()).await)
                } else {
                    short(sandbox.charge(&key(), eur("40.00"), token).await)
                }
            }
        }));
        let end = testing::at_once([async || short(sandbox.retrieve(&key()).await)]);
        let other = if end == ["voided"] {
            "captured 40.00 EUR"
        } else {
            "voided"
        };
        assert!(!results.iter().any(|result| result == other), "{results:?}");
    }
}

#[tokio::test]
async fn a_negative_amount_is_neither_charged_nor_refunded() {
    let (sandbox, _) = sandbox();
    let charged = sandbox.charge(&key(), eur("-1.00"), "tok_ok").await;
    assert_eq!(short(charged), "unknown");
    assert_eq!(short(sandbox.retrieve(&key()).await), "not found");
    let refunded = sandbox.refund(&refund_key("first"), eur("-1.00")).await;
    assert!(matches!(refunded, Err(GatewayError::Unknown(_))));
}

#[tokio::test]
async fn only_one_of_two_creates_the_charge() {
    let (sandbox, _) = sandbox();
    let first = ChargeItem::new(&key(), eur("40.00"), behaviour("tok_ok")).unwrap();
    assert_eq!(sandbox.create(&first).await.unwrap(), Written::Done);
    let second = ChargeItem::voided_unseen(&key());
    assert_ne!(sandbox.create(&second).await.unwrap(), Written::Done);
    let found = short(sandbox.retrieve(&key()).await);
    assert_eq!(found, "captured 40.00 EUR");
}

#[tokio::test]
async fn only_one_of_two_settles_an_authorised_charge() {
    for (first, then, end) in [
        (State::Captured, State::Voided, "captured 40.00 EUR"),
        (State::Voided, State::Captured, "voided"),
    ] {
        let (sandbox, _) = sandbox();
        let charge = sandbox
            .charge(&key(), eur("40.00"), "tok_capture_later")
            .await;
        charge.unwrap();
        let settled = sandbox.settle(&key(), State::Authorized, first).await;
        assert_eq!(settled.unwrap(), Written::Done);
        let settled = sandbox.settle(&key(), State::Authorized, then).await;
        assert_ne!(settled.unwrap(), Written::Done);
        assert_eq!(short(sandbox.retrieve(&key()).await), end);
    }
}

#[tokio::test]
async fn a_charge_is_settled_only_where_there_is_one() {
    let (sandbox, engine) = sandbox();
    let settled = sandbox
        .settle(&key(), State::Authorized, State::Captured)
        .await;
    assert_ne!(settled.unwrap(), Written::Done);
    assert!(engine.items(Setting::SandboxTable).is_empty());
}

#[tokio::test]
async fn of_a_charge_and_a_void_at_once_the_first_counts() {
    // A new key, and one that is authorised.
    for (token, operation) in [("tok_ok", "PutItem"), ("tok_capture_later", "UpdateItem")] {
        let (sandbox, engine) = sandbox();
        let charge = async || short(sandbox.charge(&key(), eur("40.00"), token).await);
        if operation == "UpdateItem" {
            charge().await;
        }
        let other = sandbox.clone();
        engine.before_next(operation, async move || {
            assert_eq!(short(other.void(&key()).await), "voided");
        });
        assert_eq!(charge().await, "declined voided", "{token}");
    }
    for (token, operation) in [("tok_ok", "PutItem"), ("tok_capture_later", "UpdateItem")] {
        let (sandbox, engine) = sandbox();
        if operation == "UpdateItem" {
            let authorized = sandbox.charge(&key(), eur("40.00"), token).await;
            assert_eq!(short(authorized), "authorized 40.00 EUR");
        }
        let other = sandbox.clone();
        engine.before_next(operation, async move || {
            let charged = other.charge(&key(), eur("40.00"), token).await;
            assert_eq!(short(charged), "captured 40.00 EUR");
        });
        let voided = short(sandbox.void(&key()).await);
        assert_eq!(voided, "captured 40.00 EUR", "{token}");
    }
}

#[tokio::test]
async fn only_what_was_captured_is_refunded() {
    for (token, stays) in [
        ("tok_declined", "declined declined"),
        ("tok_capture_later", "authorized 40.00 EUR"),
    ] {
        let (sandbox, _) = sandbox();
        let charged = sandbox.charge(&key(), eur("40.00"), token).await;
        assert_eq!(short(charged), stays);
        let refunded = sandbox.refund(&refund_key("first"), eur("10.00")).await;
        assert_eq!(refunded.unwrap(), failed("charge_already_refunded"));
        assert_eq!(short(sandbox.retrieve(&key()).await), stays);
    }
}

#[tokio::test]
async fn a_throttled_gateway_is_busy_and_has_done_nothing() {
    let (sandbox, engine) = sandbox();
    for _ in 0..3 {
        engine.fail_next("PutItem", Fault::Throttled);
    }
    let refused = sandbox.charge(&key(), eur("40.00"), "tok_ok").await;
    assert_eq!(short(refused), "busy");
    assert_eq!(short(sandbox.retrieve(&key()).await), "not found");
}

#[tokio::test]
async fn a_key_that_was_voided_before_its_charge_is_declined() {
    let (sandbox, _) = sandbox();
    assert_eq!(short(sandbox.retrieve(&key()).await), "not found");
    for _ in 0..2 {
        assert_eq!(short(sandbox.void(&key()).await), "voided");
    }
    let late = sandbox.charge(&key(), eur("40.00"), "tok_ok").await;
    assert_eq!(short(late), "declined voided");
    assert_eq!(short(sandbox.retrieve(&key()).await), "voided");
}

#[tokio::test]
async fn a_captured_or_declined_charge_is_not_voided() {
    for (token, stays) in [
        ("tok_ok", "captured 40.00 EUR"),
        ("tok_unknown", "captured 40.00 EUR"),
        ("tok_declined", "declined declined"),
    ] {
        let (sandbox, _) = sandbox();
        let _ = sandbox.charge(&key(), eur("40.00"), token).await;
        assert_eq!(short(sandbox.void(&key()).await), stays);
    }
}

#[tokio::test]
async fn no_more_is_refunded_than_was_captured() {
    let (sandbox, _) = sandbox();
    let none = sandbox.refund(&refund_key("none"), eur("1.00")).await;
    assert_eq!(none.unwrap(), failed("charge_already_refunded"));
    sandbox
        .charge(&key(), eur("40.00"), "tok_ok")
        .await
        .unwrap();
    let too_much = failed("charge_already_refunded");
    for (name, amount, expected, found) in [
        ("large", "40.01", &too_much, "captured 40.00 EUR"),
        (
            "first",
            "10.00",
            &RefundState::Succeeded,
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        (
            "first",
            "10.00",
            &RefundState::Succeeded,
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        (
            "other",
            "30.01",
            &too_much,
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        (
            "last",
            "30.00",
            &RefundState::Succeeded,
            "refunded 40.00 EUR of 40.00 EUR",
        ),
        ("more", "0.01", &too_much, "refunded 40.00 EUR of 40.00 EUR"),
        // What failed stays failed.
        (
            "large",
            "0.01",
            &too_much,
            "refunded 40.00 EUR of 40.00 EUR",
        ),
    ] {
        let refunded = sandbox.refund(&refund_key(name), eur(amount)).await;
        assert_eq!(refunded.unwrap(), *expected, "{name}");
        assert_eq!(short(sandbox.retrieve(&key()).await), found, "{name}");
    }
}

#[test]
fn simultaneous_refunds_do_not_exceed_what_was_captured() {
    let (sandbox, _) = sandbox();
    let sandbox = &sandbox;
    testing::at_once([async || {
        let charged = sandbox.charge(&key(), eur("40.00"), "tok_ok").await;
        assert_eq!(short(charged), "captured 40.00 EUR");
    }]);
    // Each of nine keys twice; four refunds of 9.00 fit.
    let results = testing::at_once((0..18).map(|number| {
        async move || {
            let key = refund_key(&format!("{}", number / 2));
            sandbox.refund(&key, eur("9.00")).await.unwrap()
        }
    }));
    let succeeded = results
        .iter()
        .filter(|state| **state == RefundState::Succeeded);
    assert_eq!(succeeded.count(), 8, "{results:?}");
    let end = testing::at_once([async || short(sandbox.retrieve(&key()).await)]);
    assert_eq!(end, ["refunded 36.00 EUR of 40.00 EUR"]);
}

#[tokio::test]
async fn each_token_has_its_documented_refunds() {
    let failed = failed("expired_or_canceled_card");
    for (token, said, retrieved, charge) in [
        (
            "tok_ok",
            Some(RefundState::Succeeded),
            RefundState::Succeeded,
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        (
            "tok_refund_pending",
            Some(RefundState::Pending),
            RefundState::Succeeded,
            "refunded 10.00 EUR of 40.00 EUR",
        ),
        (
            "tok_refund_fails",
            Some(failed.clone()),
            failed,
            "captured 40.00 EUR",
        ),
        (
            "tok_refund_unknown",
            None,
            RefundState::Succeeded,
            "refunded 10.00 EUR of 40.00 EUR",
        ),
    ] {
        let (sandbox, _) = sandbox();
        let charged = sandbox.charge(&key(), eur("40.00"), token).await;
        assert_eq!(short(charged), "captured 40.00 EUR", "{token}");
        let key_of_refund = refund_key("first");
        let unknown = sandbox.retrieve_refund(&key_of_refund).await.unwrap();
        assert_eq!(unknown, RefundState::NotFound, "{token}");
        assert_eq!(
            sandbox.refund(&key_of_refund, eur("10.00")).await.ok(),
            said,
            "{token}"
        );
        let found = sandbox.retrieve_refund(&key_of_refund).await.unwrap();
        assert_eq!(found, retrieved, "{token}");
        assert_eq!(short(sandbox.retrieve(&key()).await), charge, "{token}");
    }
}

fn failed(code: &str) -> RefundState {
    let code = code.to_owned();
    RefundState::Failed { code }
}
