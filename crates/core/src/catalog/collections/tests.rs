//! Collections by hand and by rule, against an embedded DynamoDB.

mod law;

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::build::{Builder, build_collections};
use super::entries::EntryStore;
use super::follow::follow_collections;
use super::rules;
use super::store::CollectionStore;
use crate::aws::settings::Setting;
use crate::catalog::api as products_api;
use crate::catalog::cache::catalogue::PublicCatalogue;
use crate::catalog::chosen::Chosen;
use crate::catalog::collections::api;
use crate::catalog::search::index::SearchIndex;
use crate::catalog::store::ProductStore;
use crate::customers::authorizer::Admins;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::testing::{self, Engine};
use crate::values::clock::Time;
use crate::values::money::Currency;
use crate::values::stream::StreamBatch;

struct Shop {
    builder: Builder,
    catalogue: PublicCatalogue,
    chosen: Chosen,
    search: SearchIndex,
    admins: Admins,
    engine: Engine,
}

type Outcome = Result<Response, Problem>;

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    let collections = CollectionStore::new(&aws).unwrap();
    let entries = EntryStore::new(&aws).unwrap();
    Shop {
        search: SearchIndex::new(&aws).unwrap(),
        catalogue: PublicCatalogue::new(&aws).unwrap(),
        chosen: Chosen {
            collections: collections.clone(),
            entries: entries.clone(),
        },
        builder: Builder {
            collections,
            entries,
            products: ProductStore::new(&aws).unwrap(),
            currency: euro(),
        },
        admins: Admins::new(&aws),
        engine,
    }
}

fn request(body: &Value) -> Request {
    testing::request(Time::from_millis(1_750_000_000_000), body)
}

fn to(collection: &str, body: Value) -> Request {
    request(&body).at("collection", collection)
}

fn cheap() -> Value {
    json!({"name": "Cheap", "rule": "product.price < money(\"10.00\")", "sort": "price"})
}

