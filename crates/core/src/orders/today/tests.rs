//! Which orders count towards a day.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::orders::evidence::Evidence;
use crate::orders::fixtures::{Shop, after, lines, order_of, placed_at};
use crate::orders::model::{Guest, Order, Status};
use crate::screening::cel::{EvaluationError, Expression};
use crate::values::clock::Time;
use crate::values::id::OrderId;

/// Evaluates the expression `source` for `order`.
async fn evaluate(shop: &Shop, order: &Order, source: &str) -> Result<bool, EvaluationError> {
    let expression = Expression::compile(source, "EUR".parse().unwrap()).unwrap();
    let evidence = Evidence::new(&shop.aws).unwrap();
    let (_, facts) = evidence.gather(order, expression.needs()).await.unwrap();
    expression.holds(&facts.unwrap())
}

async fn check(shop: &Shop, order: &Order, sources: &[&str]) {
    for source in sources {
        assert_eq!(evaluate(shop, order, source).await, Ok(true), "{source}");
    }
}

fn at(time: &str) -> Time {
    time.parse().unwrap()
}

#[tokio::test]
async fn an_earlier_order_of_the_day_counts_unless_it_is_failed_or_cancelled() {
    let shop = Shop::open();
    for (minute, status) in (1..).zip(Status::ALL) {
        let mut order = order_of("ana", lines(1), after(minute * 60));
        order.status = *status;
        shop.store(&order).await;
    }
    let all = Status::ALL.len();
    let order = order_of("ana", lines(2), after(3600));
    shop.store(&order).await;
    // Two pieces at 12.90 EUR each.
    assert_eq!(all - 2, 7);
    check(
        &shop,
        &order,
        &[
            "customer.orders_today == 7",
            "customer.spent_today == 7 * money('25.80')",
            "order.lines[0].ordered_today == 14 && order.lines[1].ordered_today == 0",
            "customer.orders_placed == 9",
        ],
    )
    .await;
}

#[tokio::test]
async fn other_days_other_customers_and_later_orders_do_not_count() {
    let shop = Shop::open();
    let first = at("2026-03-01T00:00:00Z");
    for (name, time) in [
        ("ana", at("2026-02-28T23:59:59.999Z")),
        ("ana", first),
        ("ben", first),
        ("ana", placed_at().plus(Duration::from_millis(1))),
        ("ana", at("2026-03-02T00:00:00Z")),
    ] {
        shop.store(&order_of(name, lines(1), time)).await;
    }
    let order = order_of("ana", lines(1), placed_at());
    shop.store(&order).await;
    let one = [
        "customer.orders_today == 1",
        "customer.spent_today == money('25.80')",
        "order.lines.all(line, line.ordered_today == 2)",
    ];
    check(&shop, &order, &one).await;
    let newcomer = order_of("eva", lines(1), placed_at());
    let none = "customer.orders_today == 0 && customer.spent_today == money('0') && order.lines[0].ordered_today == 0";
    check(&shop, &newcomer, &[none]).await;
    let last = order_of("ana", lines(1), at("2026-03-01T23:59:59.999Z"));
    check(&shop, &last, &["customer.orders_today == 3"]).await;
}

#[tokio::test]
async fn orders_of_one_instant_count_one_after_the_other() {
    let shop = Shop::open();
    let orders = ["one", "two", "three"].map(|name| Order {
        id: OrderId::derived(&[name]),
        number: None,
        ..order_of("ana", lines(1), placed_at())
    });
    for order in &orders {
        shop.store(order).await;
    }
    let mut found = BTreeSet::new();
    for order in &orders {
        for count in 0..4 {
            let source = format!("customer.orders_today == {count}");
            if evaluate(&shop, order, &source).await == Ok(true) {
                found.insert(count);
            }
        }
    }
    assert_eq!(found, BTreeSet::from([0, 1, 2]));
}

