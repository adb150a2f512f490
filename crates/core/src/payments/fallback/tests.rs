//! A payment at three gateways, of which each call may go wrong in every way: an order is charged at one of them only.

mod laws;
mod shop;
mod wild;

use super::*;
use crate::aws::settings::Setting;
use crate::payments::fixtures::{after, order, order_id};
use crate::payments::gateway::configured::ConfiguredGateway;
use crate::payments::model::Provider;
use crate::payments::steps;
use shop::{Shop, step};
use wild::Happens;

#[tokio::test]
async fn a_payment_that_its_gateway_does_not_take_goes_to_the_next() {
    let shop = Shop::with("tok_busy_at_a", "primary_with_fallback").await;
    assert_eq!(shop.process(1).await, "completed");
    assert_eq!(shop.place().await, "completed sandbox:b 2");
    assert_eq!(shop.books(), ["1@a voided", "2@b captured"]);
    assert_eq!(shop.process(2).await, "completed");
    // The event of the payment is its first.
    assert_eq!(shop.payment().await.version, 1);
}

#[tokio::test]
async fn a_payment_that_no_gateway_takes_is_tried_by_each_once_in_a_run() {
    let shop = Shop::with("tok_ok", "primary_with_fallback").await;
    let well = Happens::Well;
    // Between two charges: a void, and the question whether the next gateway knows the charge.
    shop.wild.let_happen([
        Happens::Busy,
        well,
        well,
        Happens::Busy,
        well,
        well,
        Happens::Busy,
    ]);
    assert_eq!(shop.process(1).await, "Busy");
    assert_eq!(shop.place().await, "pending sandbox:c 3");
    assert_eq!(shop.process(2).await, "completed");
    assert_eq!(shop.books(), ["1@a voided", "2@b voided", "3@c captured"]);
}

#[tokio::test]
async fn a_payment_whose_outcome_is_unknown_stays_at_its_gateway() {
    for lost in [Happens::Lost, Happens::LostBefore, Happens::Late] {
        let shop = Shop::with("tok_ok", "primary_with_fallback").await;
        shop.wild.let_happen([lost]);
        assert_eq!(shop.process(1).await, "PaymentUnknown");
        // Its gateway does nothing for a while, neither for questions nor for charges.
        shop.wild
            .let_happen([Happens::Busy, Happens::Well, Happens::Busy]);
        assert_eq!(shop.process(2).await, "Busy");
        shop.process(3).await;
        shop.wild.arrive().await;
        assert_eq!(shop.process(4).await, "completed", "{lost:?}");
        assert_eq!(shop.place().await, "completed sandbox:a 1", "{lost:?}");
        assert_eq!(shop.books(), ["1@a captured"], "{lost:?}");
    }
}

#[tokio::test]
async fn a_payment_that_its_gateway_knows_stays_there() {
    // The function dies before it stores what is authorised.
    let shop = Shop::with("tok_capture_later", "primary_with_fallback").await;
    shop.wild.let_happen([Happens::CrashAfter]);
    assert_eq!(shop.process(1).await, "crashed");
    shop.wild.let_happen([Happens::Well, Happens::Busy]);
    assert_eq!(shop.process(2).await, "Busy");
    assert_eq!(shop.place().await, "pending sandbox:a 1");
    assert_eq!(shop.process(3).await, "completed");
    assert_eq!(shop.books(), ["1@a captured"]);
}

#[tokio::test]
async fn a_slow_charge_at_the_gateway_that_was_left_is_declined() {
    // The function dies while its request is on its way; the next finds nothing, and the gateway busy.
    let shop = Shop::with("tok_ok", "primary_with_fallback").await;
    shop.wild.let_happen([Happens::CrashLate]);
    assert_eq!(shop.process(1).await, "crashed");
    shop.wild.let_happen([Happens::Well, Happens::Busy]);
    assert_eq!(shop.process(2).await, "completed");
    shop.wild.arrive().await;
    assert_eq!(shop.books(), ["1@a voided", "2@b captured"]);
}

