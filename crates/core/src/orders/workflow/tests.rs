#![expect(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its snapshots so"
)]

mod due;

use std::fmt::Write as _;

use expect_test::expect;

use super::*;
use crate::aws::settings::Setting;
use crate::orders::fixtures::{Shop, after, eur, order, placed_at, step, step_after};
use crate::orders::model::Status;
use crate::testing::Fault;

/// An order as it was placed, confirmed, failed and cancelled.
fn courses() -> [Order; 4] {
    let failure = Failure::new(FailureCode::OutOfStock, "no");
    [
        order(),
        rules::confirm(order(), PaymentStatus::Completed, after(1))
            .unwrap()
            .unwrap(),
        rules::fail(order(), failure, after(1)).unwrap().unwrap(),
        rules::cancel(order(), after(1), None).unwrap().unwrap(),
    ]
}

fn name(result: Result<(), StepError>) -> &'static str {
    result.map_or_else(|error| error.name, |()| "ok")
}

/// Runs the step `name` as the state machine would at 100 s.
async fn run(shop: &Shop, name: &str, order: &Order) -> Result<(), StepError> {
    let now = after(100);
    match name {
        "validate" => {
            let rules = Rules::new(&shop.aws).unwrap();
            let asked = Validation::new(rules, Duration::from_hours(72));
            validate_order(&shop.orders, &asked, step(order, now)).await
        }
        "confirm" => confirm_order(&shop.orders, step(order, now)).await,
        "notify" => notify_order(&shop.orders, &shop.messages, step(order, now)).await,
        "fail" => fail_order(&shop.orders, step_after("OutOfStock", order, now)).await,
        "close" => {
            let payment_status = Some("refunded".to_owned());
            let step = Step {
                payment_status,
                ..step(order, now)
            };
            close_order(&shop.orders, &shop.gift_cards, step).await
        }
        "postpone" => postpone_order(&shop.orders, step_after("Failed", order, now)).await,
        "cancel" => {
            let cancel = |order| rules::cancel(order, now, None).map_err(Diverted::from);
            let stored = shop.stored(order).await;
            change(&shop.orders, stored, cancel).await.map(drop)
        }
        other => panic!("{other}"),
    }
}

const STEPS: [&str; 6] = ["validate", "confirm", "notify", "fail", "close", "postpone"];

