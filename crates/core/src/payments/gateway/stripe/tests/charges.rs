//! Charges and voids at localstripe.

use super::*;

#[tokio::test]
async fn a_card_that_wants_its_owner_to_confirm_is_captured_afterwards_and_never_once_voided() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for (confirmed, voided, outcome, then) in [
        (Some(true), false, "captured 40.00 EUR", "succeeded"),
        (
            Some(false),
            false,
            "declined payment_intent_authentication_failure",
            "requires_payment_method",
        ),
        (None, true, "declined voided", "canceled"),
    ] {
        let shop = Shop::before(localstripe.port());
        let card = localstripe.card("4000002500003155");
        for _ in 0..2 {
            assert_eq!(shop.charge(&card).await, "action required");
            assert_eq!(shop.retrieve().await, "action required");
        }
        let Charge::ActionRequired(Action::Script { client_secret }) =
            shop.stripe.retrieve(&key()).await.unwrap()
        else {
            panic!("localstripe's action is for Stripe.js");
        };
        if let Some(confirmed) = confirmed {
            localstripe.authenticate(&client_secret, confirmed);
        }
        if voided {
            assert_eq!(shop.void().await, "voided");
        }
        assert_eq!(shop.charge(&card).await, outcome);
        let intents = localstripe.intents();
        let intent = intents
            .iter()
            .find(|i| i["client_secret"] == client_secret.as_str());
        assert_eq!(intent.unwrap()["status"], then);
    }
}

#[tokio::test]
async fn each_card_has_its_outcome() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    let unattachable = "pm_card_visa_chargeDeclined";
    let nowhere = "pm_of_somebody_else";
    for (token, outcome, statuses_then, calls) in [
        (
            "pm_card_visa",
            "captured 40.00 EUR",
            "succeeded",
            [CREATE, CONFIRM, CAPTURE].as_slice(),
        ),
        (
            unattachable,
            "captured 40.00 EUR",
            "succeeded",
            &[CREATE, CONFIRM, CAPTURE],
        ),
        (
            "pm_card_chargeCustomerFail",
            "declined card_declined",
            "requires_payment_method",
            &[CREATE, CONFIRM, READ],
        ),
        (nowhere, "declined invalid_token", "", &[CREATE]),
        ("tok_ok", "declined invalid_token", "", &[]),
        ("", "declined invalid_token", "", &[]),
    ] {
        // A new table, and so no intent, for each.
        let shop = Shop::before(localstripe.port());
        let before = statuses(&localstripe);
        assert_eq!(shop.retrieve().await, "not found");
        assert_eq!(shop.charge(token).await, outcome, "{token}");
        assert_eq!(shop.proxy.lines(), calls, "{token}");
        assert_eq!(shop.retrieve().await, outcome, "{token}");
        // Again, also with another token.
        assert_eq!(shop.charge(token).await, outcome, "{token}");
        assert_eq!(shop.charge("pm_card_visa").await, outcome, "{token}");
        // Nothing is left to void.
        assert_eq!(shop.void().await, outcome, "{token}");
        let mut expected = before;
        expected.extend((!statuses_then.is_empty()).then(|| statuses_then.to_owned()));
        expected.sort();
        assert_eq!(statuses(&localstripe), expected, "{token}");
    }
}

#[tokio::test]
async fn an_intent_says_what_it_is_for() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    shop.charge("pm_card_visa").await;
    let sent = shop.proxy.sent();
    let version = format!("stripe-version: {}", client::API_VERSION);
    for call in &sent {
        assert!(call.headers.contains(&version), "{call:?}");
        assert!(
            call.headers.contains("authorization: bearer sk_tests"),
            "{call:?}"
        );
    }
    let idempotency_key = format!("idempotency-key: {}\r\n", key());
    assert!(sent[0].headers.contains(&idempotency_key), "{:?}", sent[0]);
    let intent = &localstripe.intents()[0];
    assert_eq!(intent["amount"], 4000);
    assert_eq!(intent["currency"], "eur");
    assert_eq!(intent["capture_method"], "manual");
    let order = crate::payments::fixtures::order_id().to_string();
    assert_eq!(
        intent["metadata"],
        json!({"order_id": order, "attempt": "1"})
    );
}

#[tokio::test]
async fn an_amount_that_cannot_be_charged_exactly_is_declined() {
    let shop = Shop::before(0);
    let dinars = Money::parse("5.124", "KWD".parse().unwrap()).unwrap();
    let charged = shop.stripe.charge(&key(), dinars, "pm_card_visa").await;
    assert_eq!(short(charged), "declined invalid_charge_amount");
    assert_eq!(shop.retrieve().await, "declined invalid_charge_amount");
    let shop = Shop::before(0);
    let negative = shop
        .stripe
        .charge(&key(), eur("-1.00"), "pm_card_visa")
        .await;
    assert_eq!(short(negative), "unknown");
    assert_eq!(shop.retrieve().await, "not found");
}

