//! Sales of products.

use serde_json::{Value, json};

use super::shortage::quote;
use crate::support::people::{Person, order_of};
use crate::support::prices::money;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

/// Returns what one piece costs in the catalogue, in a quote, and in an order.
async fn prices(shop: &Shop, customer: &Person, product: &str) -> [Value; 3] {
    let read = shop.get(&format!("/products/{product}")).send().await;
    let order = order_of(&[(product, 1)], "tok_ok");
    let quoted = quote(shop, customer, &order).await;
    let placed = shop.place(customer, &order).await.expect(202).json();
    [
        read.expect(200).json()["current_price"].clone(),
        quoted.expect(200).json()["items"][0]["unit_price"].clone(),
        placed["items"][0]["unit_price"].clone(),
    ]
}

#[test]
fn a_sale_counts_from_its_start_to_its_end() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        });
        let shop = shop.await;
        let customer = shop.customer().await;
        let admin = shop.admin().await;
        let product = shop.product("20.00", 9).await;
        let path = format!("/products/{product}");
        let seen_by_admin = async || {
            let call = shop.get(&path).bearer(&admin.token);
            call.send().await.expect(200).json()
        };
        let read = seen_by_admin().await;
        let created: jiff::Timestamp = read["created_at"].as_str().unwrap().parse().unwrap();
        let hours = |hours: i64| (created + jiff::SignedDuration::from_hours(hours)).to_string();
        let sale = json!({"price": money("15.00"), "starts_at": hours(2), "ends_at": hours(4)});
        let call = shop
            .patch(&path)
            .bearer(&admin.token)
            .header("if-match", "*");
        let patched = call
            .json(&json!({"sale": sale}))
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(patched["sale"]["lowest_price_before"], money("20.00"));
        assert_eq!(seen_by_admin().await["sale"], patched["sale"]);
        let hidden = shop.get(&path).send().await.expect(200);
        assert_eq!(hidden.json()["sale"], Value::Null);
        for amount in ["20.00", "15.00", "20.00"] {
            let expected = [(); 3].map(|()| money(amount));
            assert_eq!(prices(&shop, &customer, &product).await, expected);
            shop.still().await;
            shop.advance(2 * 3600 + 600).await;
        }
    });
}
