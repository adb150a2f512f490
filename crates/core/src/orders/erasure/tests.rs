//! Orders of a deleted customer, on the embedded DynamoDB.

use serde_json::json;

use super::super::fixtures::{
    Shop, account, address, after, customer, guests_order, lines, order_of, placed_at, step,
};
use super::super::model::{Order, Status};
use super::super::rules;
use super::super::workflow::{close_order, run_due_orders};
use super::*;
use crate::aws::settings::Setting;
use crate::runtime::Scheduled;
use crate::testing::Fault;
use crate::values::event::{DomainEvent, Stamp};

/// A day, in seconds.
const A_DAY: u64 = 24 * 60 * 60;

/// Delivers the event that Ana's account is deleted.
async fn deleted(shop: &Shop, erasure: &Erasure) -> Result<(), ConsumeError> {
    let customers = CustomerStore::new(&shop.aws).unwrap();
    on_customer_deleted(erasure, &customers, account_deleted()).await
}

/// Returns the erasure of a shop that gives a parcel `days` days.
fn patient(shop: &Shop, days: u64) -> Erasure {
    Erasure::for_tests(shop.orders.clone(), Duration::from_secs(days * A_DAY))
}

/// Runs `run-due-orders` so many seconds after the first order.
async fn run_due(shop: &Shop, seconds: u64) {
    let time = after(seconds);
    run_due_orders(&shop.orders, &shop.workflow, Scheduled { time })
        .await
        .unwrap();
}

/// The event that Ana was deleted, as the queue delivers it.
fn account_deleted() -> Message {
    let ana = customer("ana");
    let stamp = Stamp::new(ana, 3, "CustomerDeleted", after(60));
    let event = DomainEvent::new(ana, stamp, json!({}));
    Message {
        id: "1".to_owned(),
        body: json!({"time": "2026-03-01T09:31:00Z", "detail": event}).to_string(),
        sent_at: after(60),
        receive_count: 1,
    }
}

/// An order of `name`, placed so many seconds after the first, in `status`; over, or with something
/// left to do.
fn order_in(name: &str, seconds: u64, status: Status, over: bool) -> Order {
    let placed = order_of(name, lines(2), after(seconds));
    Order {
        status,
        due_at: placed.due_at.filter(|_| !over),
        ..placed
    }
}

async fn recipient(shop: &Shop, order: &Order) -> String {
    shop.stored(order).await.shipping_address.recipient
}

/// Asserts that nothing is left to do in the shop, and that nothing was run for `order`.
async fn nothing_is_due(shop: &Shop, order: &Order) {
    let due = shop
        .orders
        .due_orders(after(100 * A_DAY), 100)
        .await
        .unwrap();
    assert!(due.is_empty(), "{due:?}");
    assert!(shop.started(order).is_empty(), "nothing is run for it");
}

#[tokio::test]
async fn ended_orders_lose_their_address_and_open_ones_keep_it_until_they_end() {
    let shop = Shop::open();
    let over = [
        order_in("ana", 0, Status::Failed, true),
        order_in("ana", 1, Status::Cancelled, true),
        order_in("ana", 2, Status::Completed, true),
        order_in("ana", 3, Status::Returned, true),
    ];
    let open = [
        order_in("ana", 4, Status::Confirmed, true),
        order_in("ana", 5, Status::Shipped, true),
        order_in("ana", 6, Status::Delivered, true),
        order_in("ana", 7, Status::Pending, false),
    ];
    let others = order_in("bob", 8, Status::Failed, true);
    for order in over.iter().chain(&open).chain([&others]) {
        shop.store(order).await;
    }
    for _ in 0..2 {
        deleted(&shop, &patient(&shop, 30)).await.unwrap();
    }
    for order in &over {
        let left = shop.stored(order).await.shipping_address;
        assert_eq!(left, address().erased(), "{}", order.status);
        assert_eq!((left.country.as_str(), left.phone), ("AT", None));
    }
    for order in &open {
        let stored = shop.stored(order).await;
        assert_eq!(stored.shipping_address, address(), "{}", order.status);
        let latest = Some(after(60 + 30 * A_DAY));
        assert_eq!(stored.erase_at, latest, "{}", order.status);
        assert_eq!(stored.due_at, order.due_at, "{}", order.status);
    }
    assert_eq!(shop.stored(&others).await.shipping_address, address());
    let text = serde_json::Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    let addresses = text.matches("Lindenstraße").count();
    assert_eq!(addresses, open.len() + 1, "nowhere else");
}

#[tokio::test]
async fn an_order_that_was_open_loses_its_address_when_it_is_closed() {
    let pending = order_of("ana", lines(2), placed_at());
    let shop = Shop::with(&pending).await;
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    assert_eq!(recipient(&shop, &pending).await, "Ana Müller");
    let cancelled = rules::cancel(shop.stored(&pending).await, after(90), None)
        .unwrap()
        .unwrap();
    shop.orders.replace(cancelled, &[]).await.unwrap().unwrap();
    close_order(&shop.orders, &shop.gift_cards, step(&pending, after(91)))
        .await
        .unwrap();
    let stored = shop.stored(&pending).await;
    assert_eq!(
        (stored.shipping_address.recipient.as_str(), stored.due_at),
        ("", None)
    );
    assert_eq!(stored.erase_at, None);
}