#[tokio::test]
async fn a_key_that_was_voided_before_its_charge_is_declined() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    for _ in 0..2 {
        assert_eq!(shop.void().await, "voided");
    }
    assert_eq!(shop.charge("pm_card_visa").await, "declined voided");
    assert_eq!(shop.retrieve().await, "voided");
    assert!(localstripe.intents().is_empty());
}

#[tokio::test]
async fn what_is_authorised_is_captured_or_voided() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for voids in [false, true] {
        let shop = Shop::before(localstripe.port());
        shop.proxy.treat_next(CAPTURE, Treatment::Lose);
        assert_eq!(shop.charge("pm_card_visa").await, "unknown");
        assert_eq!(shop.retrieve().await, "authorized 40.00 EUR");
        let (charged, then) = if voids {
            assert_eq!(shop.void().await, "voided");
            ("declined voided", "voided")
        } else {
            ("captured 40.00 EUR", "captured 40.00 EUR")
        };
        assert_eq!(shop.charge("pm_card_visa").await, charged);
        assert_eq!(shop.retrieve().await, then);
        assert_eq!(shop.void().await, then);
    }
    assert_eq!(statuses(&localstripe), ["canceled", "succeeded"]);
}

#[test]
fn charges_at_once_with_one_key_charge_once() {
    let Some((shop, localstripe)) = Shop::start() else {
        return;
    };
    let shop = &shop;
    let results = testing::at_once((0..6).map(|_| async || shop.charge("pm_card_visa").await));
    assert_eq!(results, ["captured 40.00 EUR"; 6]);
    let statuses = statuses(&localstripe);
    let captured = statuses.iter().filter(|status| *status == "succeeded");
    assert_eq!(captured.count(), 1, "{statuses:?}");
    // localstripe made one for each that began; those that are not used are canceled.
    let canceled = statuses.iter().filter(|status| *status == "canceled");
    assert_eq!(canceled.count(), statuses.len() - 1, "{statuses:?}");
}

#[test]
fn charges_and_voids_at_once_agree_on_one_outcome() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    for round in 0..5 {
        let shop = &Shop::before(localstripe.port());
        let results = testing::at_once((0..6).map(|number| {
            async move || {
                if number % 2 == round % 2 {
                    shop.void().await
                } else {
                    shop.charge("pm_card_visa").await
                }
            }
        }));
        let end = testing::at_once([async || shop.retrieve().await]);
        let other = if end == ["voided"] {
            "captured 40.00 EUR"
        } else {
            "voided"
        };
        assert!(
            !results.iter().any(|result| result == other),
            "{end:?}: {results:?}"
        );
    }
}

#[tokio::test]
async fn of_a_charge_and_a_void_at_once_the_first_counts() {
    let Some((_, localstripe)) = Shop::start() else {
        return;
    };
    // The charge has created its intent, and the void is stored before it.
    let shop = Shop::before(localstripe.port());
    let other = shop.stripe.clone();
    shop.engine.before_next("PutItem", async move || {
        assert_eq!(short(other.void(&key()).await), "voided");
    });
    assert_eq!(shop.charge("pm_card_visa").await, "declined voided");
    assert_eq!(shop.proxy.lines(), [CREATE, CANCEL]);
    // The void found nothing, and the charge is made before it is stored.
    let shop = Shop::before(localstripe.port());
    let other = shop.stripe.clone();
    shop.engine.before_next("PutItem", async move || {
        let charged = other.charge(&key(), eur("40.00"), "pm_card_visa").await;
        assert_eq!(short(charged), "captured 40.00 EUR");
    });
    assert_eq!(shop.void().await, "captured 40.00 EUR");
    // The void comes just before the confirmation, and just before the capture.
    for (line, outcome, voided) in [
        (CONFIRM, "declined voided", "voided"),
        (CAPTURE, "declined voided", "voided"),
    ] {
        let shop = Shop::before(localstripe.port());
        let other = shop.stripe.clone();
        shop.proxy.treat(move |sent| {
            if sent.line == line {
                let other = other.clone();
                let said = testing::at_once([async move || short(other.void(&key()).await)]);
                assert_eq!(said, [voided]);
            }
            Treatment::Pass
        });
        assert_eq!(shop.charge("pm_card_visa").await, outcome, "{line}");
        assert_eq!(shop.retrieve().await, voided, "{line}");
    }
    // The charge is captured when the void cancels it.
    let shop = Shop::before(localstripe.port());
    shop.proxy.treat_next(CAPTURE, Treatment::Lose);
    assert_eq!(shop.charge("pm_card_visa").await, "unknown");
    let other = shop.stripe.clone();
    shop.proxy.treat(move |sent| {
        if sent.line == CANCEL {
            let other = other.clone();
            testing::at_once([async move || {
                let charged = other.charge(&key(), eur("40.00"), "pm_card_visa").await;
                assert_eq!(short(charged), "captured 40.00 EUR");
            }]);
        }
        Treatment::Pass
    });
    assert_eq!(shop.void().await, "captured 40.00 EUR");
}
