//! Products that are sold in variants, and what is told of them.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::money;
use crate::support::shop::{Shop, shared};
use crate::support::{run, until};

/// Returns a shirt in the sizes S and M, with SKUs of its own.
fn shirt() -> Value {
    let sku = unique("shirt");
    let variant = |size: &str, price| json!({"options": {"size": size}, "sku": format!("{sku}-{size}"), "price": money(price)});
    json!({
        "name": "T-shirt", "category": "shirts",
        "options": [{"name": "size", "values": ["S", "M"]}],
        "variants": [variant("S", "20.00"), variant("M", "22.00")],
    })
}

impl Shop {
    async fn create(&self, product: &Value) -> Answer {
        let admin = self.admin().await;
        let call = self.post("/products").bearer(&admin.token);
        call.key(&unique("product")).json(product).send().await
    }

    async fn patch_product(&self, product: &Value, patch: &Value) -> Answer {
        let admin = self.admin().await;
        let id = product["id"].as_str().unwrap();
        let call = self.patch(&format!("/products/{id}"));
        let call = call.bearer(&admin.token);
        call.header("if-match", "*").json(patch).send().await
    }

    /// Places the order, and returns it once it is confirmed.
    async fn confirmed(&self, customer: &Person, order: &Value) -> Value {
        let placed = self.place(customer, order).await.expect(202).json();
        let id = placed["id"].as_str().unwrap();
        self.until_status(customer, id, "confirmed").await
    }

    /// Creates the shirt, of which there are `small` and `medium`.
    async fn shirt(&self, small: u32, medium: u32) -> Value {
        let shirt = self.create(&shirt()).await.expect(201).json();
        for (at, on_hand) in [(0, small), (1, medium)] {
            let id = shirt["variants"][at]["id"].as_str().unwrap();
            self.set_stock(id, on_hand).await.expect(200);
            self.note_on_hand(id, on_hand.into());
        }
        shirt
    }
}

fn order(items: &Value) -> Value {
    let mut order = order_of(&[], "tok_ok");
    order["items"] = items.clone();
    order
}

#[test]
fn variants_are_priced_stocked_and_sold_on_their_own() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let shirt = shop.shirt(3, 5).await;
        let [small, medium] = [0, 1].map(|at| shirt["variants"][at]["id"].as_str().unwrap());
        let items = json!([
            {"variant_id": medium, "quantity": 2},
            {"product_id": shirt["id"], "variant_id": small, "quantity": 1},
        ]);
        let placed = shop.confirmed(&customer, &order(&items)).await;
        let lines = placed["items"].as_array().unwrap();
        let names = [&lines[0]["name"], &lines[1]["name"]];
        assert_eq!(names, ["T-shirt (M)", "T-shirt (S)"]);
        assert_eq!(lines[0]["unit_price"], money("22.00"));
        assert_eq!(lines[0]["sku"], shirt["variants"][1]["sku"]);
        assert_eq!(shop.stock(small).await, (3, 1, 2));
        assert_eq!(shop.stock(medium).await, (5, 2, 3));
        let alone = order(&json!([{"product_id": shirt["id"], "quantity": 1}]));
        let refused = shop.place(&customer, &alone).await.expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "/items/0/variant_id");
    });
}

#[test]
fn what_is_sold_out_in_one_size_is_sold_in_the_other() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let shirt = shop.shirt(0, 1).await;
        let one = |at: usize| {
            let variant = &shirt["variants"][at]["id"];
            order(&json!([{"variant_id": variant, "quantity": 1}]))
        };
        let refused = shop.place(&customer, &one(0)).await.expect(409).json();
        assert_eq!(
            refused["errors"][0]["detail"],
            "\"T-shirt (S)\" is sold out"
        );
        shop.confirmed(&customer, &one(1)).await;
    });
}

#[test]
fn the_stock_of_the_variants_is_shown() {
    run(async {
        let shop = shared().await;
        let shirt = shop.shirt(0, 100).await;
        let id = shirt["id"].as_str().unwrap();
        let shown = shop.until_shown(id, "in_stock").await;
        let availability = [0, 1].map(|at| shown["variants"][at]["availability"].clone());
        assert_eq!(availability, ["out_of_stock", "in_stock"]);
    });
}

#[test]
fn an_sku_belongs_to_one_variant() {
    run(async {
        let shop = shared().await;
        let shirt = shirt();
        let created = shop.create(&shirt).await.expect(201).json();
        let taken = shop.create(&shirt).await.expect(409).json();
        let detail = "/variants/0/sku: a variant of another product has this SKU";
        assert_eq!(taken["detail"], detail);
        let only = json!({"variants": [{"id": created["variants"][1]["id"]}]});
        let fewer = shop.patch_product(&created, &only).await.expect(200).json();
        assert_eq!(fewer["variants"].as_array().unwrap().len(), 1);
        // The other SKU is free now, but not this one.
        let detail = "/variants/1/sku: a variant of another product has this SKU";
        let taken = shop.create(&shirt).await.expect(409).json();
        assert_eq!(taken["detail"], detail);
    });
}

#[test]
fn a_product_can_get_options_later() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let tea = shop.product("20.00", 5).await;
        let read = shop.get(&format!("/products/{tea}")).send().await;
        let read = read.expect(200).json();
        assert_eq!(read["variants"][0]["id"], tea);
        let patch = json!({
            "options": [{"name": "size", "values": ["100 g", "500 g"]}],
            "variants": [
                {"id": tea, "options": {"size": "100 g"}},
                {"options": {"size": "500 g"}, "price": money("80.00")},
            ],
        });
        let changed = shop.patch_product(&read, &patch).await.expect(200).json();
        assert_eq!(changed["price"], money("20.00"));
        // The stock of the product is that of the variant that kept its identifier.
        let items = json!([{"variant_id": tea, "quantity": 2}]);
        let placed = shop.confirmed(&customer, &order(&items)).await;
        assert_eq!(
            placed["items"][0]["name"],
            format!("{} (100 g)", read["name"].as_str().unwrap())
        );
        assert_eq!(shop.stock(&tea).await, (5, 2, 3));
        let large = changed["variants"][1]["id"].as_str().unwrap();
        assert_eq!(shop.set_stock(large, 1).await.status, 200);
    });
}

