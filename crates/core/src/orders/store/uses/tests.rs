use super::*;
use crate::aws::settings::Setting;
use crate::orders::change::{self, Change};
use crate::orders::fixtures::{Shop, after, customer, lines, order_of, placed_at};
use crate::orders::model::{Failure, FailureCode, Order};
use crate::orders::rules;
use crate::orders::store::Created;
use crate::orders::uses::{Earlier, Taker, taken_with};
use crate::pricing::fixtures::{discount, percent};
use crate::pricing::model::Discount;
use crate::testing::Fault;

fn limited() -> Discount {
    let mut limited = discount("limited", percent("0.1"));
    limited.terms.usage_limit = Some(2);
    limited.terms.usage_limit_per_customer = Some(1);
    limited
}

/// An order of `name` that uses the discount.
fn using(name: &str, seconds: u64) -> Order {
    Order {
        uses: taken_with(
            &limited(),
            Taker::Customer(customer(name)),
            Earlier::default(),
            0,
        ),
        ..order_of(name, lines(1), after(seconds))
    }
}

/// The counts, the total first.
fn counts(shop: &Shop) -> Vec<i64> {
    let items = shop.engine.items(Setting::OrdersTable);
    let mut counts: Vec<(String, i64)> = items
        .iter()
        .filter_map(|item| {
            let part = item["part"].as_str()?.to_owned();
            Some((part, item["uses"].as_i64()?))
        })
        .collect();
    counts.sort_by_key(|(part, _)| part != "total");
    counts.into_iter().map(|(_, count)| count).collect()
}

fn fail(order: Order) -> Result<Option<Order>, StoreError> {
    let failure = Failure::new(FailureCode::PaymentDeclined, "no");
    rules::fail(order, failure, after(5)).map_err(|error| StoreError::Busy(error.into()))
}

#[tokio::test]
async fn uses_are_taken_up_to_the_limit_and_a_refused_order_leaves_nothing() {
    let shop = Shop::open();
    let (first, again) = (using("ana", 0), using("ana", 1));
    let (second, third) = (using("ben", 0), using("eve", 0));
    assert_eq!(shop.orders.create(&first).await.unwrap(), Created::Done);
    assert_eq!(shop.orders.create(&first).await.unwrap(), Created::Exists);
    assert_eq!(shop.orders.create(&again).await.unwrap(), Created::UsedUp);
    assert_eq!(counts(&shop), [1, 1]);
    assert_eq!(shop.orders.create(&second).await.unwrap(), Created::Done);
    assert_eq!(shop.orders.create(&third).await.unwrap(), Created::UsedUp);
    assert_eq!(counts(&shop), [2, 1, 1]);
    assert_eq!(shop.orders.get(third.id).await.unwrap(), None);
    let wanted = taken_with(
        &limited(),
        Taker::Customer(customer("eve")),
        Earlier::default(),
        0,
    );
    assert_eq!(
        shop.orders.used_up(&wanted).await.unwrap(),
        [wanted[0].clone()]
    );
}

#[tokio::test]
async fn a_use_is_given_back_once_with_the_write_that_closes_the_order() {
    let shop = Shop::open();
    let order = using("ana", 0);
    shop.store(&order).await;
    // A change that does not close the order gives nothing back.
    let due = |order| Ok::<_, StoreError>(rules::take_up(order, after(600)));
    change::apply(&shop.orders, order.id, due).await.unwrap();
    assert_eq!(counts(&shop), [1, 1]);
    for fault in [Fault::Conflict, Fault::LostAnswer] {
        shop.engine.fail_next("TransactWriteItems", fault);
    }
    for _ in 0..3 {
        change::apply(&shop.orders, order.id, fail).await.unwrap();
        assert_eq!(counts(&shop), [0, 0]);
    }
    // The end of the run that undoes the order gives nothing back.
    let close = |order| Ok::<_, StoreError>(rules::close(order, None, after(9)).unwrap());
    let closed = change::apply(&shop.orders, order.id, close).await.unwrap();
    assert!(matches!(closed, Some(Change::Made(_))), "{closed:?}");
    assert_eq!(counts(&shop), [0, 0]);
    // The order still lists the use that it took, and another order can take it.
    assert_eq!(shop.stored(&order).await.uses, order.uses);
    shop.store(&using("ana", 1)).await;
    assert_eq!(counts(&shop), [1, 1]);
}

#[tokio::test]
async fn of_two_closings_at_once_one_gives_the_use_back() {
    let shop = Shop::open();
    let order = using("ana", 0);
    shop.store(&order).await;
    let (orders, id) = (shop.orders.clone(), order.id);
    shop.engine
        .before_next("TransactWriteItems", async move || {
            let cancel = |order| {
                let cancelled = rules::cancel(order, placed_at(), None);
                cancelled.map_err(|error| StoreError::Busy(error.into()))
            };
            change::apply(&orders, id, cancel).await.unwrap();
        });
    let failed = change::apply(&shop.orders, id, fail).await.unwrap();
    assert!(matches!(failed, Some(Change::Unneeded(_))), "{failed:?}");
    assert_eq!(counts(&shop), [0, 0]);
}

#[tokio::test]
async fn of_two_orders_at_once_one_takes_the_last_use() {
    let shop = Shop::open();
    shop.store(&using("ana", 0)).await;
    let orders = shop.orders.clone();
    shop.engine
        .before_next("TransactWriteItems", async move || {
            let quicker = orders.create(&using("ben", 0)).await;
            assert_eq!(quicker.unwrap(), Created::Done);
        });
    let late = shop.orders.create(&using("eve", 0)).await;
    assert_eq!(late.unwrap(), Created::UsedUp);
    assert_eq!(counts(&shop), [2, 1, 1]);
}
