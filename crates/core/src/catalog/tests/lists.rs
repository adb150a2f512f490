//! Reading many products.

use serde_json::json;

use super::{faults, minute, shop, status_of, tea, tea_with, to};
use crate::catalog::api;
use crate::testing;
use crate::values::id::ProductId;

#[tokio::test]
async fn a_list_has_the_active_products_newest_first_page_by_page() {
    let shop = shop();
    for number in 0..24 {
        let status = if number == 3 { "inactive" } else { "active" };
        let body = json!({"name": number.to_string(), "status": status});
        shop.made(number, tea_with(body)).await;
    }
    let active = (0..24).rev().filter(|number| *number != 3);
    let names: Vec<String> = active.map(|number| number.to_string()).collect();
    let pages = shop.names(&[("limit", "4")]).await;
    let expected: Vec<&[String]> = names.chunks(4).collect();
    assert_eq!(pages, expected);
    let one_page = shop.names(&[("limit", "23")]).await;
    assert_eq!(one_page, [names]);
    assert_eq!(shop.names(&[("status", "inactive")]).await, [["3"]]);
}

#[tokio::test]
async fn only_admins_see_what_is_not_public() {
    let shop = shop();
    for status in ["active", "out_of_stock", "inactive"] {
        let made = shop.made(1, tea_with(json!({"status": status}))).await;
        let is_public = status != "inactive";
        let request = to(&made["id"], json!({}));
        let read = async |request| {
            status_of(api::get_product(&shop.products, &shop.admins, request).await)
        };
        assert_eq!(read(request.clone()).await, 200, "{status}");
        let expected = if is_public { 200 } else { 404 };
        assert_eq!(read(request.of_customer()).await, expected, "{status}");
        let list = testing::request(minute(0), &json!({})).with_query("status", status);
        let expected = if is_public { 200 } else { 403 };
        let listed = api::list_products(&shop.products, &shop.admins, list.of_customer());
        assert_eq!(status_of(listed.await), expected, "{status}");
    }
}

#[tokio::test]
async fn a_category_lists_its_products_of_one_status() {
    let shop = shop();
    for number in 0..12 {
        let category = if number % 2 == 0 { "green-tea" } else { "cups" };
        let status = if number < 8 { "out_of_stock" } else { "active" };
        let body = json!({"name": number.to_string(), "category": category, "status": status});
        shop.made(number, tea_with(body)).await;
    }
    let pages = shop.names(&[("category", "cups")]).await;
    assert_eq!(pages, [["11", "9"]]);
    let query = [
        ("category", "cups"),
        ("status", "out_of_stock"),
        ("limit", "3"),
    ];
    let pages = shop.names(&query).await;
    assert_eq!(pages, [vec!["7", "5", "3"], vec!["1"]]);
    assert_eq!(shop.names(&[("category", "none")]).await, [[""; 0]]);
}

#[tokio::test]
async fn unknown_and_invalid_parameters_are_refused() {
    let shop = shop();
    for (name, value, code) in [
        ("q", "tea", "unknown_parameter"),
        ("sort", "price", "unknown_parameter"),
        ("status", "sold", "invalid"),
        ("category", "Green Tea", "invalid"),
        ("limit", "0", "invalid"),
        ("cursor", "%", "invalid"),
    ] {
        let request = testing::request(minute(0), &json!({})).with_query(name, value);
        let outcome = api::list_products(&shop.products, &shop.admins, request).await;
        assert_eq!(faults(outcome), [format!("?{name} {code}")]);
    }
}

#[tokio::test]
async fn products_are_read_together_each_once() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let unknown = ProductId::derived(&["unknown"]);
    let found = shop.products.get_many([id, unknown, id]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].name.as_str()), (id, "Sencha"));
}
