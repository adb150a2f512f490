//! Stock is never sold twice.

use std::collections::BTreeMap;

use crate::support::people::order_of;
use crate::support::shop::shared;
use crate::support::{run, until};

/// Lets 64 customers order a product at once, in orders with `lines` of it, while its stock is enough for ten orders.
fn check_rush(lines: &'static [u32]) {
    run(async {
        let shop = shared().await;
        let product = shop.product("19.90", 10 * lines.iter().sum::<u32>()).await;
        let customers = shop.customers(64).await;
        let lines: Vec<(&str, u32)> = lines.iter().map(|line| (product.as_str(), *line)).collect();
        let order = &order_of(&lines, "tok_ok");
        let placed = customers.iter().map(|customer| async move {
            let placed = shop.place(customer, order).await;
            // What is sold out by now is refused at once.
            assert!([201, 202, 409].contains(&placed.status), "{}", placed.text);
            let id = placed.json()["id"].as_str().map(str::to_owned);
            id.map(|id| (customer, id))
        });
        let placed = futures::future::join_all(placed).await;
        let orders: Vec<_> = placed.into_iter().flatten().collect();
        let outcomes = until("all outcomes", async || {
            let read = orders.iter();
            let read = read.map(|(customer, order)| shop.read(customer, order));
            let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
            for order in futures::future::join_all(read).await {
                let status = order["status"].as_str().unwrap();
                let code = order["failure"]["code"].as_str().unwrap_or_default();
                let outcome = format!("{status} {code}");
                *outcomes.entry(outcome.trim().to_owned()).or_default() += 1;
            }
            match outcomes.get("pending") {
                None => Ok(outcomes),
                Some(_) => Err(format!("{outcomes:?}")),
            }
        })
        .await;
        let failed = orders.len() - 10;
        let expected = [("confirmed", 10), ("failed out_of_stock", failed)];
        let expected = expected.into_iter().filter(|(_, count)| *count > 0);
        let expected = expected.map(|(outcome, count)| (outcome.to_owned(), count));
        assert_eq!(outcomes, expected.collect());
        let all = 10 * lines.iter().map(|line| u64::from(line.1)).sum::<u64>();
        assert_eq!(shop.stock(&product).await, (all, all, 0));
    });
}

#[test]
fn ten_of_64_customers_get_the_ten_pieces() {
    check_rush(&[1]);
}

#[test]
fn a_product_in_two_lines_of_an_order_is_counted_twice() {
    check_rush(&[1, 1]);
}
