//! Every way in which a crash or another run can interrupt a step. `books` returns the status, the amounts
//! authorised, captured and refunded, and the version.

use crate::aws::dynamo::Written;
use crate::aws::settings::Setting;
use crate::orders::model::Status as OrderStatus;
use crate::payments::fixtures::{
    Moment, Shop, after, all_refunded, captured, eur, fail_puts, order_id,
};
use crate::payments::gateway::Charge;
use crate::payments::model::{Payment, Provider};
use crate::testing::{self, Fault};

// Crashes and lost responses in `PaymentProcessing`.

#[tokio::test]
async fn the_next_run_recovers_from_a_crash_between_storing_and_charging() {
    let shop = Shop::with("tok_ok").await;
    shop.crash_at(Moment::BeforeCharge);
    assert_eq!(shop.process().await, "Busy");
    assert_eq!(shop.books().await, "pending 0.00 0.00 0.00 v0");
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.calls(), "retrieve charge", "asked before charging");
}

#[tokio::test]
async fn a_crash_between_charging_and_storing_charges_once() {
    let shop = Shop::with("tok_ok").await;
    shop.crash_at(Moment::AfterCharge);
    assert_eq!(shop.process().await, "Busy");
    assert_eq!(shop.books().await, "pending 0.00 0.00 0.00 v0");
    assert_eq!(shop.charge().await, captured());
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.calls(), "charge retrieve");
}

#[tokio::test]
async fn a_write_whose_response_is_lost_counts() {
    // The first `PutItem` stores the payment, the `UpdateItem` its outcome: the SDK tries again and is
    // refused by its own first try.
    for operation in ["PutItem", "UpdateItem"] {
        let shop = Shop::with("tok_ok").await;
        shop.engine.fail_next(operation, Fault::LostAnswer);
        assert_eq!(shop.process().await, "completed", "{operation}");
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
        assert_eq!(shop.charge().await, captured());
    }
}

#[tokio::test]
async fn the_next_run_finishes_after_a_call_that_keeps_failing() {
    for operation in ["GetItem", "PutItem", "UpdateItem", "Query"] {
        let shop = Shop::with("tok_ok").await;
        for _ in 0..3 {
            shop.engine.fail_next(operation, Fault::LostAnswer);
        }
        assert_eq!(shop.process().await, "Failed", "{operation}");
        assert_eq!(shop.process().await, "completed", "{operation}");
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    }
}

#[tokio::test]
async fn a_throttled_table_is_busy_and_nothing_is_charged() {
    let shop = Shop::with("tok_ok").await;
    for _ in 0..3 {
        shop.engine.fail_next("PutItem", Fault::Throttled);
    }
    assert_eq!(shop.process().await, "Busy");
    assert_eq!(shop.charge().await, Charge::NotFound);
}

// Two runs of `PaymentProcessing`.

#[tokio::test]
async fn two_simultaneous_runs_charge_once_and_make_one_event() {
    for moment in [Moment::BeforeCharge, Moment::AfterCharge] {
        let shop = Shop::with("tok_ok").await;
        let other = shop.clone();
        shop.at(moment, async move {
            assert_eq!(other.process().await, "completed");
        });
        assert_eq!(shop.process().await, "completed");
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
        assert_eq!(shop.charge().await, captured());
    }
}

#[tokio::test]
async fn a_run_that_lost_the_response_does_not_overwrite_one_that_got_it() {
    let shop = Shop::with("tok_ok").await;
    let other = shop.clone();
    shop.at(Moment::BeforeCharge, fail_puts(&shop));
    shop.at(Moment::AfterCharge, async move {
        assert_eq!(other.process().await, "completed");
    });
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
}

#[tokio::test]
async fn eight_simultaneous_runs_charge_once() {
    let shop = Shop::with("tok_ok").await;
    let runs = testing::at_once((0..8).map(|_| async || shop.process().await));
    assert!(runs.iter().all(|run| run == "completed"), "{runs:?}");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    assert_eq!(shop.engine.items(Setting::SandboxTable).len(), 1);
}

#[tokio::test]
async fn no_money_is_kept_for_a_cancelled_order_whatever_runs_at_the_same_time() {
    for token in [
        "tok_ok",
        "tok_unknown",
        "tok_capture_later",
        "tok_requires_action",
        "tok_declined",
    ] {
        let shop = Shop::with(token).await;
        testing::at_once((0..9).map(|number| {
            let shop = &shop;
            async move || match number % 3 {
                0 => drop(shop.process().await),
                1 => drop(shop.void().await),
                _ if number == 2 => shop.order_becomes(OrderStatus::Cancelled).await,
                _ => drop(shop.process().await),
            }
        }));
        let end = shop.void().await;
        assert!(
            ["voided", "refunded", "failed"].contains(&end.as_str()),
            "{end}"
        );
        let payment = shop.payment().await;
        assert_eq!(payment.amounts.captured(), payment.amounts.refunded());
        if payment.attempt == 0 {
            // No run could store a payment, so none has called the gateway.
            assert_eq!(shop.charge().await, Charge::NotFound, "{token} {end}");
            continue;
        }
        shop.late_charge().await;
        match shop.charge().await {
            Charge::Voided | Charge::Declined { .. } => {}
            taken @ (Charge::NotFound
            | Charge::ActionRequired(_)
            | Charge::Authorized { .. }
            | Charge::PartlyCaptured { .. }
            | Charge::Captured { .. }
            | Charge::Refunded { .. }) => assert_eq!(taken, all_refunded(), "{token} {end}"),
        }
    }
}