fn price(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Returns the status, and of a refusal the places and the codes.
fn outcome(outcome: Outcome) -> (u16, String) {
    match outcome {
        Ok(response) => (response.status.as_u16(), String::new()),
        Err(problem) => {
            let status = problem.status().as_u16();
            let (Problem::InvalidBody(faults) | Problem::InvalidParameters(faults)) = problem
            else {
                return (status, String::new());
            };
            let faults = faults.iter();
            let faults = faults.map(|fault| format!("{} {}", fault.pointer, fault.code));
            (status, faults.collect::<Vec<_>>().join(", "))
        }
    }
}

impl Shop {
    /// Creates a product called `name`, and returns its identifier.
    async fn product(&self, name: &str, amount: &str) -> String {
        let product = json!({"name": name, "category": "tea", "price": price(amount)});
        let created =
            products_api::create_product(&self.builder.products, euro(), request(&product));
        let created = json_of(&created.await.unwrap());
        created["id"].as_str().unwrap().to_owned()
    }

    async fn change(&self, id: &str, patch: Value) {
        let request = request(&patch).at("product_id", id).with("if-match", "*");
        let changed = products_api::update_product(&self.builder.products, euro(), request);
        changed.await.unwrap();
    }

    async fn put(&self, request: Request) -> Outcome {
        let Builder {
            collections,
            products,
            ..
        } = &self.builder;
        api::put_collection(collections, products, euro(), request).await
    }

    /// Puts the collection `id`, whatever it was before.
    async fn set(&self, id: &str, body: Value) -> Outcome {
        self.put(to(id, body).with("if-match", "*")).await
    }

    /// Puts the collection `id` just before the next transaction of somebody else.
    fn set_meanwhile(&self, id: &'static str, body: Value) {
        let Builder {
            collections,
            products,
            ..
        } = self.builder.clone();
        self.engine
            .before_next("TransactWriteItems", async move || {
                let request = to(id, body).with("if-match", "*");
                let put = api::put_collection(&collections, &products, euro(), request);
                put.await.unwrap();
            });
    }

    /// Runs the function of the schedule.
    async fn build(&self) {
        build_collections(&self.builder, IgnoredAny).await.unwrap();
    }

    /// Returns the items of products, by their identifiers.
    fn products(&self) -> BTreeMap<String, Value> {
        let items = self.engine.items(Setting::ProductsTable).into_iter();
        let items = items.filter(|item| item["status"].is_string());
        items
            .map(|item| (item["product_id"].as_str().unwrap().to_owned(), item))
            .collect()
    }

    /// Delivers what has changed since `before` as the stream does.
    async fn follow(&self, before: &BTreeMap<String, Value>) {
        self.deliver(&[before.clone(), self.products()]).await;
    }

    /// Delivers, in one batch, what changed from each of these states of the table to the next.
    async fn deliver(&self, states: &[BTreeMap<String, Value>]) {
        let image = |item: &Value| -> serde_dynamo::Item { serde_dynamo::to_item(item).unwrap() };
        let mut records: Vec<Value> = Vec::new();
        for pair in states.windows(2) {
            let changed = pair[1].iter();
            for (id, item) in changed.filter(|(id, item)| pair[0].get(*id) != Some(*item)) {
                let mut change = json!({
                    "SequenceNumber": records.len().to_string(),
                    "Keys": {"product_id": {"S": id}},
                    "NewImage": image(item),
                });
                if let Some(before) = pair[0].get(id) {
                    change["OldImage"] = json!(image(before));
                }
                records.push(json!({"eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/T/stream/1", "dynamodb": change}));
            }
        }
        let batch: StreamBatch = serde_json::from_value(json!({"Records": records})).unwrap();
        let Builder {
            collections,
            entries,
            ..
        } = &self.builder;
        let followed = follow_collections(collections, entries, euro(), batch).await;
        let followed = serde_json::to_value(followed.unwrap()).unwrap();
        assert_eq!(followed, json!({"batchItemFailures": []}));
    }

    async fn list(&self, query: &[(&str, &str)]) -> Outcome {
        let list = query
            .iter()
            .fold(request(&json!({})), |request, (name, value)| {
                request.with_query(name, value)
            });
        let Self {
            catalogue,
            chosen,
            search,
            admins,
            ..
        } = self;
        products_api::list_products(catalogue, chosen, search, admins, list).await
    }

    /// Returns the names of the products in the list with `query`, of all pages.
    async fn names(&self, query: &[(&str, &str)]) -> Vec<String> {
        let mut names = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let after = cursor.as_deref().map(|cursor| ("cursor", cursor));
            let query: Vec<_> = query.iter().copied().chain(after).collect();
            let page = json_of(&self.list(&query).await.unwrap());
            let items = page["items"].as_array().unwrap().iter();
            names.extend(items.map(|item| item["name"].as_str().unwrap().to_owned()));
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return names;
            }
        }
    }

    fn entries(&self) -> usize {
        self.engine.items(Setting::CollectionsTable).len()
    }
}

#[tokio::test]
async fn a_collection_by_hand_has_its_products_in_their_order() {
    let shop = shop();
    let mut ids = Vec::new();
    for name in ["b", "a", "d", "c"] {
        ids.push(shop.product(name, "9.00").await);
    }
    let body = |ids: &[String]| json!({"name": "Gifts", "translations": {"de": {"name": "Geschenke"}}, "products": ids});
    let created = shop.put(to("gifts", body(&ids))).await.unwrap();
    assert_eq!(created.status.as_u16(), 201);
    for limit in ["1", "2", "3", "4", "5"] {
        let names = shop
            .names(&[("collection", "gifts"), ("limit", limit)])
            .await;
        assert_eq!(names, ["b", "a", "d", "c"], "{limit}");
    }
    // What is not for sale is not shown, and has its place again when it is.
    shop.change(&ids[1], json!({"status": "inactive"})).await;
    assert_eq!(
        shop.names(&[("collection", "gifts")]).await,
        ["b", "d", "c"]
    );
    // Between two pages, the product that ended the first one is taken out.
    let first = shop.list(&[("collection", "gifts"), ("limit", "2")]).await;
    let first = json_of(&first.unwrap());
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    let less = [ids[0].clone(), ids[1].clone(), ids[3].clone()];
    assert_eq!(outcome(shop.set("gifts", body(&less)).await).0, 200);
    let query = [
        ("collection", "gifts"),
        ("limit", "2"),
        ("cursor", &*cursor),
    ];
    assert_eq!(shop.names(&query).await, ["c"]);
    let read = api::get_collection(&shop.builder.collections, to("gifts", json!({})));
    let read = json_of(&read.await.unwrap());
    assert_eq!(
        (&read["products"], &read["rule"]),
        (&json!(less), &Value::Null)
    );
    // The same again, whose response was lost: it changes nothing.
    let again = to("gifts", body(&less)).with("if-match", "\"1\"");
    let again = shop.put(again).await.unwrap();
    assert!(again.headers.contains(&("ETag", "\"2\"".to_owned())));
    let other = to("gifts", body(&ids)).with("if-match", "\"1\"");
    assert_eq!(outcome(shop.put(other).await).0, 412);
    let list = request(&json!({})).with_query("locale", "de-CH");
    let list = api::list_collections(&shop.builder.collections, list).await;
    let list = json_of(&list.unwrap());
    assert_eq!(list["items"][0]["name"], "Geschenke");
    assert_eq!(list["items"][0].get("products"), None);
}

