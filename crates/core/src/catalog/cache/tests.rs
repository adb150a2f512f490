//! What anyone reads of the catalogue, with a cache, against an embedded DynamoDB.

mod law;
mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::catalogue::PublicCatalogue;
use super::changes::{ChangeLog, MOST_TAGS};
use super::local::{Asked, Kept, Limits, LocalCache, Wanted};
use super::tag::Tag;
use crate::aws::Aws;
use crate::aws::dynamo::{Key, Table};
use crate::aws::settings::Setting;
use crate::catalog::api;
use crate::catalog::categories;
use crate::catalog::categories::store::CategoryStore;
use crate::catalog::collections::entries::EntryStore;
use crate::catalog::collections::store::CollectionStore;
use crate::catalog::filter::Filter;
use crate::catalog::follow::follow_products;
use crate::catalog::model::{Product, Status};
use crate::catalog::sort::Sort;
use crate::catalog::store::ProductStore;
use crate::catalog::store::lists::{List, Of};
use crate::http::page::PageRequest;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;
use crate::values::id::ProductId;
use crate::values::stream::StreamBatch;

const LIMITS: Limits = Limits {
    product: Duration::from_mins(30),
    category: Duration::from_mins(15),
    check: Duration::from_secs(1),
    bytes: 32 * 1024 * 1024,
};

/// A catalogue, and one process that keeps what it reads of it.
struct Shop {
    aws: Aws,
    engine: Engine,
    process: PublicCatalogue,
    products: ProductStore,
    seen: BTreeMap<String, Value>,
}

fn second(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 1000)
}

/// A stranger at `second(number)`.
fn at(number: i64) -> Asked {
    Asked {
        now: second(number),
        from_table: false,
        patience: Arc::default(),
    }
}

fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    Shop {
        process: PublicCatalogue::with(&aws, LIMITS, None).unwrap(),
        products: ProductStore::new(&aws).unwrap(),
        aws,
        engine,
        seen: BTreeMap::new(),
    }
}

impl Shop {
    /// Creates a product called `name` in `category` at `second(0)`.
    async fn create(&self, name: &str, category: &str) -> ProductId {
        let body = json!({
            "name": name, "category": category, "slug": name.to_lowercase(),
            "price": {"amount": "12.50", "currency": "EUR"},
        });
        let request = testing::request(second(0), &body);
        let made = api::create_product(&self.products, "EUR".parse().unwrap(), request);
        let made: Value = serde_json::from_slice(&made.await.unwrap().body).unwrap();
        made["id"].as_str().unwrap().parse().unwrap()
    }

    /// Changes the product `id` at `second(0)`, as if nobody had touched it for long.
    async fn change(&self, id: ProductId, change: Value) {
        let request = testing::request(second(0), &change).at("product_id", id);
        let request = request.with("if-match", "*");
        let changed = api::update_product(&self.products, "EUR".parse().unwrap(), request);
        changed.await.unwrap();
    }

    /// Delivers what has changed since the last time as the stream does.
    async fn deliver(&mut self) {
        let image = |item: &Value| -> serde_dynamo::Item { serde_dynamo::to_item(item).unwrap() };
        let items = self.engine.items(Setting::ProductsTable).into_iter();
        let items =
            items.filter(|item| item["status"].is_string() || item["categories"].is_object());
        let items = items.map(|item| (item["product_id"].as_str().unwrap().to_owned(), item));
        let now: BTreeMap<String, Value> = items.collect();
        let changed = now
            .iter()
            .filter(|(id, item)| self.seen.get(*id) != Some(*item));
        let records = changed.map(|(id, item)| {
            let mut change = json!({
                "SequenceNumber": "7", "Keys": {"product_id": {"S": id}}, "NewImage": image(item),
            });
            if let Some(before) = self.seen.get(id) {
                change["OldImage"] = json!(image(before));
            }
            json!({"eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/T/stream/1", "dynamodb": change})
        });
        let batch = json!({"Records": records.collect::<Vec<_>>()});
        let batch: StreamBatch = serde_json::from_value(batch).unwrap();
        let log = ChangeLog::new(&self.aws).unwrap();
        let collections = CollectionStore::new(&self.aws).unwrap();
        let entries = EntryStore::new(&self.aws).unwrap();
        let currency = "EUR".parse().unwrap();
        let followed = follow_products(&log, &collections, &entries, currency, batch).await;
        let followed = serde_json::to_value(followed.unwrap()).unwrap();
        assert_eq!(followed, json!({"batchItemFailures": []}));
        self.seen = now;
    }

    async fn name(&self, id: ProductId, asked: Asked) -> String {
        self.process
            .product(id, &asked)
            .await
            .unwrap()
            .unwrap()
            .name
    }

    /// Returns the names of the products in the list of `category`, and of what the tree has below it.
    async fn names(&self, category: &str, asked: Asked) -> Vec<String> {
        let tree = self.process.tree(&asked).await.unwrap();
        let list = List {
            of: Of::Categories(tree.branch(&category.parse().unwrap())),
            status: Status::Active,
            filter: Filter::default(),
            sort: Sort::Name,
        };
        let page = PageRequest {
            limit: 20,
            after: None,
        };
        let page = self.process.list(&list, &page, &asked).await.unwrap();
        let items = page.items.into_iter();
        items.map(|listed| listed.product.name).collect()
    }