// The order ends during `PaymentProcessing`.

#[tokio::test]
async fn a_charge_that_arrives_after_voiding_captures_nothing() {
    let shop = Shop::with("tok_ok").await;
    let other = shop.clone();
    shop.at(Moment::BeforeCharge, async move {
        other.order_becomes(OrderStatus::Cancelled).await;
        assert_eq!(other.void().await, "voided");
    });
    assert_eq!(shop.process().await, "AlreadyClosed");
    assert_eq!(shop.books().await, "voided 0.00 0.00 0.00 v1");
    assert_eq!(shop.charge().await, Charge::Voided);
}

#[tokio::test]
async fn a_charge_that_was_captured_before_voiding_is_refunded() {
    let shop = Shop::with("tok_ok").await;
    let other = shop.clone();
    shop.at(Moment::AfterCharge, async move {
        other.order_becomes(OrderStatus::Failed).await;
        assert_eq!(other.void().await, "refunded");
    });
    assert_eq!(shop.process().await, "AlreadyClosed");
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
    assert_eq!(shop.charge().await, all_refunded());
}

#[tokio::test]
async fn an_outcome_is_not_stored_once_voiding_has_begun() {
    let shop = Shop::with("tok_ok").await;
    let other = shop.clone();
    shop.at(Moment::AfterCharge, async move {
        other.order_becomes(OrderStatus::Cancelled).await;
        other.crash_at(Moment::BeforeRetrieve);
        assert_eq!(other.void().await, "Busy");
    });
    assert_eq!(shop.process().await, "AlreadyClosed");
    assert_eq!(shop.books().await, "pending 0.00 0.00 0.00 v0");
    assert!(shop.payment().await.void_requested);
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.charge().await, all_refunded());
}

#[tokio::test]
async fn a_payment_of_an_order_that_ended_meanwhile_is_stored_and_then_refunded() {
    let shop = Shop::with("tok_ok").await;
    let other = shop.clone();
    shop.at(Moment::BeforeCharge, async move {
        other.order_becomes(OrderStatus::Cancelled).await;
    });
    // `ConfirmOrder` finds the order closed next.
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
    assert_eq!(shop.charge().await, all_refunded());
}

#[tokio::test]
async fn no_payment_begins_after_the_order_was_voided_without_one() {
    let shop = Shop::with("tok_ok").await;
    shop.order_becomes(OrderStatus::Failed).await;
    assert_eq!(shop.void().await, "voided");
    assert_eq!(shop.books().await, "voided 0.00 0.00 0.00 v1");
    // A run that has read the pending order and no payment, and slept since.
    let late = Payment::begin(order_id(), eur("40.00"), Provider::Sandbox, after(1));
    assert_ne!(shop.payments.create(&late).await.unwrap(), Written::Done);
    assert_eq!(shop.process().await, "AlreadyClosed");
    assert_eq!(shop.calls(), "");
}

#[tokio::test]
async fn a_payment_that_is_stored_while_voiding_finds_none_is_voided_too() {
    let shop = Shop::with("tok_ok").await;
    shop.order_becomes(OrderStatus::Cancelled).await;
    let never = Payment::never_charged(order_id(), eur("40.00"), Provider::Sandbox, after(1));
    let late = Payment::begin(order_id(), eur("40.00"), Provider::Sandbox, after(1));
    assert_eq!(shop.payments.create(&late).await.unwrap(), Written::Done);
    assert_ne!(
        shop.payments.create_voided(&never).await.unwrap(),
        Written::Done
    );
    assert_eq!(shop.void().await, "voided");
    shop.late_charge().await;
    assert_eq!(shop.charge().await, Charge::Voided);
}

// What `VoidPayment` finds at the gateway.

#[tokio::test]
async fn only_the_payment_of_an_ended_order_is_voided() {
    let shop = Shop::with("tok_ok").await;
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.void().await, "Failed", "pending");
    shop.order_becomes(OrderStatus::Confirmed).await;
    assert_eq!(shop.void().await, "AlreadyConfirmed");
    assert_eq!(shop.process().await, "AlreadyConfirmed");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    assert_eq!(shop.charge().await, captured());
}

#[tokio::test]
async fn the_payment_of_a_cancelled_order_is_refunded_once() {
    let shop = Shop::with("tok_ok").await;
    assert_eq!(shop.process().await, "completed");
    shop.order_becomes(OrderStatus::Cancelled).await;
    for _ in 0..2 {
        assert_eq!(shop.void().await, "refunded");
        assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
    }
    assert_eq!(shop.calls(), "charge retrieve refund");
}