#[tokio::test]
async fn an_order_that_is_being_closed_loses_its_address_in_any_interleaving() {
    let closing = order_in("ana", 0, Status::Failed, false);
    let shop = Shop::with(&closing).await;
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    assert_eq!(shop.stored(&closing).await.shipping_address, address());
    close_order(&shop.orders, &shop.gift_cards, step(&closing, after(91)))
        .await
        .unwrap();
    assert_eq!(recipient(&shop, &closing).await, "");
    // The step dies between closing and erasing: the order is due at once.
    let shop = Shop::with(&closing).await;
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    let close = |order| Ok::<_, StoreError>(rules::close(order, None, after(91)).unwrap());
    change::apply(&shop.orders, closing.id, close)
        .await
        .unwrap();
    assert_eq!(recipient(&shop, &closing).await, "Ana Müller");
    run_due(&shop, 120).await;
    assert_eq!(recipient(&shop, &closing).await, "");
    nothing_is_due(&shop, &closing).await;
}

#[tokio::test]
async fn an_order_on_its_way_loses_its_address_in_time_and_nothing_else() {
    let shipped = order_in("ana", 0, Status::Shipped, true);
    let shop = Shop::with(&shipped).await;
    for _ in 0..2 {
        deleted(&shop, &patient(&shop, 30)).await.unwrap();
    }
    run_due(&shop, 59 + 30 * A_DAY).await;
    assert_eq!(shop.stored(&shipped).await.shipping_address, address());
    for _ in 0..2 {
        run_due(&shop, 60 + 30 * A_DAY).await;
        let stored = shop.stored(&shipped).await;
        let expected = Order {
            shipping_address: address().erased(),
            revision: stored.revision,
            ..shipped.clone()
        };
        assert_eq!(stored, expected);
    }
    nothing_is_due(&shop, &shipped).await;
    // The event is delivered again.
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    assert_eq!(shop.stored(&shipped).await.erase_at, None);
}

#[tokio::test]
async fn an_order_to_be_run_is_run_when_only_its_address_was_due() {
    let pending = order_in("ana", 0, Status::Pending, false);
    let put_off = Order {
        due_at: Some(after(40 * A_DAY)),
        ..pending
    };
    let shop = Shop::with(&put_off).await;
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    run_due(&shop, 31 * A_DAY).await;
    let stored = shop.stored(&put_off).await;
    assert_eq!(stored.shipping_address.recipient, "");
    assert_eq!(stored.due_at, put_off.due_at);
    assert!(shop.started(&put_off).is_empty());
    run_due(&shop, 40 * A_DAY).await;
    assert_eq!(shop.started(&put_off), ["1"]);
}

#[tokio::test]
async fn an_erasure_after_zero_days_erases_the_address_at_once() {
    let confirmed = order_in("ana", 0, Status::Confirmed, true);
    let shop = Shop::with(&confirmed).await;
    deleted(&shop, &patient(&shop, 0)).await.unwrap();
    let stored = shop.stored(&confirmed).await;
    assert_eq!(stored.shipping_address, address().erased());
    assert_eq!((stored.erase_at, stored.due_at), (None, None));
}

#[tokio::test]
async fn the_setting_counts_days() {
    let shop = Shop::open();
    let erasure = Erasure::new(&shop.aws).unwrap();
    assert_eq!(erasure.patience, patient(&shop, 30).patience);
}

#[tokio::test]
async fn more_orders_than_a_page_are_all_found() {
    let shop = Shop::open();
    let orders: Vec<Order> = (0..101)
        .map(|seconds| order_in("ana", seconds, Status::Failed, true))
        .collect();
    for order in &orders {
        shop.store(order).await;
    }
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    let text = serde_json::Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    assert!(!text.contains("Lindenstraße"));
}

/// Stores `count` orders of Ana that are over.
async fn closed_orders(shop: &Shop, count: u64) {
    for seconds in 0..count {
        shop.store(&order_in("ana", seconds, Status::Failed, true))
            .await;
    }
}

/// Returns how many addresses are left.
fn addresses(shop: &Shop) -> usize {
    let text = serde_json::Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    text.matches("Lindenstraße").count()
}

/// Returns how many orders were read since the last call.
fn reads(shop: &Shop) -> usize {
    let calls = shop.engine.calls();
    shop.engine.forget_calls();
    calls.iter().filter(|call| *call == "Query").count()
}

