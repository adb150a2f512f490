//! The catalogue's routes, against an embedded DynamoDB.

mod availability;
mod changes;
mod content;
mod lists;
mod lookup;
mod sales;
mod variants;

use std::sync::Arc;

use serde_json::{Value, json};

use super::api;
use super::cache::catalogue::PublicCatalogue;
use super::categories::store::CategoryStore;
use super::chosen::Chosen;
use super::collections::entries::EntryStore;
use super::collections::store::CollectionStore;
use super::search::index::SearchIndex;
use super::store::ProductStore;
use crate::aws::dynamo::Table;
use crate::aws::settings::Setting;
use crate::customers::authorizer::Admins;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::testing::{self, Engine};
use crate::values::clock::Time;
use crate::values::money::Currency;

#[derive(Clone)]
struct Shop {
    products: ProductStore,
    catalogue: PublicCatalogue,
    categories: CategoryStore,
    chosen: Chosen,
    search: Arc<SearchIndex>,
    table: Table,
    admins: Arc<Admins>,
    engine: Engine,
}

type Outcome = Result<Response, Problem>;

fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    let products = ProductStore::new(&aws).unwrap();
    let admins = Arc::new(Admins::new(&aws));
    let search = Arc::new(SearchIndex::new(&aws).unwrap());
    let catalogue = PublicCatalogue::new(&aws).unwrap();
    let categories = CategoryStore::new(&aws).unwrap();
    let chosen = Chosen {
        collections: CollectionStore::new(&aws).unwrap(),
        entries: EntryStore::new(&aws).unwrap(),
    };
    let table = Table::new(&aws, Setting::ProductsTable).unwrap();
    Shop {
        products,
        catalogue,
        categories,
        chosen,
        search,
        table,
        admins,
        engine,
    }
}

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

/// Returns a fixed time, `number` minutes later.
fn minute(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 60_000)
}

fn tea() -> Value {
    json!({
        "name": "Sencha",
        "price": {"amount": "12.50", "currency": "EUR"},
        "category": "green-tea",
        "attributes": {"name_de": "Sencha-Tee", "name_zh": "煎茶"},
    })
}

/// Returns `tea()` with the fields of `changes` in place of its own.
fn tea_with(changes: Value) -> Value {
    let mut tea = tea();
    for (name, value) in changes.as_object().unwrap() {
        tea[name] = value.clone();
    }
    tea
}

impl Shop {
    async fn create(&self, request: Request) -> Outcome {
        api::create_product(&self.products, euro(), request).await
    }

    /// Creates a product from `body` at `minute(number)` and returns it.
    async fn made(&self, number: i64, body: Value) -> Value {
        let request = testing::request(minute(number), &body);
        json_of(&self.create(request).await.unwrap())
    }

    async fn update(&self, request: Request) -> Outcome {
        api::update_product(&self.products, euro(), request).await
    }

    async fn discontinue(&self, request: Request) -> Outcome {
        api::discontinue_product(&self.products, request).await
    }

    async fn get(&self, id: &Value) -> Outcome {
        api::get_product(&self.catalogue, &self.admins, to(id, json!({}))).await
    }

    async fn list(&self, request: Request) -> Outcome {
        let Self {
            catalogue,
            chosen,
            search,
            admins,
            ..
        } = self;
        api::list_products(catalogue, chosen, search, admins, request).await
    }

    /// Returns the names of all products in the list with `query`, page by page.
    async fn names(&self, query: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = testing::request(minute(0), &json!({}));
            for (name, value) in query {
                request = request.with_query(name, value);
            }
            if let Some(cursor) = &cursor {
                request = request.with_query("cursor", cursor);
            }
            let listed = self.list(request);
            let response = listed.await.unwrap();
            let page = json_of(&response);
            let items = page["items"].as_array().unwrap();
            let names = items
                .iter()
                .map(|item| item["name"].as_str().unwrap().to_owned());
            pages.push(names.collect());
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            assert_eq!(cursor.is_some(), header(&response, "Link").is_some());
            if cursor.is_none() {
                return pages;
            }
        }
    }

    /// Returns the items of products, sorted.
    fn products_stored(&self) -> Vec<Value> {
        let mut items = self.stored();
        items.retain(|item| item["status"].is_string());
        items.sort_by_key(|item| item["product_id"].to_string());
        items
    }

    fn stored(&self) -> Vec<Value> {
        self.engine.items(Setting::ProductsTable)
    }
}

/// Returns a request about the product `id` at `minute(1)`.
fn to(id: &Value, body: Value) -> Request {
    testing::request(minute(1), &body).at("product_id", id.as_str().unwrap())
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(header, _)| *header == name);
    found.map(|(_, value)| value.as_str())
}

fn status_of(outcome: Outcome) -> u16 {
    outcome
        .map_or_else(|problem| problem.status(), |response| response.status)
        .as_u16()
}

fn faults(outcome: Outcome) -> Vec<String> {
    let problem = outcome.unwrap_err();
    let (Problem::InvalidBody(faults) | Problem::InvalidParameters(faults)) = problem else {
        panic!("{problem:?}");
    };
    faults
        .into_iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect()
}
