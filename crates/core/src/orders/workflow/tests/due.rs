//! The sweep that runs due orders.

use expect_test::expect;

use super::{courses, run};
use crate::orders::fixtures::{Shop, after, lines, order, order_of, placed_at};
use crate::orders::model::{Order, Status};
use crate::orders::workflow::run_due_orders;
use crate::runtime::Scheduled;

#[tokio::test]
async fn a_due_order_is_run_again_in_any_status() {
    for placed in courses() {
        let shop = Shop::with(&placed).await;
        let run = placed.run;
        let at = |seconds| Scheduled {
            time: after(seconds),
        };
        run_due_orders(&shop.orders, &shop.workflow, at(59))
            .await
            .unwrap();
        assert_eq!(shop.started(&placed), [""; 0]);
        run_due_orders(&shop.orders, &shop.workflow, at(61))
            .await
            .unwrap();
        assert_eq!(shop.started(&placed), [(run + 1).to_string()]);
        // In the same minute again: it is taken up already.
        run_due_orders(&shop.orders, &shop.workflow, at(61))
            .await
            .unwrap();
        assert_eq!(shop.started(&placed), [""; 0]);
        run_due_orders(&shop.orders, &shop.workflow, at(181))
            .await
            .unwrap();
        assert_eq!(shop.started(&placed), [(run + 2).to_string()]);
    }
}

#[tokio::test]
async fn of_two_sweeps_at_once_one_runs_the_order() {
    let shop = Shop::with(&order()).await;
    let time = after(61);
    shop.meanwhile(async move |other: Shop| {
        let ran = run_due_orders(&other.orders, &other.workflow, Scheduled { time });
        ran.await.unwrap();
    });
    run_due_orders(&shop.orders, &shop.workflow, Scheduled { time })
        .await
        .unwrap();
    assert_eq!(shop.started(&order()), ["1"]);
}

#[tokio::test]
async fn a_finished_order_is_never_run_again() {
    for placed in &courses()[1..] {
        let shop = Shop::with(placed).await;
        let last = if placed.status == Status::Confirmed {
            "notify"
        } else {
            "close"
        };
        run(&shop, last, placed).await.unwrap();
        let late = Scheduled {
            time: after(1_000_000),
        };
        run_due_orders(&shop.orders, &shop.workflow, late)
            .await
            .unwrap();
        assert_eq!(shop.started(placed), [""; 0]);
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_started_is_retried_and_stops_no_other() {
    let shop = Shop::open();
    let orders: Vec<Order> = (0..20)
        .map(|number| order_of(&format!("customer {number}"), lines(1), placed_at()))
        .collect();
    for order in &orders {
        shop.store(order).await;
    }
    shop.refuse_starts();
    let at = |seconds| Scheduled {
        time: after(seconds),
    };
    let refused = run_due_orders(&shop.orders, &shop.workflow, at(60)).await;
    expect!["Failed: 20 orders were not run"].assert_eq(&refused.unwrap_err().to_string());
    let due = shop.orders.due_orders(after(180), 100).await.unwrap();
    assert_eq!(due.len(), orders.len());
    assert_eq!(
        shop.orders.due_orders(after(179), 100).await.unwrap().len(),
        0
    );
}

#[tokio::test]
async fn the_schedules_event_can_be_read() {
    let event =
        r#"{"version":"0","time":"2026-03-01T09:30:00Z","source":"aws.events","detail":{}}"#;
    let scheduled: Scheduled = serde_json::from_str(event).unwrap();
    assert_eq!(scheduled.time, placed_at());
}