#[tokio::test]
async fn a_collection_by_rule_has_the_products_for_which_it_holds() {
    let shop = shop();
    for (name, amount) in [
        ("b", "9.99"),
        ("a", "5.00"),
        ("dear", "10.00"),
        ("c", "1.00"),
    ] {
        shop.product(name, amount).await;
    }
    let created = shop.put(to("cheap", cheap())).await.unwrap();
    assert_eq!(json_of(&created)["complete"], false);
    let list = [("collection", "cheap"), ("limit", "2")];
    assert_eq!(shop.names(&list).await, [""; 0]);
    shop.build().await;
    assert_eq!(shop.names(&list).await, ["c", "a", "b"]);
    let by_name = [("collection", "cheap"), ("sort", "name"), ("limit", "2")];
    assert_eq!(shop.names(&by_name).await, ["a", "b", "c"]);
    let read = api::get_collection(&shop.builder.collections, to("cheap", json!({})));
    assert_eq!(json_of(&read.await.unwrap())["complete"], true);
    // A new product, one that gets dearer, one that moves, and one that is taken out of sale.
    let before = shop.products();
    shop.product("e", "2.00").await;
    let of = |name: &str| {
        let (id, _) = before
            .iter()
            .find(|(_, item)| item["name"] == name)
            .unwrap();
        id.clone()
    };
    shop.change(&of("c"), json!({"price": price("11.00")}))
        .await;
    shop.change(&of("a"), json!({"price": price("9.00"), "name": "z"}))
        .await;
    shop.change(&of("b"), json!({"status": "inactive"})).await;
    shop.follow(&before).await;
    assert_eq!(shop.names(&list).await, ["e", "z"]);
    assert_eq!(shop.names(&by_name).await, ["e", "z"]);
    assert_eq!(shop.entries(), 2);
}

#[tokio::test]
async fn a_new_rule_is_shown_once_it_is_complete_and_the_old_entries_go() {
    let shop = shop();
    shop.product("a", "5.00").await;
    shop.product("dear", "15.00").await;
    shop.set("some", cheap()).await.unwrap();
    shop.build().await;
    let dear = json!({"name": "Dear", "rule": "product.price >= money(\"10.00\")"});
    shop.set("some", dear.clone()).await.unwrap();
    assert_eq!(shop.names(&[("collection", "some")]).await, ["a"]);
    shop.build().await;
    assert_eq!(shop.names(&[("collection", "some")]).await, ["dear"]);
    assert_eq!(shop.entries(), 1);
    // A change that leaves the rule makes no new set.
    let renamed = json!({"name": "Luxury", "rule": dear["rule"]});
    let renamed = shop.set("some", renamed).await.unwrap();
    assert_eq!(json_of(&renamed)["complete"], true);
    let gone = to("some", json!({})).with("if-match", "*");
    let gone = api::remove_collection(&shop.builder.collections, gone).await;
    assert_eq!(outcome(gone).0, 204);
    assert_eq!(outcome(shop.list(&[("collection", "some")]).await).0, 404);
    shop.build().await;
    assert_eq!(shop.entries(), 0);
    let left = shop.builder.collections.get().await.unwrap().left;
    assert!(left.is_empty(), "{left:?}");
}

/// The function reads a product, and before it writes the entry, the product gets dearer.
#[tokio::test]
async fn a_product_that_changes_while_a_set_is_made_is_left_to_the_stream() {
    let shop = shop();
    let id = shop.product("a", "5.00").await;
    shop.set("cheap", cheap()).await.unwrap();
    let before = shop.products();
    let (products, dear) = (
        shop.builder.products.clone(),
        json!({"price": price("50.00")}),
    );
    shop.engine
        .before_next("TransactWriteItems", async move || {
            let request = request(&dear).at("product_id", &id).with("if-match", "*");
            products_api::update_product(&products, euro(), request)
                .await
                .unwrap();
        });
    shop.build().await;
    assert_eq!(shop.entries(), 0);
    shop.follow(&before).await;
    assert_eq!(shop.entries(), 0);
    assert_eq!(shop.names(&[("collection", "cheap")]).await, [""; 0]);
}