    /// Returns how many calls `reading` makes.
    async fn calls<T>(&self, reading: impl Future<Output = T>) -> (usize, T) {
        self.engine.forget_calls();
        let read = reading.await;
        (self.engine.calls().len(), read)
    }
}

#[tokio::test]
async fn a_product_is_read_once_until_it_changes() {
    let mut shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.deliver().await;
    // What the log has when the process starts may have been too late for what is read beside it.
    assert_eq!(shop.name(id, at(120)).await, "Sencha");
    let read = shop.calls(shop.name(id, at(120))).await;
    assert_eq!(read, (1, "Sencha".to_owned()));
    let kept = shop.calls(shop.name(id, at(120))).await;
    assert_eq!(kept, (0, "Sencha".to_owned()));
    shop.change(id, json!({"name": "Gyokuro"})).await;
    // Nobody has told the process yet.
    assert_eq!(shop.name(id, at(120)).await, "Sencha");
    shop.deliver().await;
    let asked = shop.calls(shop.name(id, at(121))).await;
    assert_eq!(asked, (2, "Gyokuro".to_owned()));
    // After half an hour it is read anew, whatever the log says.
    assert_eq!(shop.calls(shop.name(id, at(1920))).await.0, 1);
    assert_eq!(shop.calls(shop.name(id, at(1922))).await.0, 2);
}

#[tokio::test]
async fn a_page_is_kept_until_a_product_comes_or_goes_or_the_tree_changes() {
    let mut shop = shop();
    let sencha = shop.create("Sencha", "green").await;
    shop.create("Assam", "black").await;
    shop.put_category("tea", None).await;
    shop.put_category("green", Some("tea")).await;
    shop.deliver().await;
    for _ in 0..3 {
        // Ten seconds, because an index may lag behind.
        shop.names("tea", at(100)).await;
        shop.names("tea", at(110)).await;
    }
    assert_eq!(shop.calls(shop.names("tea", at(110))).await.0, 0);
    // Comes to the branch with its category, leaves it, and is renamed within it.
    shop.put_category("black", Some("tea")).await;
    shop.deliver().await;
    assert_eq!(shop.names("tea", at(120)).await, ["Assam", "Sencha"]);
    shop.change(sencha, json!({"name": "Gyokuro"})).await;
    shop.deliver().await;
    assert_eq!(shop.names("tea", at(130)).await, ["Assam", "Gyokuro"]);
    shop.names("tea", at(140)).await;
    assert_eq!(shop.calls(shop.names("tea", at(140))).await.0, 0);
    shop.change(sencha, json!({"category": "food"})).await;
    shop.deliver().await;
    assert_eq!(shop.names("tea", at(150)).await, ["Assam"]);
}

impl Shop {
    async fn put_category(&self, id: &str, parent: Option<&str>) {
        let body = json!({"name": id, "parent": parent});
        let request = testing::request(second(0), &body).at("category", id);
        let categories = CategoryStore::new(&self.aws).unwrap();
        let request = request.with("if-match", "*");
        let put = categories::api::put_category(&categories, request);
        put.await.unwrap();
    }
}

#[tokio::test]
async fn a_slug_leads_to_its_product_without_a_read() {
    let mut shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.deliver().await;
    let found = async |slug: &str, asked: Asked| {
        let slug = slug.parse().unwrap();
        let found = shop.process.with_slug(&slug, &asked).await.unwrap();
        found.map(|product| product.id)
    };
    for _ in 0..2 {
        assert_eq!(found("sencha", at(120)).await, Some(id));
    }
    assert_eq!(shop.calls(found("sencha", at(120))).await, (0, Some(id)));
    assert_eq!(found("gyokuro", at(120)).await, None);
    assert_eq!(shop.calls(found("gyokuro", at(120))).await, (0, None));
    shop.change(id, json!({"slug": "gyokuro"})).await;
    // That there is nothing is kept for five seconds, even if nobody says that there is something now.
    assert_eq!(found("gyokuro", at(126)).await, Some(id));
}

#[tokio::test]
async fn what_has_just_changed_is_not_kept() {
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.name(id, at(1)).await;
    for number in [1, 30, 59] {
        shop.name(id, at(number)).await;
        let (calls, _) = shop.calls(shop.name(id, at(number))).await;
        assert_eq!(calls, 1, "{number}");
    }
    shop.name(id, at(60)).await;
    assert_eq!(shop.calls(shop.name(id, at(60))).await.0, 0);
}