#[tokio::test]
async fn a_run_that_is_slow_at_the_gateway_that_was_left_stores_nothing_of_it() {
    let well = Happens::Well;
    let moved = vec![well, Happens::Busy, well, well, Happens::CrashBefore];
    let given_up = vec![well, Happens::Busy, Happens::CrashAfter];
    for other in [moved, given_up] {
        let shop = Shop::with("tok_ok", "primary_with_fallback").await;
        // The first run's charge, and all calls of the other run before it dies.
        let happens = [Happens::Slowly(5)].into_iter().chain(other.clone());
        shop.wild.let_happen(happens);
        let runs = futures::join!(shop.process(1), shop.process(1));
        // Its charge is declined as voided, which is not the order's outcome.
        let expected = ("completed".to_owned(), "crashed".to_owned());
        assert_eq!(runs, expected, "{other:?}");
        let books = ["1@a voided", "2@b captured"];
        assert_eq!(shop.books(), books, "{other:?}");
    }
}

#[tokio::test]
async fn a_charge_that_arrives_before_its_gateway_is_left_stays_there() {
    let shop = Shop::with("tok_ok", "primary_with_fallback").await;
    shop.wild.let_happen([Happens::CrashLate]);
    assert_eq!(shop.process(1).await, "crashed");
    shop.wild
        .let_happen([Happens::Well, Happens::Busy, Happens::ArrivesBefore]);
    assert_eq!(shop.process(2).await, "completed");
    assert_eq!(shop.books(), ["1@a captured"]);
    assert_eq!(shop.process(3).await, "completed");
    shop.cancel().await;
    assert_eq!(shop.void(4).await, "refunded");
}

#[tokio::test]
async fn the_next_run_goes_on_after_a_crash_at_any_moment() {
    let well = Happens::Well;
    let before = Happens::CrashBefore;
    let after = Happens::CrashAfter;
    for (happens, place) in [
        (vec![Happens::Busy, before], "pending sandbox:a 1 leaving"),
        (vec![Happens::Busy, after], "pending sandbox:a 1 leaving"),
        (vec![Happens::Busy, well, before], "pending sandbox:b 2"),
        (
            vec![Happens::Busy, well, well, before],
            "pending sandbox:b 2",
        ),
        (
            vec![Happens::Busy, well, well, after],
            "pending sandbox:b 2",
        ),
    ] {
        let shop = Shop::with("tok_ok", "primary_with_fallback").await;
        shop.wild.let_happen(happens.clone());
        assert_eq!(shop.process(1).await, "crashed", "{happens:?}");
        assert_eq!(shop.place().await, place, "{happens:?}");
        assert_eq!(shop.process(2).await, "completed", "{happens:?}");
        assert_eq!(shop.books(), ["1@a voided", "2@b captured"], "{happens:?}");
    }
}

#[tokio::test]
async fn a_payment_that_cannot_be_voided_does_not_move() {
    for (void, said) in [
        (Happens::Busy, "Busy"),
        (Happens::LostBefore, "PaymentUnknown"),
        (Happens::Lost, "PaymentUnknown"),
    ] {
        let shop = Shop::with("tok_ok", "primary_with_fallback").await;
        shop.wild.let_happen([Happens::Busy, void]);
        assert_eq!(shop.process(1).await, said, "{void:?}");
        assert_eq!(shop.place().await, "pending sandbox:a 1 leaving");
        assert_eq!(shop.process(2).await, "completed", "{void:?}");
        assert_eq!(shop.books(), ["1@a voided", "2@b captured"], "{void:?}");
    }
}

#[tokio::test]
async fn an_order_that_ends_while_its_payment_moves_costs_nothing() {
    for happens in [
        vec![Happens::Busy, Happens::CrashBefore],
        vec![Happens::Busy, Happens::CrashAfter],
        vec![Happens::Busy, Happens::Well, Happens::CrashBefore],
    ] {
        let shop = Shop::with("tok_ok", "primary_with_fallback").await;
        shop.wild.let_happen(happens.clone());
        assert_eq!(shop.process(1).await, "crashed");
        shop.cancel().await;
        assert_eq!(shop.process(2).await, "AlreadyClosed");
        assert_eq!(shop.void(3).await, "voided", "{happens:?}");
        assert_eq!(shop.process(4).await, "AlreadyClosed");
        assert!(shop.captured().is_empty(), "{happens:?}");
    }
}

