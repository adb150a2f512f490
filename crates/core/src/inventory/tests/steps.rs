//! Tests of the workflow's steps, one after the other.

use super::{Shop, minute, order_id, product, shop, step};
use crate::aws::dynamo::Written;
use crate::aws::settings::Setting;
use crate::inventory::model::ReservationStatus;
use crate::inventory::store::{HoldOutcome, ReleaseOutcome};
use crate::inventory::{rules, steps};
use crate::orders::model::Status;
use crate::testing::Fault;

#[tokio::test]
async fn all_lines_are_held_once_however_often_the_step_runs() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.stocked("cup", 2).await;
    shop.placed(1, &[("tea", 3), ("cup", 2), ("tea", 1)]).await;
    for _ in 0..2 {
        assert_eq!(shop.reserve(1).await, "done");
        assert_eq!(shop.counts("tea").await, (6, 4));
        assert_eq!(shop.counts("cup").await, (0, 2));
        assert_eq!(shop.reservation(1).await, Some(ReservationStatus::Held));
    }
}

#[tokio::test]
async fn an_order_with_a_product_out_of_stock_changes_nothing() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.stocked("cup", 1).await;
    let lines = [("tea", 3), ("cup", 2), ("pot", 1)];
    shop.placed(1, &lines).await;
    let before = shop.engine.items(Setting::InventoryTable);
    let step = step(1, minute(1));
    let error = steps::reserve_inventory(&shop.inventory, &shop.orders, step)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "OutOfStock: not enough in stock: cup, pot"
    );
    assert_eq!(shop.engine.items(Setting::InventoryTable), before);
}

#[tokio::test]
async fn an_out_of_stock_failure_names_three_products_and_counts_the_others() {
    let shop = shop();
    shop.placed(1, &[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)])
        .await;
    let step = step(1, minute(1));
    let error = steps::reserve_inventory(&shop.inventory, &shop.orders, step)
        .await
        .unwrap_err();
    assert_eq!(error.detail, "not enough in stock: a, b, c and 2 more");
}

#[tokio::test]
async fn no_stock_is_held_after_the_deadline_but_held_stock_stays() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 1)]).await;
    shop.placed(2, &[("tea", 1)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    assert_eq!(shop.reserve_at(1, minute(16)).await, "done");
    assert_eq!(shop.reserve_at(2, minute(16)).await, "Expired");
    assert_eq!(shop.counts("tea").await, (9, 1));
}

#[tokio::test]
async fn a_step_reports_an_order_that_is_decided_or_unknown() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    assert_eq!(shop.reserve(1).await, "OrderNotFound");
    assert_eq!(shop.commit(1).await, "OrderNotFound");
    assert_eq!(shop.release(1).await, "OrderNotFound");
    shop.placed(1, &[("tea", 1)]).await;
    assert_eq!(shop.commit(1).await, "Failed");
    assert_eq!(shop.release(1).await, "Failed");
    shop.set_status(1, Status::Shipped).await;
    assert_eq!(shop.reserve(1).await, "AlreadyConfirmed");
    assert_eq!(shop.commit(1).await, "Failed");
    assert_eq!(shop.release(1).await, "AlreadyConfirmed");
    shop.set_status(1, Status::Cancelled).await;
    assert_eq!(shop.reserve(1).await, "AlreadyClosed");
    assert_eq!(shop.commit(1).await, "AlreadyClosed");
    assert_eq!(shop.counts("tea").await, (10, 0));
    assert_eq!(shop.reservation(1).await, None);
}

#[tokio::test]
async fn held_stock_is_committed_and_released_once() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    shop.set_status(1, Status::Confirmed).await;
    for _ in 0..2 {
        assert_eq!(shop.commit(1).await, "done");
        assert_eq!(
            shop.reservation(1).await,
            Some(ReservationStatus::Committed)
        );
        assert_eq!(shop.release(1).await, "AlreadyConfirmed");
        assert_eq!(shop.counts("tea").await, (6, 4));
    }
    shop.set_status(1, Status::Cancelled).await;
    for _ in 0..2 {
        assert_eq!(shop.release(1).await, "done");
        assert_eq!(shop.reservation(1).await, Some(ReservationStatus::Released));
        assert_eq!(shop.counts("tea").await, (10, 0));
    }
    assert_eq!(shop.commit(1).await, "AlreadyClosed");
    assert_eq!(shop.reserve(1).await, "AlreadyClosed");
    assert_eq!(shop.counts("tea").await, (10, 0));
}

