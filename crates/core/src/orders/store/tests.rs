use super::*;
use crate::aws::settings::Setting;
use crate::orders::change::{self, Change};
use crate::orders::fixtures::{Shop, after, customer, lines, order, order_of, placed_at};
use crate::orders::number::OrderNumber;
use crate::orders::remaining::Remaining;
use crate::orders::rules;
use crate::testing::Fault;
use crate::values::address::Address;
use crate::values::clock::Time;

fn first_page(limit: usize) -> PageRequest {
    PageRequest { limit, after: None }
}

/// Confirms the order without a workflow.
async fn confirm(shop: &Shop, order: &Order) -> Change {
    let decide = |order| {
        let confirmed = rules::confirm(
            order,
            crate::orders::model::PaymentStatus::Completed,
            after(1),
        );
        Ok::<_, StoreError>(confirmed.unwrap())
    };
    change::apply(&shop.orders, order.id, decide)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn an_order_is_created_once_and_read_completely() {
    let shop = Shop::with(&order()).await;
    assert_eq!(shop.stored(&order()).await, order());
    let mut other = order();
    other.lines = lines(1);
    assert_eq!(shop.orders.create(&other).await.unwrap(), Created::Exists);
    assert_eq!(shop.stored(&order()).await, order());
}

#[tokio::test]
async fn an_order_gets_the_first_number_that_no_other_order_has() {
    let shop = Shop::with(&order()).await;
    let number = order().number.unwrap();
    let found = shop.orders.get_by_number(number).await.unwrap();
    assert_eq!(found, Some(order()));
    assert_eq!(shop.orders.free_number(order().id).await.unwrap(), number);
    let next = order_of("ben", lines(1), placed_at()).id;
    for attempt in 0..5 {
        let free = OrderNumber::derived(next, attempt);
        assert_eq!(shop.orders.get_by_number(free).await.unwrap(), None);
        assert_eq!(shop.orders.free_number(next).await.unwrap(), free);
        let other = Order {
            number: Some(free),
            ..order_of(&format!("eve {attempt}"), lines(1), placed_at())
        };
        shop.store(&other).await;
    }
    let none = shop.orders.free_number(next).await;
    assert!(matches!(none, Err(StoreError::Busy(_))));
}

#[tokio::test]
async fn an_address_is_corrected_only_if_nothing_has_changed_since_it_was_read() {
    let shop = Shop::with(&order()).await;
    let read = shop.stored(&order()).await;
    let corrected = Order {
        shipping_address: Address {
            line1: "Lindenstraße 21".to_owned(),
            ..read.shipping_address.clone()
        },
        ..read.clone()
    };
    let written = shop.orders.replace_with_address(corrected.clone()).await;
    let written = written.unwrap().unwrap();
    assert_eq!(shop.stored(&order()).await, written);
    let again = shop.orders.replace_with_address(read).await;
    assert_eq!(again.unwrap(), None);
    assert_eq!(shop.stored(&order()).await, written);
}

#[tokio::test]
async fn a_decision_on_an_old_state_is_not_written() {
    let shop = Shop::with(&order()).await;
    let old = shop.stored(&order()).await;
    let confirmed = confirm(&shop, &order()).await.into_order();
    assert_eq!(shop.orders.replace(old, &[]).await.unwrap(), None);
    assert_eq!(shop.stored(&order()).await, confirmed);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_counts_once() {
    let shop = Shop::with(&order()).await;
    shop.engine.fail_next("PutItem", Fault::LostAnswer);
    let Change::Unneeded(confirmed) = confirm(&shop, &order()).await else {
        panic!("the retry of the write that was done must be refused");
    };
    assert_eq!(confirmed.version, 2);
    assert_eq!(shop.stored(&order()).await, confirmed);
}

#[tokio::test]
async fn an_overtaken_change_is_decided_again() {
    let shop = Shop::with(&order()).await;
    let overtaken = std::sync::atomic::AtomicBool::new(false);
    let runtime = tokio::runtime::Handle::current();
    let changed = change::apply(&shop.orders, order().id, |order| {
        if !overtaken.swap(true, std::sync::atomic::Ordering::Relaxed) {
            let orders = shop.orders.clone();
            let cancelled = rules::cancel(order.clone(), after(1), None)
                .unwrap()
                .unwrap();
            let write = async move { orders.replace(cancelled, &[]).await };
            std::thread::scope(|scope| {
                let written = scope.spawn(|| runtime.block_on(write)).join();
                assert!(written.unwrap().unwrap().is_some());
            });
        }
        rules::confirm(
            order,
            crate::orders::model::PaymentStatus::Completed,
            after(2),
        )
        .map_err(|_| StoreError::Busy("closed".into()))
    });
    let refused = changed.await.unwrap_err().to_string();
    assert_eq!(refused, "the database is busy");
    assert_eq!(shop.stored(&order()).await.status, Status::Cancelled);
}

#[tokio::test]
async fn the_token_is_removed_and_the_rest_stays() {
    let shop = Shop::with(&order()).await;
    for _ in 0..2 {
        shop.orders.forget_token(order().id).await.unwrap();
    }
    let mut expected = order();
    expected.payment_token = None;
    assert_eq!(shop.stored(&order()).await, expected);
    let unknown = OrderId::derived(&["unknown"]);
    shop.orders.forget_token(unknown).await.unwrap();
    assert_eq!(shop.engine.items(Setting::OrdersTable).len(), 2);
}

#[tokio::test]
async fn an_address_is_erased_only_where_there_is_an_order() {
    let shop = Shop::open();
    shop.orders.erase_address(&order()).await.unwrap();
    assert!(shop.engine.items(Setting::OrdersTable).is_empty());
}

#[tokio::test]
async fn what_is_left_of_a_deletion_neither_goes_back_nor_begins_again() {
    let shop = Shop::open();
    let at_first = Remaining {
        customer: customer("ana"),
        erase_at: after(60),
        after: "position 5".to_owned(),
        due_at: after(1),
    };
    let further = Remaining {
        after: "position 9".to_owned(),
        due_at: after(2),
        ..at_first.clone()
    };
    let left = async || shop.orders.unfinished_erasures(after(9), 10).await.unwrap();
    shop.orders.leave_erasure(&at_first).await.unwrap();
    shop.orders.continue_erasure(&further).await.unwrap();
    // The event of the deletion is delivered again.
    shop.orders.leave_erasure(&at_first).await.unwrap();
    assert_eq!(left().await, std::slice::from_ref(&further));
    // Another run was quicker and has come to the end.
    shop.orders.end_erasure(customer("ana")).await.unwrap();
    shop.orders.continue_erasure(&further).await.unwrap();
    assert_eq!(left().await, []);
}

#[tokio::test]
async fn a_customers_orders_come_newest_first_in_pages() {
    let shop = Shop::open();
    for number in 0..5 {
        shop.store(&order_of("ana", lines(1), after(number))).await;
        shop.store(&order_of("ben", lines(1), after(number))).await;
    }
    let mut page = first_page(2);
    let mut seen = Vec::new();
    loop {
        let found = shop.orders.by_customer(customer("ana"), None, &page).await;
        let found = found.unwrap();
        assert!(found.items.iter().all(|order| order.lines.len() == 1));
        seen.extend(found.items.into_iter().map(|order| order.created_at));
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [4, 3, 2, 1, 0].map(after));
}

#[tokio::test]
async fn orders_with_a_status_are_found_in_all_shards() {
    let shop = Shop::open();
    let orders: Vec<Order> = (0..12)
        .map(|number| order_of(&format!("customer {number}"), lines(1), after(number)))
        .collect();
    for order in &orders {
        shop.store(order).await;
    }
    confirm(&shop, &orders[3]).await;
    let all = shop
        .orders
        .by_status(Status::Pending, &first_page(100))
        .await;
    let found: Vec<Time> = all.unwrap().items.iter().map(|o| o.created_at).collect();
    assert_eq!(found, [11, 10, 9, 8, 7, 6, 5, 4, 2, 1, 0].map(after));
    let page = shop
        .orders
        .by_status(Status::Pending, &first_page(5))
        .await
        .unwrap();
    let next = PageRequest {
        limit: 2,
        after: page.next,
    };
    let page = shop.orders.by_status(Status::Pending, &next).await.unwrap();
    let found: Vec<Time> = page.items.iter().map(|o| o.created_at).collect();
    assert_eq!(found, [6, 5].map(after));
}

#[tokio::test]
async fn a_customers_orders_with_a_status_are_found_behind_many_others() {
    let shop = Shop::open();
    let first = order_of("ana", lines(1), placed_at());
    shop.store(&first).await;
    confirm(&shop, &first).await;
    for number in 1..=105 {
        shop.store(&order_of("ana", lines(1), after(number))).await;
    }
    let confirmed = Some(Status::Confirmed);
    let wanted = first_page(2);
    let page = shop
        .orders
        .by_customer(customer("ana"), confirmed, &wanted)
        .await;
    let page = page.unwrap();
    assert_eq!(
        page.items.iter().map(|o| o.id).collect::<Vec<_>>(),
        [first.id]
    );
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn a_page_of_a_status_ends_after_a_thousand_other_orders_and_the_next_continues() {
    let shop = Shop::open();
    let first = order_of("ana", lines(1), placed_at());
    shop.store(&first).await;
    confirm(&shop, &first).await;
    for number in 1..=1_205 {
        shop.store(&order_of("ana", lines(1), after(number))).await;
    }
    let confirmed = Some(Status::Confirmed);
    let mut page = first_page(2);
    let list = async |page: &PageRequest| {
        let found = shop.orders.by_customer(customer("ana"), confirmed, page);
        found.await.unwrap()
    };
    shop.engine.forget_calls();
    let found = list(&page).await;
    assert!(found.items.is_empty());
    assert_eq!(
        shop.engine.calls().len(),
        10,
        "queries of a hundred orders each"
    );
    page.after = found.next;
    let found = list(&page).await;
    assert_eq!(found.items[0].id, first.id);
    assert_eq!((found.items.len(), found.next), (1, None));
}

#[tokio::test]
async fn the_orders_that_have_been_due_longest_are_found_first() {
    let shop = Shop::open();
    for number in 0..24 {
        let order = order_of(&format!("customer {number}"), lines(1), after(number));
        shop.store(&order).await;
    }
    let shards = [0, 1, 2, 3].map(|shard| {
        (0..24)
            .map(|number| order_of(&format!("customer {number}"), lines(1), after(number)).id)
            .find(|id| id.shard(4) == shard)
            .unwrap()
    });
    let mut due = shop.orders.due_orders(after(3_600), 1).await.unwrap();
    due.sort_by_key(|id| id.shard(4));
    assert_eq!(due, shards);
}

#[tokio::test]
async fn exactly_the_due_orders_are_found_in_all_shards() {
    let shop = Shop::open();
    let orders: Vec<Order> = (0..24)
        .map(|number| order_of(&format!("customer {number}"), lines(1), after(number)))
        .collect();
    for order in &orders {
        shop.store(order).await;
    }
    let mut due = shop.orders.due_orders(after(71), 100).await.unwrap();
    let mut expected: Vec<OrderId> = orders[..=11].iter().map(|order| order.id).collect();
    let mut shards: Vec<u32> = expected.iter().map(|id| id.shard(4)).collect();
    shards.sort_unstable();
    shards.dedup();
    assert_eq!(shards, [0, 1, 2, 3], "the test needs orders in all shards");
    due.sort();
    expected.sort();
    assert_eq!(due, expected);
}