#[tokio::test]
async fn a_caller_who_says_who_they_are_reads_the_table() {
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    for _ in 0..2 {
        shop.name(id, at(120)).await;
    }
    shop.change(id, json!({"name": "Gyokuro"})).await;
    let stranger = testing::request(second(120), &json!({}));
    let admin = Asked::by(&stranger);
    assert_eq!(shop.name(id, admin).await, "Gyokuro");
    let stranger = crate::http::exchange::Request {
        identity: None,
        ..stranger
    };
    assert_eq!(shop.name(id, Asked::by(&stranger)).await, "Sencha");
    let with_token = stranger.with("authorization", "Bearer forged");
    assert_eq!(shop.name(id, Asked::by(&with_token)).await, "Gyokuro");
}

#[tokio::test]
async fn a_stampede_of_readers_reads_once() {
    let shop = shop();
    let cache = LocalCache::new(LIMITS, ChangeLog::new(&shop.aws).unwrap(), None);
    let wanted = Wanted {
        key: "slug:sencha".to_owned(),
        tags: vec![Tag::slug(&"sencha".parse().unwrap())],
        lifetime: LIMITS.product,
        from_index: false,
    };
    let reads = AtomicUsize::new(0);
    let load = async || {
        reads.fetch_add(1, Ordering::Relaxed);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        Ok(Some(ProductId::derived(&["sencha"])))
    };
    let asked = at(120);
    let readers = (0..50).map(|_| cache.read(&wanted, &asked, load));
    for found in futures::future::join_all(readers).await {
        assert_eq!(found.unwrap(), Some(ProductId::derived(&["sencha"])));
    }
    assert_eq!(reads.into_inner(), 1);
}

#[tokio::test]
async fn without_the_log_the_table_is_read_and_nothing_fails() {
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    for _ in 0..2 {
        shop.name(id, at(120)).await;
    }
    shop.change(id, json!({"name": "Gyokuro"})).await;
    // The log is asked first, and again by the SDK.
    for _ in 0..3 {
        shop.engine.fail_next("GetItem", Fault::Failed);
    }
    assert_eq!(shop.name(id, at(122)).await, "Gyokuro");
    shop.change(id, json!({"name": "Matcha"})).await;
    // It is not asked again at once, and until it says something, nothing is kept.
    let (calls, name) = shop.calls(shop.name(id, at(122))).await;
    assert_eq!((calls, &*name), (1, "Matcha"));
    shop.name(id, at(124)).await;
    shop.name(id, at(124)).await;
    assert_eq!(shop.calls(shop.name(id, at(124))).await.0, 0);
}

#[tokio::test]
async fn a_process_that_missed_more_than_the_log_has_reads_everything_anew() {
    let mut shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.deliver().await;
    for _ in 0..3 {
        shop.name(id, at(120)).await;
    }
    shop.change(id, json!({"name": "Gyokuro"})).await;
    shop.deliver().await;
    let log = ChangeLog::new(&shop.aws).unwrap();
    for number in 0..MOST_TAGS {
        let other = ProductId::derived(&[&number.to_string()]);
        log.append(&[Tag::product(other)].into(), "8")
            .await
            .unwrap();
    }
    let stored = &shop.engine.items(Setting::ChangesTable)[0];
    assert!(
        stored.to_string().len() < 2048,
        "{}",
        stored.to_string().len()
    );
    assert_eq!(shop.name(id, at(121)).await, "Gyokuro");
}

#[tokio::test]
async fn a_log_that_was_begun_anew_says_nothing_about_what_was_kept_before() {
    let mut shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.deliver().await;
    for _ in 0..3 {
        shop.name(id, at(120)).await;
    }
    shop.change(id, json!({"name": "Gyokuro"})).await;
    let table = Table::new(&shop.aws, Setting::ChangesTable).unwrap();
    let lost = table.delete(Key::new("log_id", "catalogue"));
    table.write(lost).await.unwrap();
    assert_eq!(shop.name(id, at(121)).await, "Gyokuro");
}

#[tokio::test]
async fn what_is_kept_stays_within_its_bytes() {
    let shop = shop();
    let limits = Limits {
        bytes: 64 * 1024,
        ..LIMITS
    };
    let process = PublicCatalogue::with(&shop.aws, limits, None).unwrap();
    for number in 0..2_000 {
        let id = ProductId::derived(&[&number.to_string()]);
        process.product(id, &at(120)).await.unwrap();
    }
    let (entries, bytes) = process.kept().await;
    assert!(entries > 10, "{entries}");
    assert!(bytes <= limits.bytes, "{bytes}");
}

#[tokio::test]
async fn what_is_kept_of_a_product_is_the_whole_product() {
    let shop = shop();
    let id = shop.create("Sencha", "tea").await;
    shop.change(
        id,
        json!({
            "sale": {"price": {"amount": "9.00", "currency": "EUR"}, "starts_at": "2025-06-16T00:00:00Z"},
            "tags": ["green"], "attributes": {"origin": "Uji"}, "weight_grams": 250, "brand": "Ippodo",
            "translations": {"de": {"name": "Sencha-Tee"}},
        }),
    )
    .await;
    let product = shop.products.get(id).await.unwrap();
    let bytes = product.write().unwrap();
    assert_eq!(Option::<Product>::read(&bytes).unwrap(), product);
    assert!(Option::<Product>::read(&bytes[1..]).is_none());
}