#[tokio::test]
async fn a_delayed_run_holds_nothing_after_the_release() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    shop.set_status(1, Status::Failed).await;
    assert_eq!(shop.release(1).await, "done");
    // The delayed run read the order while it was pending.
    let held = ReservationStatus::Held;
    let late = rules::first_reservation(order_id(1), held, [(product("tea"), 4)], minute(1));
    let taken = shop.inventory.hold(&late).await.unwrap();
    assert_eq!(taken, HoldOutcome::Refused(vec![]));
    assert_eq!(shop.counts("tea").await, (10, 0));
    assert_eq!(shop.reservation(1).await, Some(ReservationStatus::Released));
}

#[tokio::test]
async fn a_delayed_run_does_not_release_stock_twice() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    for number in [1, 2] {
        shop.placed(number, &[("tea", 4)]).await;
        assert_eq!(shop.reserve(number).await, "done");
    }
    let read = shop
        .inventory
        .reservation(order_id(1))
        .await
        .unwrap()
        .unwrap();
    shop.set_status(1, Status::Cancelled).await;
    assert_eq!(shop.release(1).await, "done");
    let late = rules::next_reservation(&read, ReservationStatus::Released, minute(4));
    let given_back = shop.inventory.release(&late).await.unwrap();
    assert_eq!(given_back, ReleaseOutcome::Stale);
    assert_eq!(shop.counts("tea").await, (6, 4));
}

#[tokio::test]
async fn a_step_decides_again_if_the_reservation_changed_meanwhile() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    shop.set_status(1, Status::Confirmed).await;
    shop.engine.fail_next("PutItem", Fault::Refused);
    assert_eq!(shop.commit(1).await, "done");
    let committed = Some(ReservationStatus::Committed);
    assert_eq!(shop.reservation(1).await, committed);
    shop.placed(2, &[("tea", 4)]).await;
    shop.set_status(2, Status::Failed).await;
    shop.engine.fail_next("PutItem", Fault::Refused);
    assert_eq!(shop.release(2).await, "done");
    let released = Some(ReservationStatus::Released);
    assert_eq!(shop.reservation(2).await, released);
}

#[tokio::test]
async fn two_runs_of_a_step_at_once_do_its_work_once() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    shop.meanwhile("TransactWriteItems", async |other: Shop| {
        assert_eq!(other.reserve(1).await, "done");
    });
    assert_eq!(shop.reserve(1).await, "done");
    assert_eq!(shop.counts("tea").await, (6, 4));
    shop.set_status(1, Status::Confirmed).await;
    shop.meanwhile("PutItem", async |other: Shop| {
        assert_eq!(other.commit(1).await, "done");
    });
    assert_eq!(shop.commit(1).await, "done");
    assert_eq!(shop.version(1).await, 2, "one event");
    shop.set_status(1, Status::Cancelled).await;
    shop.meanwhile("TransactWriteItems", async |other: Shop| {
        assert_eq!(other.release(1).await, "done");
    });
    assert_eq!(shop.release(1).await, "done");
    assert_eq!(shop.counts("tea").await, (10, 0));
    assert_eq!(shop.version(1).await, 3, "one event");
}