#[test]
fn orders_and_their_mails_name_products_in_the_language_of_the_shopper() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let patch = shop.patch("/customers/me").bearer(&customer.token);
        let patch = patch
            .header("if-match", "*")
            .json(&json!({"locale": "de-AT"}));
        patch.send().await.expect(200);
        let product = json!({
            "name": "Teapot", "category": "pots", "price": money("20.00"),
            "translations": {"de": {"name": "Teekanne"}, "zh": {"name": "茶壶"}},
        });
        let pot = shop.create(&product).await.expect(201).json();
        let id = pot["id"].as_str().unwrap();
        shop.set_stock(id, 5).await.expect(200);
        shop.note_on_hand(id, 5);
        let items = json!([{"product_id": id, "quantity": 1}]);
        let placed = shop.confirmed(&customer, &order(&items)).await;
        assert_eq!(placed["items"][0]["name"], "Teekanne");
        let number = placed["number"].as_str().unwrap();
        crate::support::until("the mail is sent", async || {
            let mails = shop.mail().await.into_iter();
            let mut texts = mails.filter_map(|mail| mail["text"].as_str().map(str::to_owned));
            let found = texts.find(|text| text.contains(number));
            let text = found.ok_or_else(|| format!("no mail about {number}"))?;
            assert!(
                text.contains("Teekanne") && !text.contains("Teapot"),
                "{text}"
            );
            Ok(())
        })
        .await;
        let guest = json!({
            "items": items, "shipping_address": {"country": "CN"}, "locale": "zh-Hans-CN",
        });
        let quote = shop.post("/guest/quotes").json(&guest).send().await;
        assert_eq!(quote.expect(200).json()["items"][0]["name"], "茶壶");
    });
}

#[test]
fn products_are_looked_up_by_identifiers_and_skus() {
    run(async {
        let shop = shared().await;
        let sku = format!("{} & 50 %", unique("煎茶"));
        let tea = json!({"name": "Sencha", "category": "tea", "sku": sku, "price": money("9.00")});
        let tea = shop.create(&tea).await.expect(201).json();
        let shirt = shop.create(&shirt()).await.expect(201).json();
        let hidden = json!({"name": "Kite", "category": "kites", "status": "inactive", "price": money("9.00")});
        let hidden = shop.create(&hidden).await.expect(201).json();
        let admin = shop.admin().await;
        let id = |value: &Value| value.as_str().unwrap().to_owned();
        let [medium, hidden] = [&shirt["variants"][1]["id"], &hidden["id"]].map(id);
        let nobody = unique("nobody");
        let names = [
            &hidden,
            &medium,
            &nobody,
            &sku.replace('%', "%25").replace('&', "%26"),
            &id(&shirt["id"]),
        ];
        let path = format!("/products?ids={}", names.map(String::as_str).join(","));
        let found = until("the products are found", async || {
            let found = shop.get(&path).send().await.expect(200).json();
            match found["items"].as_array().unwrap().len() {
                2 => Ok(found),
                other => Err(other.to_string()),
            }
        });
        let found = found.await;
        assert_eq!(found["items"][0]["id"], shirt["id"]);
        assert_eq!(found["items"][1]["id"], tea["id"]);
        assert_eq!(found["not_found"], json!([hidden, nobody]));
        assert_eq!(found["next_cursor"], Value::Null);
        let seen = shop.get(&path).bearer(&admin.token).send().await;
        let seen = seen.expect(200).json();
        assert_eq!(seen["items"][0]["id"], hidden);
        assert_eq!(seen["not_found"], json!([nobody]));
        let mixed = shop.get(&format!("{path}&status=active")).send().await;
        let faults = &mixed.expect(400).json()["errors"];
        assert_eq!(faults[0]["pointer"], "?status");
        assert_eq!(faults[0]["code"], "not_with_ids");
    });
}

#[test]
fn a_product_is_found_by_its_slug_in_any_script() {
    run(async {
        let shop = shared().await;
        let slug = unique("煎茶");
        let product = json!({
            "name": "Sencha", "category": "tea", "price": money("20.00"), "slug": slug, "brand": "Uji",
            "translations": {"de": {"name": "Grüner Tee"}},
        });
        let made = shop.create(&product).await.expect(201).json();
        let read = async |path: &str| shop.get(path).send().await.expect(200).json();
        let found = read(&format!("/products/{slug}?locale=de-AT")).await;
        assert_eq!(
            (&found["id"], &found["name"]),
            (&made["id"], &json!("Grüner Tee"))
        );
        let renamed = json!({"slug": format!("{slug}-uji")});
        shop.patch_product(&made, &renamed).await.expect(200);
        let old = shop.get(&format!("/products/{slug}?locale=de-AT")).send();
        let old = old.await.expect(301);
        let found = read(old.header("location").unwrap()).await;
        assert_eq!(found["slug"], renamed["slug"]);
        assert_eq!(found["name"], "Grüner Tee");
        let taken = shop.create(&product).await.expect(409).json();
        assert_eq!(
            taken["detail"],
            "/slug: another product has this slug, or had it"
        );
    });
}