#[tokio::test]
async fn a_deletion_with_thousands_of_orders_continues_where_it_stopped() {
    let shop = Shop::open();
    closed_orders(&shop, 1_650).await;
    let erasure = patient(&shop, 30);
    reads(&shop);
    deleted(&shop, &erasure).await.unwrap();
    assert_eq!(addresses(&shop), 1_150);
    assert!(reads(&shop) <= 510);
    // The event is delivered again. What is stored about the rest stays.
    deleted(&shop, &erasure).await.unwrap();
    assert_eq!(addresses(&shop), 1_150);
    let mut left = 1_150_usize;
    while left > 0 {
        reads(&shop);
        run_due(&shop, 120).await;
        left = left.saturating_sub(1_000);
        assert_eq!(addresses(&shop), left);
        assert!(reads(&shop) <= 1_050, "a run is bounded");
    }
    let rest = shop.engine.items(Setting::OrdersTable).len();
    assert_eq!(rest, 2 * 1_650, "nothing is left of the erasure");
}

#[tokio::test]
async fn an_erasure_that_another_run_has_ended_stays_ended_when_this_one_fails() {
    let shop = Shop::open();
    closed_orders(&shop, 650).await;
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    let (orders, workflow) = (shop.orders.clone(), shop.workflow.clone());
    let engine = shop.engine.clone();
    let time = after(120);
    shop.engine.before_next("UpdateItem", async move || {
        run_due_orders(&orders, &workflow, Scheduled { time })
            .await
            .unwrap();
        for _ in 0..24 {
            engine.fail_next("UpdateItem", Fault::Failed);
        }
    });
    let run = run_due_orders(&shop.orders, &shop.workflow, Scheduled { time }).await;
    assert!(run.is_err());
    shop.engine.clear_faults();
    assert_eq!(addresses(&shop), 0);
    let rest = shop.engine.items(Setting::OrdersTable).len();
    assert_eq!(rest, 2 * 650, "nothing is left of the erasure");
}

#[tokio::test]
async fn an_erasure_that_fails_continues_later_and_does_not_go_back() {
    let shop = Shop::open();
    closed_orders(&shop, 850).await;
    deleted(&shop, &patient(&shop, 30)).await.unwrap();
    // Eight orders are erased at the same time, and the SDK sends each call three times.
    for _ in 0..24 {
        shop.engine.fail_next("UpdateItem", Fault::Failed);
    }
    let time = after(120);
    let run = run_due_orders(&shop.orders, &shop.workflow, Scheduled { time }).await;
    assert!(run.is_err());
    shop.engine.clear_faults();
    let left = addresses(&shop);
    assert!((251..=350).contains(&left), "{left}");
    run_due(&shop, 121).await;
    assert_eq!(addresses(&shop), left, "it waits for five minutes");
    reads(&shop);
    run_due(&shop, 420).await;
    assert_eq!(addresses(&shop), 0);
    assert!(reads(&shop) <= 360, "it does not begin again");
}

#[tokio::test]
async fn a_message_that_is_not_such_an_event_is_delivered_again() {
    let shop = Shop::open();
    let customers = CustomerStore::new(&shop.aws).unwrap();
    let mut other = account_deleted();
    other.body = other.body.replace("CustomerDeleted", "CustomerRegistered");
    let answer = on_customer_deleted(&patient(&shop, 30), &customers, other).await;
    assert!(
        matches!(answer, Err(ConsumeError::OtherType(_))),
        "{answer:?}"
    );
    let mut nonsense = account_deleted();
    nonsense.body = "{}".to_owned();
    let answer = on_customer_deleted(&patient(&shop, 30), &customers, nonsense).await;
    assert!(
        matches!(answer, Err(ConsumeError::InvalidEvent(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_deletion_also_erases_what_was_ordered_with_the_confirmed_address_without_an_account() {
    for confirmed in [true, false] {
        let shop = Shop::open();
        let customers = account(&shop, confirmed, false).await;
        let over = Order {
            status: Status::Completed,
            due_at: None,
            ..guests_order("ana@EXAMPLE.com")
        };
        let open = Order {
            id: OrderId::derived(&["open"]),
            number: None,
            ..guests_order("ana@example.com")
        };
        let others = guests_order("ben@example.com");
        for order in [&over, &open, &others] {
            shop.store(order).await;
        }
        let stored = customers.account(customer("ana")).await.unwrap().unwrap();
        let stamp = Stamp::new(customer("ana"), 3, "CustomerDeleted", after(60));
        assert!(customers.erase(&stored, stamp).await.unwrap());
        for _ in 0..2 {
            deleted(&shop, &patient(&shop, 30)).await.unwrap();
        }
        assert_eq!(shop.stored(&others).await, others);
        let (over_after, open_after) = (shop.stored(&over).await, shop.stored(&open).await);
        assert_eq!(over_after.is_erased(), confirmed);
        let latest = confirmed.then(|| after(60 + 30 * A_DAY));
        assert_eq!(
            (open_after.erase_at, open_after.guest),
            (latest, open.guest.clone())
        );
        if confirmed {
            // The parcel's time is over.
            run_due(&shop, 61 + 30 * A_DAY).await;
            assert!(shop.stored(&open).await.is_erased());
            let items = serde_json::Value::from(shop.engine.items(Setting::OrdersTable));
            assert!(!items.to_string().to_lowercase().contains("ana@example"));
        }
    }
}