#[tokio::test]
async fn no_stock_is_held_or_committed_after_a_release_meanwhile() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    shop.meanwhile("TransactWriteItems", async |other: Shop| {
        other.set_status(1, Status::Failed).await;
        assert_eq!(other.release(1).await, "done");
    });
    assert_eq!(shop.reserve(1).await, "AlreadyClosed");
    assert_eq!(shop.counts("tea").await, (10, 0));
    shop.placed(2, &[("tea", 4)]).await;
    assert_eq!(shop.reserve(2).await, "done");
    shop.set_status(2, Status::Confirmed).await;
    shop.meanwhile("PutItem", async |other: Shop| {
        other.set_status(2, Status::Cancelled).await;
        assert_eq!(other.release(2).await, "done");
    });
    assert_eq!(shop.commit(2).await, "AlreadyClosed");
    let released = Some(ReservationStatus::Released);
    assert_eq!(shop.reservation(2).await, released);
    assert_eq!(shop.counts("tea").await, (10, 0));
}

#[tokio::test]
async fn stock_that_is_held_while_a_release_finds_none_is_released() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    let held = ReservationStatus::Held;
    let late = rules::first_reservation(order_id(1), held, [(product("tea"), 4)], minute(1));
    shop.set_status(1, Status::Failed).await;
    shop.meanwhile("PutItem", async move |other: Shop| {
        let taken = other.inventory.hold(&late).await.unwrap();
        assert_eq!(taken, HoldOutcome::Held);
    });
    assert_eq!(shop.release(1).await, "done");
    assert_eq!(shop.counts("tea").await, (10, 0));
}

#[tokio::test]
async fn a_reservation_that_is_not_stored_is_neither_replaced_nor_released() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    let before = shop.engine.items(Setting::InventoryTable);
    let held = ReservationStatus::Held;
    let never = rules::first_reservation(order_id(1), held, [(product("tea"), 0)], minute(1));
    let next = rules::next_reservation(&never, ReservationStatus::Released, minute(2));
    let written = shop.inventory.replace_reservation(&next).await.unwrap();
    assert_eq!(written, Written::Refused(vec![0]));
    let given_back = shop.inventory.release(&next).await.unwrap();
    assert_eq!(given_back, ReleaseOutcome::Stale);
    assert_eq!(shop.engine.items(Setting::InventoryTable), before);
}

#[tokio::test]
async fn a_release_of_more_than_is_reserved_fails() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    let held = ReservationStatus::Held;
    let bare = rules::first_reservation(order_id(1), held, [(product("tea"), 4)], minute(1));
    shop.inventory.create_reservation(&bare).await.unwrap();
    shop.set_status(1, Status::Failed).await;
    assert_eq!(shop.release(1).await, "Failed");
    assert_eq!(shop.counts("tea").await, (10, 0));
}

#[tokio::test]
async fn lost_responses_throttling_and_conflicts_are_not_out_of_stock() {
    for fault in [
        Fault::LostAnswer,
        Fault::Throttled,
        Fault::Conflict,
        Fault::Failed,
    ] {
        let shop = shop();
        shop.stocked("tea", 4).await;
        shop.placed(1, &[("tea", 4)]).await;
        shop.engine.fail_next("TransactWriteItems", fault);
        assert_eq!(shop.reserve(1).await, "done", "{fault:?}");
        assert_eq!(shop.counts("tea").await, (0, 4));
        shop.set_status(1, Status::Confirmed).await;
        if fault != Fault::Conflict {
            shop.engine.fail_next("PutItem", fault);
        }
        assert_eq!(shop.commit(1).await, "done", "{fault:?}");
        shop.set_status(1, Status::Cancelled).await;
        shop.engine.fail_next("TransactWriteItems", fault);
        assert_eq!(shop.release(1).await, "done", "{fault:?}");
        assert_eq!(shop.counts("tea").await, (4, 0));
    }
}

#[tokio::test]
async fn a_step_whose_write_stays_without_answer_finds_it_when_it_runs_again() {
    let shop = shop();
    shop.stocked("tea", 4).await;
    shop.placed(1, &[("tea", 4)]).await;
    for _ in 0..3 {
        shop.engine
            .fail_next("TransactWriteItems", Fault::LostAnswer);
    }
    assert_eq!(shop.reserve(1).await, "Failed");
    assert_eq!(shop.reserve(1).await, "done");
    assert_eq!(shop.counts("tea").await, (0, 4));
}
