//! Tests of limited discounts: they are never used too often, and no use is lost.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::people::{Person, order_of};
use crate::support::prices::{money, percentage};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

/// Returns the stored count of a discount's uses.
pub(super) async fn uses(shop: &Shop, discount: &str, part: &str) -> i64 {
    let id = discount.rsplit('/').next().unwrap();
    let items = shop.items("OrdersTable").await;
    let key = json!(format!("discount-uses#{id}"));
    let found = items
        .iter()
        .find(|item| item["order_id"] == key && item["part"] == part);
    found.map_or(0, |item| item["uses"].as_i64().unwrap())
}

/// Places an order for each of `people` at once, with the discount code and the payment token that `token`
/// returns. Returns how often each outcome occurred, and the orders that were placed.
async fn rush(
    shop: &Shop,
    people: &[Person],
    product: &str,
    token: impl Fn(usize) -> &'static str,
) -> (BTreeMap<String, usize>, Vec<(usize, String)>) {
    let attempts = people.iter().enumerate().map(|(at, person)| {
        let mut order = order_of(&[(product, 1)], token(at));
        order["discount_code"] = json!("LAST5");
        async move { (at, shop.place(person, &order).await) }
    });
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut orders = Vec::new();
    for (at, response) in futures::future::join_all(attempts).await {
        let body = response.json();
        let outcome = match response.status {
            201 | 202 => {
                orders.push((at, body["id"].as_str().unwrap().to_owned()));
                "placed".to_owned()
            }
            _ => format!("{} {}", response.status, body["errors"][0]["code"]),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    (outcomes, orders)
}

fn outcomes(placed: usize, used_up: usize) -> BTreeMap<String, usize> {
    let outcomes = [("placed", placed), ("422 \"used_up\"", used_up)];
    let some = outcomes.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(outcome, count)| (outcome.to_owned(), count))
        .collect()
}

async fn wait_until_settled(shop: &Shop, orders: &[(usize, String)]) {
    for (_, order) in orders {
        shop.until_settled(order).await;
    }
}

#[test]
fn the_last_5_uses_go_to_5_of_100_customers() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("20.00", 1000).await;
        let people = shop.customers(100).await;
        let limits = json!({"code": "LAST5", "usage_limit": 5, "usage_limit_per_customer": 1});
        let discount = shop.discount(percentage("Last", "0.1"), limits).await;
        let (found, orders) = rush(&shop, &people, &product, |_| "tok_ok").await;
        assert_eq!(found, outcomes(5, 95));
        wait_until_settled(&shop, &orders).await;
        assert_eq!(uses(&shop, &discount, "total").await, 5);
        // A cancelled order gives its use back once, however often it is cancelled.
        let (at, order) = &orders[0];
        let person = &people[*at];
        for _ in 0..3 {
            shop.cancel(person, order).await.expect(200);
        }
        assert_eq!(uses(&shop, &discount, "total").await, 4);
        let own = format!("customer#{}", person.id);
        assert_eq!(uses(&shop, &discount, &own).await, 0);
        let (found, _) = rush(&shop, &people[..20], &product, |_| "tok_ok").await;
        assert_eq!(found["placed"], 1, "{found:?}");
    });
}

#[test]
fn uses_of_failed_orders_can_be_used_again() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("20.00", 1000).await;
        let people = shop.customers(100).await;
        let limits = json!({"code": "LAST5", "usage_limit": 5});
        let discount = shop.discount(percentage("Last", "0.1"), limits).await;
        // Half of the payments fail. In each round every customer tries again, and the halves swap.
        let mut confirmed = 0;
        for round in 0..20 {
            let token = |at: usize| {
                if (at + round).is_multiple_of(2) {
                    "tok_ok"
                } else {
                    "tok_declined"
                }
            };
            let remaining = 5 - confirmed;
            let (_, orders) = rush(&shop, &people, &product, token).await;
            // An order fails only after it was placed, so there were never more open orders than uses. An
            // order that fails during the round leaves its use to a later one.
            wait_until_settled(&shop, &orders).await;
            let books = shop.order_books().await;
            let good = orders
                .iter()
                .filter(|(_, order)| books[order].status() == "confirmed");
            let good = good.count();
            assert!(good <= remaining, "{good} of {remaining}");
            confirmed += good;
            assert_eq!(
                uses(&shop, &discount, "total").await,
                i64::try_from(confirmed).unwrap()
            );
            if confirmed == 5 {
                break;
            }
        }
        assert_eq!(confirmed, 5);
        let (found, _) = rush(&shop, &people, &product, |_| "tok_ok").await;
        assert_eq!(found, outcomes(0, 100));
        assert_eq!(shop.balanced().await, Ok(()));
    });
}

#[test]
fn steps_that_die_neither_lose_a_use_nor_give_it_back_twice() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("20.00", 1000).await;
        let customer = shop.customer().await;
        let limits = json!({"code": "LAST5", "usage_limit": 5});
        let discount = shop.discount(percentage("Last", "0.1"), limits).await;
        let mut order = order_of(&[(&product, 1)], "tok_declined");
        order["discount_code"] = json!("LAST5");
        for fault in ["lost-answer", "conflict", "kill-before", "kill-after"] {
            shop.fault(&format!("dynamodb:TransactWriteItems@fail-order={fault}*1"))
                .await;
            let placed: Value = shop.place(&customer, &order).await.expect(202).json();
            let id = placed["id"].as_str().unwrap();
            let hit = until("the fault", async || match shop.fault_hits().await {
                0 => Err("not hit".to_owned()),
                hits => Ok(hits),
            })
            .await;
            assert!(hit > 0);
            shop.no_faults().await;
            shop.until_settled(id).await;
            assert_eq!(uses(&shop, &discount, "total").await, 0, "{fault}");
        }
    });
}

#[test]
fn a_free_order_is_confirmed_and_cancelled_without_the_gateway() {
    run_local(async {
        let shop = Shop::start(Setup {
            parameters: &[("MinimumOrderAmount", "0.00")],
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let product = shop.product("60.00", 5).await;
        shop.discount(percentage("All", "1"), json!({"code": "ALL"}))
            .await;
        let mut order = order_of(&[(&product, 2)], "tok_declined");
        order["discount_code"] = json!("ALL");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        assert_eq!(placed["total_amount"], money("0.00"));
        let order = placed["id"].as_str().unwrap();
        let confirmed = shop.until_status(&customer, order, "confirmed").await;
        assert_eq!(confirmed["payment_status"], "completed");
        shop.until_settled(order).await;
        let payment = shop.payment(&customer, order).await;
        let paid = (
            &payment["status"],
            &payment["captured"],
            &payment["attempts"],
        );
        assert_eq!(paid, (&json!("completed"), &money("0.00"), &json!(0)));
        shop.cancel(&customer, order).await.expect(200);
        shop.until_settled(order).await;
        assert_eq!(shop.stock(&product).await, (5, 0, 5));
        assert_eq!(shop.payment(&customer, order).await["status"], "voided");
        let cancelled = shop.read(&customer, order).await;
        assert_eq!(cancelled["payment_status"], "voided");
        assert!(shop.items("SandboxTable").await.is_empty());
    });
}