#[tokio::test]
async fn every_step_in_every_course_leaves_the_documented_order() {
    let mut table = String::new();
    for step in STEPS {
        for order in courses() {
            let shop = Shop::with(&order).await;
            let result = name(run(&shop, step, &order).await);
            let then = shop.stored(&order).await;
            writeln!(
                table,
                "{step:8} {:9} -> {result:16} {:9} {:9} due {:5} token {:5} v{} queued {}",
                order.status.as_str(),
                then.status.as_str(),
                then.payment_status.as_str(),
                then.due_at
                    .map_or(0, |due| due.as_seconds() - placed_at().as_seconds()),
                then.payment_token.is_some(),
                then.version,
                shop.queued().len(),
            )
            .unwrap();
        }
    }
    expect![[r#"
        validate pending   -> ok               pending   pending   due    60 token true  v1 queued 0
        validate confirmed -> AlreadyConfirmed confirmed completed due    60 token true  v2 queued 0
        validate failed    -> AlreadyClosed    failed    pending   due    60 token true  v2 queued 0
        validate cancelled -> AlreadyClosed    cancelled pending   due    60 token true  v2 queued 0
        confirm  pending   -> ok               confirmed completed due    60 token false v2 queued 0
        confirm  confirmed -> ok               confirmed completed due    60 token false v2 queued 0
        confirm  failed    -> AlreadyClosed    failed    pending   due    60 token true  v2 queued 0
        confirm  cancelled -> AlreadyClosed    cancelled pending   due    60 token true  v2 queued 0
        notify   pending   -> Failed           pending   pending   due    60 token true  v1 queued 0
        notify   confirmed -> ok               confirmed completed due     0 token false v2 queued 1
        notify   failed    -> AlreadyClosed    failed    pending   due    60 token true  v2 queued 0
        notify   cancelled -> AlreadyClosed    cancelled pending   due    60 token true  v2 queued 0
        fail     pending   -> ok               failed    pending   due    60 token true  v2 queued 0
        fail     confirmed -> AlreadyConfirmed confirmed completed due    60 token true  v2 queued 0
        fail     failed    -> ok               failed    pending   due    60 token true  v2 queued 0
        fail     cancelled -> ok               cancelled pending   due    60 token true  v2 queued 0
        close    pending   -> Failed           pending   pending   due    60 token true  v1 queued 0
        close    confirmed -> AlreadyConfirmed confirmed completed due    60 token true  v2 queued 0
        close    failed    -> ok               failed    refunded  due     0 token false v2 queued 0
        close    cancelled -> ok               cancelled refunded  due     0 token false v2 queued 0
        postpone pending   -> ok               pending   pending   due   160 token true  v1 queued 0
        postpone confirmed -> ok               confirmed completed due   160 token true  v2 queued 0
        postpone failed    -> ok               failed    pending   due   160 token true  v2 queued 0
        postpone cancelled -> ok               cancelled pending   due   160 token true  v2 queued 0
    "#]]
    .assert_eq(&table);
}

#[tokio::test]
async fn every_step_makes_no_more_calls_than_it_needs() {
    let [pending, confirmed, failed, _] = courses();
    let mut table = String::new();
    for (step, order) in [
        ("validate", &pending),
        ("confirm", &pending),
        ("notify", &confirmed),
        ("fail", &pending),
        ("close", &failed),
        ("postpone", &pending),
    ] {
        let shop = Shop::with(order).await;
        for time in ["first", "again"] {
            shop.engine.forget_calls();
            run(&shop, step, order).await.ok();
            let calls = shop.engine.calls().join(" ");
            writeln!(table, "{step:8} {time}: {calls}").unwrap();
        }
    }
    expect![[r#"
        validate first: Query GetItem Query
        validate again: Query GetItem Query
        confirm  first: Query UpdateItem PutItem
        confirm  again: Query
        notify   first: Query UpdateItem PutItem
        notify   again: Query
        fail     first: Query PutItem
        fail     again: Query
        close    first: Query UpdateItem PutItem
        close    again: Query
        postpone first: Query PutItem
        postpone again: Query
    "#]]
    .assert_eq(&table);
}

#[tokio::test]
async fn a_confirmation_that_died_between_its_writes_is_finished_by_the_next_run() {
    for operation in ["PutItem", "UpdateItem"] {
        let shop = Shop::with(&order()).await;
        for _ in 0..3 {
            shop.engine.fail_next(operation, Fault::Failed);
        }
        assert_eq!(name(run(&shop, "confirm", &order()).await), "Failed");
        let left = shop.stored(&order()).await;
        let confirmed = left.status == Status::Confirmed;
        let has_token = left.payment_token.is_some();
        assert_eq!(
            (confirmed, has_token),
            match operation {
                "PutItem" => (false, false),
                _ => (true, true),
            }
        );
        assert!(left.due_at.is_some());
        shop.engine.clear_faults();
        for step in ["confirm", "notify"] {
            run(&shop, step, &order()).await.unwrap();
        }
        let done = shop.stored(&order()).await;
        assert_eq!((done.payment_token, done.due_at), (None, None));
    }
}

#[tokio::test]
async fn every_step_done_twice_is_done_once() {
    for step in STEPS {
        for order in courses() {
            let shop = Shop::with(&order).await;
            let first = name(run(&shop, step, &order).await);
            let once = shop.engine.items(Setting::OrdersTable);
            let queued = shop.queued();
            let second = name(run(&shop, step, &order).await);
            assert_eq!(first, second, "{step} of {}", order.status);
            assert_eq!(once, shop.engine.items(Setting::OrdersTable), "{step}");
            assert_eq!(shop.queued(), [0; 0], "{step} after {queued:?}");
        }
    }
}

#[tokio::test]
async fn every_step_whose_answers_are_lost_is_done_once() {
    for step in STEPS {
        for order in courses() {
            let calm = Shop::with(&order).await;
            let expected = name(run(&calm, step, &order).await);
            let shop = Shop::with(&order).await;
            for operation in ["PutItem", "UpdateItem"] {
                shop.engine.fail_next(operation, Fault::LostAnswer);
            }
            let result = name(run(&shop, step, &order).await);
            assert_eq!(result, expected, "{step} of {}", order.status);
            assert_eq!(shop.stored(&order).await, calm.stored(&order).await);
        }
    }
}

#[tokio::test]
async fn every_step_that_dies_at_a_write_is_finished_by_the_same_step() {
    for step in STEPS {
        for order in courses() {
            let calm = Shop::with(&order).await;
            let expected = name(run(&calm, step, &order).await);
            for operation in ["PutItem", "UpdateItem"] {
                let shop = Shop::with(&order).await;
                for _ in 0..3 {
                    shop.engine.fail_next(operation, Fault::Failed);
                }
                let died = name(run(&shop, step, &order).await);
                assert!(died == "Failed" || died == expected, "{step}: {died}");
                shop.engine.clear_faults();
                assert_eq!(name(run(&shop, step, &order).await), expected);
                assert_eq!(shop.stored(&order).await, calm.stored(&order).await);
            }
        }
    }
}

#[tokio::test]
async fn a_step_that_is_overtaken_decides_on_what_the_other_left() {
    let [pending, confirmed, failed, cancelled] = courses();
    for (step, order) in [
        ("confirm", &pending),
        ("fail", &pending),
        ("postpone", &pending),
        ("cancel", &pending),
        ("notify", &confirmed),
        ("postpone", &confirmed),
        ("cancel", &confirmed),
        ("close", &failed),
        ("close", &cancelled),
    ] {
        for quicker in STEPS.iter().chain(&["cancel"]) {
            let calm = Shop::with(order).await;
            run(&calm, quicker, order).await.ok();
            let expected = name(run(&calm, step, order).await);
            let shop = Shop::with(order).await;
            let same = order.clone();
            shop.meanwhile(async move |other: Shop| {
                run(&other, quicker, &same).await.ok();
            });
            let result = name(run(&shop, step, order).await);
            let about = format!("{step} overtaken by {quicker} of {}", order.status);
            assert_eq!(result, expected, "{about}");
            // The token may go beside the decision.
            let left = async |shop: &Shop| Order {
                payment_token: None,
                ..shop.stored(order).await
            };
            assert_eq!(left(&shop).await, left(&calm).await, "{about}");
        }
    }
}

#[tokio::test]
async fn a_token_left_by_a_run_that_died_is_gone_when_the_order_is_done() {
    let [_, confirmed, _, _] = courses();
    let shop = Shop::with(&confirmed).await;
    assert!(shop.stored(&confirmed).await.payment_token.is_some());
    run(&shop, "notify", &confirmed).await.unwrap();
    let done = shop.stored(&confirmed).await;
    assert_eq!((done.payment_token, done.due_at), (None, None));
}

#[tokio::test]
async fn an_order_is_due_until_its_confirmation_is_queued() {
    let [_, confirmed, _, _] = courses();
    let shop = Shop::with(&confirmed).await;
    shop.engine
        .answer_others("SendMessage", |_| (400, serde_json::json!({})));
    assert_eq!(name(run(&shop, "notify", &confirmed).await), "Failed");
    let without_token = Order {
        payment_token: None,
        ..confirmed
    };
    assert_eq!(shop.stored(&without_token).await, without_token);
}

#[tokio::test]
async fn the_confirmation_says_which_message_for_which_order() {
    let [_, confirmed, _, _] = courses();
    let shop = Shop::with(&confirmed).await;
    run(&shop, "notify", &confirmed).await.unwrap();
    let message = serde_json::json!({"template": "order_confirmed", "order_id": confirmed.id});
    assert_eq!(shop.queued(), [message]);
}

#[tokio::test]
async fn a_failure_says_why() {
    for (error, code) in [
        ("RuleFailed", FailureCode::RuleFailed),
        ("OutOfStock", FailureCode::OutOfStock),
        ("PaymentDeclined", FailureCode::PaymentDeclined),
        ("Expired", FailureCode::Expired),
    ] {
        let shop = Shop::with(&order()).await;
        let step = step_after(error, &order(), after(1));
        fail_order(&shop.orders, step).await.unwrap();
        let failed = shop.stored(&order()).await;
        assert_eq!(failed.failure, Some(Failure::new(code, "the reason")));
    }
    let shop = Shop::with(&order()).await;
    for step in [
        step_after("Busy", &order(), after(1)),
        step(&order(), after(1)),
    ] {
        assert_eq!(name(fail_order(&shop.orders, step).await), "Failed");
    }
    assert_eq!(shop.stored(&order()).await, order());
}

#[tokio::test]
async fn a_rejected_order_names_every_failed_rule() {
    let mut wrong = order();
    wrong.total = eur("1.00");
    let shop = Shop::with(&wrong).await;
    let refused = run(&shop, "validate", &wrong).await.unwrap_err();
    assert_eq!(refused.name, "RuleFailed");
    expect!["the lines cost 51.60 EUR, but the order's total is 1.00 EUR; the total of 1.00 EUR is below the minimum of 10.00 EUR"].assert_eq(&refused.detail);
}

#[tokio::test]
async fn steps_of_an_order_that_does_not_exist_say_so() {
    let shop = Shop::open();
    for step in STEPS {
        let result = name(run(&shop, step, &order()).await);
        assert_eq!(result, "OrderNotFound", "{step}");
    }
    assert_eq!(shop.engine.items(Setting::OrdersTable).len(), 0);
}

#[tokio::test]
async fn an_unknown_payment_is_processing_and_outlives_the_deadline() {
    let shop = Shop::with(&order()).await;
    let unknown = step_after("PaymentUnknown", &order(), after(1_000));
    postpone_order(&shop.orders, unknown).await.unwrap();
    let stored = shop.stored(&order()).await;
    assert_eq!(stored.payment_status, PaymentStatus::Processing);
    assert_eq!(stored.due_at, Some(after(1_060)));
    let later = step_after("Busy", &order(), after(2_000));
    assert_eq!(name(postpone_order(&shop.orders, later).await), "ok");
}

#[tokio::test]
async fn an_order_past_its_deadline_expires() {
    let shop = Shop::with(&order()).await;
    let late = step_after("Busy", &order(), after(901));
    assert_eq!(name(postpone_order(&shop.orders, late).await), "Expired");
}

#[tokio::test]
async fn an_unknown_payment_status_is_not_written() {
    let [_, _, failed, _] = courses();
    let shop = Shop::with(&failed).await;
    let step = Step {
        payment_status: Some("paid".to_owned()),
        ..step(&failed, after(2))
    };
    assert_eq!(
        name(close_order(&shop.orders, &shop.gift_cards, step).await),
        "Failed"
    );
    assert_eq!(shop.stored(&failed).await, failed);
}

#[tokio::test]
async fn a_confirmed_order_shows_whether_its_payment_is_captured_or_authorised() {
    for (said, shown) in [
        (Some("authorized"), PaymentStatus::Authorized),
        (Some("completed"), PaymentStatus::Completed),
        // A run that began with an earlier release.
        (None, PaymentStatus::Completed),
    ] {
        let shop = Shop::open();
        let order = order();
        shop.orders.create(&order).await.unwrap();
        let step = Step {
            payment_status: said.map(str::to_owned),
            ..step(&order, after(1))
        };
        confirm_order(&shop.orders, step).await.unwrap();
        assert_eq!(shop.stored(&order).await.payment_status, shown);
    }
}
