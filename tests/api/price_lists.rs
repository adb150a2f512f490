//! Tests of price lists as shoppers meet them: a quote and an order have the prices of the lists that are for them.

use serde_json::{Value, json};

use crate::support::people::{Person, order_of};
use crate::support::prices::{money, written};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

/// Replaces the price lists.
async fn put_lists(shop: &Shop, lists: Value) {
    let admin = shop.admin().await;
    let put = shop.put("/price-lists").bearer(&admin.token);
    let put = put.header("if-match", "*").json(&json!({ "items": lists }));
    put.send().await.expect(200);
}

/// Sets the prices of a product, which has one variant, in a list: each from a quantity on.
async fn set_prices(shop: &Shop, list: &str, product: &str, prices: &[(u32, &str)]) {
    let prices = prices
        .iter()
        .map(|(min_quantity, price)| json!({"min_quantity": min_quantity, "price": money(price)}));
    let admin = shop.admin().await;
    let path = format!("/price-lists/{list}/prices/{product}");
    let put = shop.put(&path).bearer(&admin.token);
    let put = put.json(&json!({"prices": prices.collect::<Vec<_>>()}));
    put.send().await.expect(200);
}

/// Puts a customer into a group, or out of it.
async fn put_into(shop: &Shop, person: &Person, group: Value) {
    let admin = shop.admin().await;
    let put = shop.put(&format!("/customers/{}/group", person.id));
    let put = put.bearer(&admin.token).header("if-match", "*");
    put.json(&json!({ "group": group }))
        .send()
        .await
        .expect(200);
}

/// Returns the price of a piece and the list that gave it, of an order or quote.
fn priced(body: &Value) -> String {
    let line = &body["items"][0];
    format!("{} {}", written(&line["unit_price"]), line["price_list"])
}

/// Quotes so many pieces of a product for a customer, to a country.
async fn quoted(shop: &Shop, person: &Person, product: &str, quantity: u32, to: &str) -> String {
    let mut body = order_of(&[(product, quantity)], "tok_ok");
    body.as_object_mut().unwrap().remove("payment");
    body["shipping_address"] = json!({"country": to});
    let quote = shop.post("/quotes").bearer(&person.token).json(&body);
    priced(&quote.send().await.expect(200).json())
}

#[test]
fn customers_have_the_prices_of_their_group_their_country_and_their_quantity() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("12.90", 500).await;
        let customer = shop.customer().await;
        let group = json!({"id": "trade", "name": "Trade", "customer_group": "trade"});
        let country = json!({"id": "alps", "name": "Alps", "countries": ["AT", "CH"]});
        put_lists(&shop, json!([group, country])).await;
        set_prices(&shop, "trade", &product, &[(1, "9.90"), (100, "7.90")]).await;
        set_prices(&shop, "alps", &product, &[(1, "13.90")]).await;
        let at = async |quantity, to| quoted(&shop, &customer, &product, quantity, to).await;
        assert_eq!(at(1, "DE").await, "12.90 null");
        assert_eq!(at(1, "AT").await, "13.90 \"alps\"");
        put_into(&shop, &customer, json!("trade")).await;
        assert_eq!(
            at(99, "AT").await,
            "9.90 \"trade\"",
            "the group's list stands first"
        );
        assert_eq!(at(100, "AT").await, "7.90 \"trade\"");
        put_into(&shop, &customer, Value::Null).await;
        assert_eq!(at(100, "DE").await, "12.90 null");
    });
}

#[test]
fn an_order_is_paid_and_shown_at_the_price_of_its_list() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("12.90", 50).await;
        let customer = shop.customer().await;
        put_lists(&shop, json!([{"id": "all", "name": "All"}])).await;
        set_prices(&shop, "all", &product, &[(2, "10.00")]).await;
        let body = order_of(&[(&product, 3)], "tok_ok");
        let place = shop
            .post("/orders")
            .bearer(&customer.token)
            .key("the-order");
        let placed = place.json(&body).send().await.expect(202).json();
        assert_eq!(priced(&placed), "10.00 \"all\"");
        let id = placed["id"].as_str().unwrap();
        shop.until_settled(id).await;
        set_prices(&shop, "all", &product, &[]).await;
        let get = shop.get(&format!("/orders/{id}")).bearer(&customer.token);
        let shown = get.send().await.expect(200).json();
        assert_eq!(priced(&shown), "10.00 \"all\"");
        assert_eq!(written(&shown["total_amount"]), "30.00");
        assert_eq!(shown["status"], "confirmed");
        let payments = shop.get(&format!("/orders/{id}/payments"));
        let payments = payments.bearer(&customer.token).send().await;
        let payments = payments.expect(200).json();
        assert_eq!(written(&payments["items"][0]["captured"]), "30.00");
    });
}