#[tokio::test]
async fn a_capture_that_the_shop_did_not_know_of_is_found_and_refunded() {
    let shop = Shop::with("tok_unknown").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    shop.order_becomes(OrderStatus::Cancelled).await;
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v3");
    assert_eq!(shop.charge().await, all_refunded());
}

#[tokio::test]
async fn an_authorised_charge_is_voided_and_cannot_be_captured_later() {
    let shop = Shop::with("tok_capture_later").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    shop.order_becomes(OrderStatus::Cancelled).await;
    assert_eq!(shop.void().await, "voided");
    assert_eq!(shop.books().await, "voided 40.00 0.00 0.00 v2");
    shop.late_charge().await;
    assert_eq!(shop.charge().await, Charge::Voided);
}

#[tokio::test]
async fn a_decline_that_was_not_stored_is_found_when_voiding() {
    let shop = Shop::with("tok_declined").await;
    shop.crash_at(Moment::AfterCharge);
    assert_eq!(shop.process().await, "Busy");
    shop.order_becomes(OrderStatus::Cancelled).await;
    assert_eq!(shop.void().await, "failed");
    assert_eq!(shop.books().await, "failed 0.00 0.00 0.00 v1");
}

#[tokio::test]
async fn a_charge_that_arrives_during_voiding_is_refunded() {
    for moment in [
        Moment::BeforeRetrieve,
        Moment::AfterRetrieve,
        Moment::BeforeVoid,
    ] {
        let shop = Shop::with("tok_ok").await;
        shop.crash_at(Moment::BeforeCharge);
        assert_eq!(shop.process().await, "Busy");
        shop.order_becomes(OrderStatus::Cancelled).await;
        let other = shop.clone();
        shop.at(moment, async move { other.late_charge().await });
        assert_eq!(shop.void().await, "refunded", "{moment:?}");
        assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
        assert_eq!(shop.charge().await, all_refunded(), "{moment:?}");
    }
}

#[tokio::test]
async fn the_next_run_recovers_from_a_crash_during_voiding() {
    let moments = [
        (Moment::BeforeRetrieve, "tok_ok"),
        (Moment::AfterRetrieve, "tok_ok"),
        (Moment::BeforeRefund, "tok_ok"),
        (Moment::AfterRefund, "tok_ok"),
        (Moment::BeforeVoid, "tok_capture_later"),
        (Moment::AfterVoid, "tok_capture_later"),
    ];
    for (moment, token) in moments {
        let shop = Shop::with(token).await;
        shop.process().await;
        shop.order_becomes(OrderStatus::Cancelled).await;
        shop.crash_at(moment);
        assert_eq!(shop.void().await, "Busy", "{moment:?}");
        let (end, books) = if token == "tok_ok" {
            ("refunded", "refunded 40.00 40.00 40.00 v2")
        } else {
            ("voided", "voided 40.00 0.00 0.00 v2")
        };
        assert_eq!(shop.void().await, end, "{moment:?}");
        assert_eq!(shop.books().await, books, "{moment:?}");
    }
}

#[tokio::test]
async fn two_simultaneous_voids_refund_once() {
    for moment in [
        Moment::BeforeRetrieve,
        Moment::AfterRetrieve,
        Moment::BeforeRefund,
        Moment::AfterRefund,
    ] {
        let shop = Shop::with("tok_ok").await;
        assert_eq!(shop.process().await, "completed");
        shop.order_becomes(OrderStatus::Cancelled).await;
        let other = shop.clone();
        shop.at(moment, async move {
            assert_eq!(other.void().await, "refunded");
        });
        assert_eq!(shop.void().await, "refunded", "{moment:?}");
        assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
        assert_eq!(shop.charge().await, all_refunded(), "{moment:?}");
    }
}

#[tokio::test]
async fn a_void_whose_write_lost_its_response_counts() {
    let shop = Shop::with("tok_ok").await;
    assert_eq!(shop.process().await, "completed");
    shop.order_becomes(OrderStatus::Cancelled).await;
    let engine = shop.engine.clone();
    shop.at(Moment::AfterRefund, async move {
        engine.fail_next("UpdateItem", Fault::LostAnswer);
    });
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
}

#[tokio::test]
async fn the_next_run_voids_after_a_gateway_that_does_not_respond() {
    let shop = Shop::with("tok_ok").await;
    assert_eq!(shop.process().await, "completed");
    shop.order_becomes(OrderStatus::Cancelled).await;
    let engine = shop.engine.clone();
    shop.at(Moment::BeforeRetrieve, async move {
        for _ in 0..3 {
            engine.fail_next("GetItem", Fault::Failed);
        }
    });
    assert_eq!(shop.void().await, "PaymentUnknown");
    assert_eq!(shop.charge().await, captured());
    assert_eq!(shop.void().await, "refunded");
}