#[tokio::test]
async fn a_rule_that_changes_while_its_set_is_made_leaves_no_entries() {
    let shop = shop();
    for (name, amount) in [("Bancha", "9.00"), ("Gyokuro", "90.00"), ("Assam", "8.00")] {
        shop.product(name, amount).await;
    }
    shop.set("tea", cheap()).await.unwrap();
    let dear = json!({"name": "Dear", "rule": "product.price > money(\"10.00\")"});
    shop.set_meanwhile("tea", dear);
    shop.build().await;
    assert_eq!(shop.names(&[("collection", "tea")]).await, ["Gyokuro"]);
    assert_eq!(shop.entries(), 1);
}

#[tokio::test]
async fn a_set_of_a_rule_that_has_been_replaced_is_not_shown() {
    let shop = shop();
    shop.set("tea", cheap()).await.unwrap();
    let collections = shop.builder.collections.get().await.unwrap();
    let id = "tea".parse().unwrap();
    let set = collections.version;
    assert!(rules::advanced(&collections, &id, set, None).is_some());
    assert_eq!(rules::advanced(&collections, &id, set + 1, None), None);
}

#[tokio::test]
async fn of_two_collections_at_once_both_are_there() {
    let shop = shop();
    shop.set("first", cheap()).await.unwrap();
    shop.set_meanwhile("second", cheap());
    shop.set("third", cheap()).await.unwrap();
    let stored = shop.engine.items(Setting::ProductsTable);
    let stored = stored
        .iter()
        .find(|item| item["product_id"] == "collections");
    let names = stored.unwrap()["collections"].as_object().unwrap().keys();
    assert_eq!(names.collect::<Vec<_>>(), ["first", "second", "third"]);
}

#[tokio::test]
async fn what_is_not_a_collection_is_refused() {
    let shop = shop();
    let id = shop.product("a", "5.00").await;
    let unknown = "0195a1c2-7d41-7d52-8b17-51c0f4f2ab02";
    for (body, expected) in [
        (json!({"name": "a"}), "/products required"),
        (json!({"products": []}), "/name required"),
        (
            json!({"name": "a", "products": [id, unknown]}),
            "/products/1 unknown",
        ),
        (
            json!({"name": "a", "products": [id, id]}),
            "/products/1 repeated",
        ),
        (
            json!({"name": "a", "products": ["x"]}),
            "/products/0 invalid",
        ),
        (
            json!({"name": "a", "products": [], "sort": "name"}),
            "/sort either",
        ),
        (
            json!({"name": "a", "products": [], "rule": "product.shipped"}),
            "/products either",
        ),
        (
            json!({"name": "a", "rule": "product.stock > 1"}),
            "/rule invalid",
        ),
        (
            json!({"name": "a", "rule": "order.total > money(\"1.00\")"}),
            "/rule invalid",
        ),
        (
            json!({"name": "a", "rule": "product.shipped", "sort": "dear"}),
            "/sort invalid",
        ),
    ] {
        let refused = outcome(shop.put(to("gifts", body.clone())).await);
        assert_eq!(refused, (422, expected.to_owned()), "{body}");
    }
    shop.put(to("hand", json!({"name": "a", "products": [id]})))
        .await
        .unwrap();
    assert_eq!(outcome(shop.put(to("hand", cheap())).await).0, 428);
    let stale = to("hand", cheap()).with("if-match", "\"9\"");
    assert_eq!(outcome(shop.put(stale).await).0, 412);
    for (query, expected) in [
        (
            &[("collection", "hand"), ("category", "tea")][..],
            "?collection invalid",
        ),
        (&[("collection", "hand"), ("sort", "name")], "?sort invalid"),
        (
            &[("collection", "hand"), ("status", "out_of_stock")],
            "?status invalid",
        ),
    ] {
        let refused = outcome(shop.list(query).await);
        assert_eq!(refused, (400, expected.to_owned()), "{query:?}");
    }
    let customer = to("hand", cheap()).of_customer().with("if-match", "*");
    assert_eq!(outcome(shop.put(customer).await).0, 403);
}