#[tokio::test]
async fn what_is_refunded_later_is_refunded_at_the_gateway_that_took_it() {
    let shop = Shop::with("tok_busy_at_a", "primary_with_fallback").await;
    assert_eq!(shop.process(1).await, "completed");
    shop.cancel().await;
    // A function that knows nothing of the list, as the shop may not have that gateway any more.
    let gateway = ConfiguredGateway::new(&shop.aws).unwrap();
    let voided = steps::void_payment(&shop.orders, &shop.refunds, &gateway, step(9_000_000));
    assert_eq!(voided.await.unwrap().payment_status, "refunded");
    let items = shop.engine.items(Setting::SandboxTable);
    let refunded = items.iter().find(|item| item["refunded"] == 4000);
    let id = refunded.unwrap()["charge_id"].as_str().unwrap();
    assert!(id.ends_with(":2@b"), "{id}");
}

#[tokio::test]
async fn a_payment_of_before_there_were_several_stays_where_it_is() {
    let shop = Shop::with("tok_ok", "primary_with_fallback").await;
    let old = Payment::begin(
        order_id(),
        order("tok_ok").total,
        Provider::Sandbox,
        after(0),
    );
    assert_eq!(shop.payments.create(&old).await.unwrap(), Written::Done);
    let stored = shop.engine.items(Setting::PaymentsTable).remove(0);
    assert_eq!(stored["gateway"], "sandbox");
    assert_eq!(shop.process(1).await, "completed");
    assert_eq!(shop.place().await, "completed sandbox 1");
    assert_eq!(shop.books(), ["1 captured"]);
}

#[tokio::test]
async fn a_payment_of_another_provider_is_neither_charged_nor_called_void() {
    let shop = Shop::with("tok_ok", "primary_with_fallback").await;
    let stripe: GatewayName = "stripe:us".parse().unwrap();
    let old = Payment::begin(order_id(), order("tok_ok").total, stripe, after(0));
    assert_eq!(shop.payments.create(&old).await.unwrap(), Written::Done);
    assert_eq!(shop.process(1).await, "PaymentUnknown");
    shop.cancel().await;
    assert_eq!(shop.void(2).await, "PaymentUnknown");
    assert!(shop.books().is_empty());
}

#[tokio::test]
async fn a_shop_with_one_gateway_makes_the_same_calls_as_ever() {
    let shop = Shop::routing("", "tok_ok", "primary_with_fallback").await;
    shop.engine.forget_calls();
    assert_eq!(shop.process(1).await, "completed");
    let calls = shop.engine.calls();
    assert_eq!(
        calls,
        ["Query", "GetItem", "PutItem", "PutItem", "UpdateItem"]
    );
    let stored = shop.engine.items(Setting::PaymentsTable).remove(0);
    assert_eq!(stored["gateway"], "sandbox");
    assert!(stored.get("leaving").is_none());
    assert!(shop.engine.items(Setting::GatewaysTable).is_empty());
}

#[tokio::test]
async fn payments_go_on_elsewhere_while_a_gateway_fails_and_come_back() {
    let shop = Shop::with("tok_ok", "primary_with_fallback").await;
    for _ in 0..5 {
        let gateway = "sandbox:a".parse().unwrap();
        shop.wild.note(&gateway, false, after(0)).await;
    }
    assert_eq!(shop.process(1).await, "completed");
    assert_eq!(shop.place().await, "completed sandbox:b 1");
    assert_eq!(shop.books(), ["1@b captured"], "the other was not asked");
    let later = Shop {
        wild: shop.wild.clone(),
        ..Shop::with("tok_ok", "primary_with_fallback").await
    };
    assert_eq!(later.process(30).await, "completed");
    assert_eq!(later.place().await, "completed sandbox:a 1");
}