#[tokio::test]
async fn a_guest_has_no_totals_of_the_day() {
    let shop = Shop::open();
    shop.store(&order_of("ana", lines(1), after(0))).await;
    let mut order = order_of("ana", lines(1), after(60));
    order.guest = Some(Guest {
        email: "guest@example.com".parse().unwrap(),
        locale: "de".parse().unwrap(),
    });
    shop.engine.forget_calls();
    let absent = "!has(customer.orders_today) && !has(customer.spent_today) && order.lines.all(l, !has(l.ordered_today))";
    check(&shop, &order, &[absent]).await;
    assert_eq!(shop.engine.calls(), [""; 0]);
}

#[tokio::test]
async fn only_what_a_rule_needs_is_read() {
    let shop = Shop::open();
    for second in 0..3 {
        shop.store(&order_of("ana", lines(1), after(second))).await;
    }
    let order = order_of("ana", lines(1), after(60));
    for (source, calls) in [
        (
            "!has(customer.id) || customer.orders_placed == 3",
            vec!["Query"],
        ),
        ("customer.orders_today == 3", vec!["Query"]),
        ("customer.spent_today == money('77.40')", vec!["Query"]),
        (
            "order.lines[0].ordered_today == 6",
            vec!["Query", "BatchGetItem"],
        ),
    ] {
        shop.engine.forget_calls();
        check(&shop, &order, &[source]).await;
        assert_eq!(shop.engine.calls(), calls, "{source}");
    }
    // A customer without earlier orders of the day has no lines to be read.
    let order = order_of("eva", lines(1), after(60));
    shop.engine.forget_calls();
    check(&shop, &order, &["order.lines[0].ordered_today == 0"]).await;
    assert_eq!(shop.engine.calls(), ["Query"]);
}

#[tokio::test]
async fn a_hundred_orders_are_counted_and_with_more_nothing_is_known() {
    let shop = Shop::open();
    // Of the day before, of which nothing is to be counted.
    shop.store(&order_of("ana", lines(1), at("2026-02-28T12:00:00Z")))
        .await;
    let order = order_of("ana", lines(1), after(3600));
    let mut stored = 0;
    for count in [19, 20, 21, 100] {
        for second in stored..count {
            let mut past = order_of("ana", lines(1), after(second));
            if second % 2 == 1 {
                past.status = Status::Failed;
            }
            shop.store(&past).await;
        }
        stored = count;
        let counting = count.div_ceil(2);
        let orders = format!("customer.orders_today == {counting}");
        let lines = format!("order.lines[0].ordered_today == {}", 2 * counting);
        check(&shop, &order, &[&orders, &lines]).await;
        // What was there before it is looked at as far as ever.
        let placed = (count + 1).min(20);
        let placed = format!("customer.orders_placed == {placed} && {orders}");
        check(&shop, &order, &[&placed]).await;
    }
    // Failed as well: what was not looked at might count.
    let mut past = order_of("ana", lines(1), after(100));
    past.status = Status::Failed;
    shop.store(&past).await;
    let why = "more than 100 orders were placed earlier that day";
    for (source, part) in [
        ("customer.orders_today < 5", "customer.orders_today"),
        ("!has(customer.spent_today)", "customer.spent_today"),
        (
            "order.lines.all(l, !has(l.ordered_today))",
            "line.ordered_today",
        ),
    ] {
        let unknown = EvaluationError::Unknown(part.to_owned(), why.to_owned());
        assert_eq!(
            evaluate(&shop, &order, source).await,
            Err(unknown),
            "{source}"
        );
    }
    let tomorrow = order_of("ana", lines(1), at("2026-03-02T00:00:00Z"));
    check(&shop, &tomorrow, &["customer.orders_today == 0"]).await;
}

#[tokio::test]
async fn an_amount_in_another_currency_is_unknown() {
    let shop = Shop::open();
    let mut past = order_of("ana", lines(1), after(0));
    past.total = crate::values::money::Money::parse("10.00", "USD".parse().unwrap()).unwrap();
    shop.store(&past).await;
    let order = order_of("ana", lines(1), after(60));
    let rest = "customer.orders_today == 1 && order.lines[0].ordered_today == 2";
    check(&shop, &order, &[rest]).await;
    let unknown = EvaluationError::Unknown(
        "customer.spent_today".to_owned(),
        "the currencies differ".to_owned(),
    );
    let spent = evaluate(&shop, &order, "customer.spent_today < money('50')").await;
    assert_eq!(spent, Err(unknown));
}
