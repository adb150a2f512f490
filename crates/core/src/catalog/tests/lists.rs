//! Reading many products.

use serde_json::json;

use super::{Shop, faults, minute, shop, status_of, tea, tea_with, to};
use crate::aws::dynamo::Key;
use crate::catalog::{api, categories};
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
            status_of(api::get_product(&shop.catalogue, &shop.admins, request).await)
        };
        assert_eq!(read(request.clone()).await, 200, "{status}");
        let expected = if is_public { 200 } else { 404 };
        assert_eq!(read(request.of_customer()).await, expected, "{status}");
        let list = testing::request(minute(0), &json!({})).with_query("status", status);
        let expected = if is_public { 200 } else { 403 };
        let listed = shop.list(list.of_customer());
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

/// Returns a shop with teas of two categories, and their names by name.
async fn shop_with_teas() -> (Shop, [&'static str; 6]) {
    let shop = shop();
    let teas = [
        ("煎茶", "9.00", "green-tea"),
        ("assam", "12.00", "black-tea"),
        ("Zitrone", "100.00", "green-tea"),
        ("Äpfel", "12.00", "green-tea"),
        ("Darjeeling", "9.50", "black-tea"),
        ("ชา", "1.00", "green-tea"),
    ];
    for (number, (name, amount, category)) in (0..).zip(teas) {
        let price = json!({"amount": amount, "currency": "EUR"});
        let tea = json!({"name": name, "price": price, "category": category});
        shop.made(number, tea_with(tea)).await;
    }
    let hidden = json!({"name": "Birne", "status": "inactive"});
    shop.made(9, tea_with(hidden)).await;
    (
        shop,
        ["Äpfel", "assam", "Darjeeling", "Zitrone", "ชา", "煎茶"],
    )
}

#[tokio::test]
async fn a_list_is_sorted_by_name_or_by_price() {
    let (shop, by_name) = shop_with_teas().await;
    for limit in ["1", "2", "5", "6", "100"] {
        let listed = async |sort| {
            let pages = shop.names(&[("sort", sort), ("limit", limit)]).await;
            let size: usize = limit.parse().unwrap();
            let full = &pages[..pages.len() - 1];
            assert!(full.iter().all(|page| page.len() == size), "{pages:?}");
            pages.concat()
        };
        assert_eq!(listed("name").await, by_name, "{limit}");
        let mut lowest = listed("price").await;
        assert_eq!(lowest[..3], ["ชา", "煎茶", "Darjeeling"], "{limit}");
        assert_eq!(lowest[5], "Zitrone", "{limit}");
        lowest.reverse();
        assert_eq!(listed("-price").await, lowest, "{limit}");
    }
    let query = [("category", "green-tea"), ("sort", "name"), ("limit", "2")];
    let pages = shop.names(&query).await;
    assert_eq!(pages, [["Äpfel", "Zitrone"], ["ชา", "煎茶"]]);
    let query = [("category", "green-tea"), ("sort", "-price")];
    let pages = shop.names(&query).await;
    assert_eq!(pages, [["Zitrone", "Äpfel", "煎茶", "ชา"]]);
    let query = [("status", "inactive"), ("sort", "name")];
    assert_eq!(shop.names(&query).await, [["Birne"]]);
}

/// Puts the category `id` below `parent`.
async fn put_below(shop: &Shop, id: &str, parent: Option<&str>) {
    let body = json!({"name": id, "parent": parent});
    let request = testing::request(minute(0), &body).at("category", id);
    let put = categories::api::put_category(&shop.categories, request.with("if-match", "*"));
    put.await.unwrap();
}

#[tokio::test]
async fn a_category_lists_the_products_of_those_below_it() {
    let (shop, by_name) = shop_with_teas().await;
    for (id, parent) in [
        ("drinks", None),
        ("tea", Some("drinks")),
        ("green-tea", Some("tea")),
        ("coffee", Some("drinks")),
    ] {
        put_below(&shop, id, parent).await;
    }
    let listed = async |category, sort, limit| {
        let query = [("category", category), ("sort", sort), ("limit", limit)];
        shop.names(&query).await
    };
    let green = ["Äpfel", "Zitrone", "ชา", "煎茶"];
    assert_eq!(listed("drinks", "name", "3").await.concat(), green);
    // A branch that joins is listed with the rest, and nothing of its products is written.
    let before = shop.products_stored();
    put_below(&shop, "black-tea", Some("tea")).await;
    for limit in ["1", "2", "4", "100"] {
        assert_eq!(
            listed("drinks", "name", limit).await.concat(),
            by_name,
            "{limit}"
        );
        let newest = listed("tea", "newest", limit).await.concat();
        let expected = ["ชา", "Darjeeling", "Äpfel", "Zitrone", "assam", "煎茶"];
        assert_eq!(newest, expected, "{limit}");
    }
    assert_eq!(shop.products_stored(), before);
    assert_eq!(listed("coffee", "name", "3").await, [[""; 0]]);
    assert_eq!(listed("green-tea", "name", "100").await, [green]);
}

#[tokio::test]
async fn a_list_is_filtered_by_attributes_and_by_values_of_one_variant() {
    let shop = shop();
    let price = json!({"amount": "20.00", "currency": "EUR"});
    let variants = |values: &[(&str, &str)]| {
        let variants = values.iter().map(
            |(size, colour)| json!({"price": price, "options": {"size": size, "colour": colour}}),
        );
        variants.collect::<Vec<_>>()
    };
    let options = json!([
        {"name": "size", "values": ["S", "M"]}, {"name": "colour", "values": ["red", "blue"]},
    ]);
    for (name, fit, variants) in [
        ("a", "slim", variants(&[("S", "red"), ("M", "blue")])),
        ("b", "wide", variants(&[("M", "red")])),
        ("c", "slim", variants(&[("M", "red"), ("S", "blue")])),
    ] {
        let shirt = json!({
            "name": name, "category": "shirts", "attributes": {"fit": fit}, "options": options,
            "variants": variants,
        });
        shop.made(0, shirt).await;
    }
    for (query, expected) in [
        (&[("attributes[fit]", "slim")][..], &["a", "c"][..]),
        (&[("attributes[size]", "M")], &["a", "b", "c"]),
        (
            &[("attributes[size]", "M"), ("attributes[colour]", "red")],
            &["b", "c"],
        ),
        (
            &[
                ("attributes[size]", "M"),
                ("attributes[fit]", "slim"),
                ("attributes[colour]", "red"),
            ],
            &["c"],
        ),
        (&[("attributes[fit]", "Slim")], &[]),
        (&[("attributes[price]", "20.00")], &[]),
    ] {
        for category in [Some(("category", "shirts")), None] {
            let query: Vec<_> = query.iter().copied().chain(category).collect();
            let query = [&query[..], &[("sort", "name"), ("limit", "1")]].concat();
            assert_eq!(shop.names(&query).await.concat(), expected, "{query:?}");
        }
    }
}

/// However few products pass a filter, a page looks at 340 at most, and the next one goes on there.
#[tokio::test]
async fn a_page_of_a_filtered_list_is_bounded_and_nothing_is_left_out() {
    let shop = shop();
    for number in 0..800 {
        let fit = if [3, 700].contains(&number) {
            "rare"
        } else {
            "usual"
        };
        let tea = json!({"name": number.to_string(), "attributes": {"fit": fit}});
        shop.made(number, tea_with(tea)).await;
    }
    let pages = shop.names(&[("attributes[fit]", "rare")]).await;
    assert_eq!(pages, [vec!["700"], vec![], vec!["3"]]);
    let pages = shop
        .names(&[("attributes[fit]", "usual"), ("limit", "100")])
        .await;
    assert_eq!(pages.concat().len(), 798);
    assert!(pages[..7].iter().all(|page| page.len() == 100));
}

#[tokio::test]
async fn a_product_moves_in_the_lists_with_its_name_its_price_and_its_status() {
    let (shop, by_name) = shop_with_teas().await;
    let of = |name: &str| {
        let stored = shop.stored();
        let product = stored.iter().find(|item| item["name"] == name).unwrap();
        product["product_id"].clone()
    };
    let change = async |name, change| {
        let request = to(&of(name), change).with("if-match", "*");
        shop.update(request).await.unwrap();
    };
    let price = json!({"amount": "1000.00", "currency": "EUR"});
    change("assam", json!({"name": "Yunnan", "price": price})).await;
    let pages = shop.names(&[("sort", "-price")]).await;
    assert_eq!(pages[0][..2], ["Yunnan", "Zitrone"]);
    let expected = ["Äpfel", "Darjeeling", "Yunnan", "Zitrone", "ชา", "煎茶"];
    assert_eq!(shop.names(&[("sort", "name")]).await, [expected]);
    for name in by_name {
        let name = if name == "assam" { "Yunnan" } else { name };
        change(name, json!({"status": "inactive"})).await;
    }
    assert_eq!(shop.names(&[("sort", "name")]).await, [[""; 0]]);
    assert_eq!(shop.names(&[("category", "green-tea")]).await, [[""; 0]]);
}

/// Between the read of an index, which may lag, and that of the product, the product may be taken out of sale.
#[tokio::test]
async fn a_product_that_is_not_public_any_more_is_not_shown_by_an_index_that_lags() {
    let (shop, _) = shop_with_teas().await;
    let stored = shop.stored();
    let zitrone = stored
        .iter()
        .find(|item| item["name"] == "Zitrone")
        .unwrap();
    let key = Key::new("product_id", zitrone["product_id"].as_str().unwrap());
    // The product is inactive, and its key of the index is not.
    let write = shop.table.update(key, "SET #status = :status");
    let write = write.name("#status", "status");
    let write = write.value(":status", &"inactive").unwrap();
    shop.table.write(write).await.unwrap();
    let names = shop.names(&[("sort", "-price")]).await.concat();
    assert_eq!(names.len(), 5);
    assert!(!names.contains(&"Zitrone".to_owned()));
}

/// Products as earlier releases wrote them are in the lists by age, and in the others once they have their places.
#[tokio::test]
async fn products_of_earlier_releases_get_their_places() {
    let (shop, by_name) = shop_with_teas().await;
    let before = shop.products_stored();
    for item in &before {
        let key = Key::new("product_id", item["product_id"].as_str().unwrap());
        let forget = shop
            .table
            .update(key, "REMOVE name_position, price_position");
        shop.table.write(forget).await.unwrap();
    }
    assert_eq!(shop.names(&[("sort", "name")]).await, [[""; 0]]);
    let newest = ["Darjeeling", "assam"];
    assert_eq!(shop.names(&[("category", "black-tea")]).await, [newest]);
    let (mut after, mut placed) = (None, 0);
    loop {
        let piece = shop.products.place(after.as_deref(), 2).await.unwrap();
        placed += piece.products;
        after = piece.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(placed, 7);
    assert_eq!(shop.names(&[("sort", "name")]).await, [by_name]);
    assert_eq!(shop.products_stored(), before);
    let again = shop.products.place(None, 100).await.unwrap();
    assert_eq!(again.products, 0);
}

#[tokio::test]
async fn unknown_and_invalid_parameters_are_refused() {
    let shop = shop();
    for (name, value, code) in [
        ("query", "tea", "unknown_parameter"),
        ("sort", "cheapest", "invalid"),
        ("attributes", "red", "unknown_parameter"),
        ("attributes[]", "red", "unknown_parameter"),
        ("attributes[fit", "red", "unknown_parameter"),
        ("status", "sold", "invalid"),
        ("category", "Green Tea", "invalid"),
        ("limit", "0", "invalid"),
        ("cursor", "%", "invalid"),
    ] {
        let request = testing::request(minute(0), &json!({})).with_query(name, value);
        let outcome = shop.list(request).await;
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
