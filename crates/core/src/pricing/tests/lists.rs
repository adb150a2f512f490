//! Price lists and their prices, over their routes.

use serde_json::{Value, json};

use super::{faults, json_of, noon};
use crate::aws::Aws;
use crate::aws::settings::Setting;
use crate::catalog::api;
use crate::catalog::store::ProductStore;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::pricing::api::lists::{
    Prices, get_price_lists, list_prices, replace_price_lists, set_list_price,
};
use crate::pricing::events;
use crate::pricing::store::PricingStore;
use crate::testing::{self, Engine};

struct Shop {
    aws: Aws,
    engine: Engine,
    pricing: PricingStore,
}

async fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    let pricing = PricingStore::new(&aws).unwrap();
    let shop = Shop {
        aws,
        engine,
        pricing,
    };
    let lists =
        json!({"items": [{"id": "wholesale", "name": "Wholesale", "customer_group": "wholesale"}]});
    assert_eq!(shop.put_lists("\"0\"", lists).await.unwrap().status, 200);
    shop
}

fn break_at(min_quantity: u32, amount: &str) -> Value {
    json!({"min_quantity": min_quantity, "price": {"amount": amount, "currency": "EUR"}})
}

fn price_request(list: &str, variant: &str, prices: &Value) -> Request {
    let request = testing::request(noon(), &json!({ "prices": prices }));
    request.at("price_list", list).at("variant_id", variant)
}

impl Shop {
    async fn put_lists(&self, etag: &str, lists: Value) -> Result<Response, Problem> {
        let request = testing::request(noon(), &lists).with("if-match", etag);
        replace_price_lists(&self.pricing, "EUR".parse().unwrap(), request).await
    }

    async fn product(&self, name: &str) -> String {
        let products = ProductStore::new(&self.aws).unwrap();
        let price = json!({"amount": "12.90", "currency": "EUR"});
        let product = json!({"name": name, "category": "tea", "price": price});
        let request = testing::request(noon(), &product).with("idempotency-key", name);
        let made = api::create_product(&products, "EUR".parse().unwrap(), request).await;
        json_of(&made.unwrap())["id"].as_str().unwrap().to_owned()
    }

    async fn set(&self, request: Request) -> Result<Response, Problem> {
        set_list_price(&Prices::new(&self.aws).unwrap(), request).await
    }

    async fn page(&self, limit: &str, cursor: Option<&str>) -> Value {
        let request = testing::request(noon(), &json!({})).at("price_list", "wholesale");
        let mut request = request.with_query("limit", limit);
        if let Some(cursor) = cursor {
            request = request.with_query("cursor", cursor);
        }
        json_of(&list_prices(&self.pricing, request).await.unwrap())
    }
}

#[tokio::test]
async fn lists_are_replaced_as_a_whole_and_shown_as_they_were_put() {
    let shop = shop().await;
    let lists = json!({"items": [
        {"id": "guests", "name": "Guests", "customer_group": "guest", "countries": ["DE", "AT"]},
        {"id": "june", "name": "June", "currency": "EUR", "starts_at": "2026-06-01T00:00:00.000Z",
         "ends_at": "2026-07-01T00:00:00.000Z"},
    ]});
    let put = shop.put_lists("\"1\"", lists).await.unwrap();
    let expected = json!({"version": 2, "items": [
        {"id": "guests", "name": "Guests", "currency": "EUR", "customer_group": "guest", "countries": ["DE", "AT"]},
        {"id": "june", "name": "June", "currency": "EUR", "starts_at": "2026-06-01T00:00:00.000Z",
         "ends_at": "2026-07-01T00:00:00.000Z"},
    ]});
    assert_eq!(json_of(&put), expected);
    let request = testing::request(noon(), &json!({}));
    let got = get_price_lists(&shop.pricing, request).await.unwrap();
    assert_eq!(json_of(&got), expected);
}

#[tokio::test]
async fn a_list_that_cannot_be_is_refused_by_its_field() {
    let shop = shop().await;
    let refused = async |list: Value| {
        let lists = json!({ "items": [list] });
        faults(shop.put_lists("\"1\"", lists).await)
    };
    let list = |extra: Value| {
        let mut list = json!({"id": "a", "name": "A"});
        list.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        list
    };
    for (extra, pointer, code) in [
        (json!({"id": "A list"}), "id", "invalid"),
        (json!({"currency": "euros"}), "currency", "invalid"),
        (
            json!({"customer_group": "Big Ones"}),
            "customer_group",
            "invalid",
        ),
        (json!({"countries": ["Germany"]}), "countries/0", "invalid"),
        (
            json!({"starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-07-01T00:00:00Z"}),
            "ends_at",
            "range",
        ),
    ] {
        let pointer = format!("/items/0/{pointer}");
        assert_eq!(refused(list(extra)).await, [(pointer, code)]);
    }
    let twice = json!({"items": [list(json!({})), list(json!({}))]});
    assert_eq!(
        faults(shop.put_lists("\"1\"", twice).await),
        [("/items/1".to_owned(), "repeated")]
    );
}

#[tokio::test]
async fn prices_are_set_changed_and_taken_out_with_an_event_each() {
    let shop = shop().await;
    let cup = shop.product("cup").await;
    let set = async |prices: Value, etag: Option<&str>| {
        let request = price_request("wholesale", &cup, &prices);
        let request = match etag {
            Some(etag) => request.with("if-match", etag),
            None => request,
        };
        shop.set(request).await
    };
    let prices = json!([break_at(1, "9.00"), break_at(10, "8.00")]);
    let made = json_of(&set(prices.clone(), None).await.unwrap());
    assert_eq!((&made["prices"], &made["version"]), (&prices, &json!(1)));
    let same = json_of(&set(prices.clone(), None).await.unwrap());
    assert_eq!(same["version"], 1, "nothing has changed");
    let stale = set(json!([]), Some("\"0\"")).await;
    assert!(matches!(stale, Err(Problem::PreconditionFailed)));
    assert_eq!(shop.page("10", None).await["items"], json!([made]));
    let none = json_of(&set(json!([]), Some("\"1\"")).await.unwrap());
    assert_eq!((&none["prices"], &none["version"]), (&json!([]), &json!(2)));
    assert_eq!(shop.page("10", None).await["items"], json!([]));
    let items = shop.engine.items(Setting::PricingTable);
    let mut items = items.iter().filter(|item| item.get("variant_id").is_some());
    let event = events::published(serde_dynamo::to_item(items.next().unwrap()).unwrap());
    let event = serde_json::to_value(event.unwrap().unwrap()).unwrap();
    assert_eq!(event["event_type"], "ListPriceChanged");
    assert_eq!(
        (&event["aggregate_id"], &event["version"]),
        (&json!(format!("price#wholesale#{cup}")), &json!(2))
    );
    assert_eq!(
        event["data"],
        json!({"price_list": "wholesale", "variant_id": cup})
    );
}

#[tokio::test]
async fn the_prices_of_a_list_are_paged() {
    let shop = shop().await;
    let mut variants = Vec::new();
    for name in ["cup", "pot", "tea"] {
        let variant = shop.product(name).await;
        let request = price_request("wholesale", &variant, &json!([break_at(1, "9.00")]));
        shop.set(request).await.unwrap();
        variants.push(variant);
    }
    variants.sort_unstable_by(|one, other| other.cmp(one));
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = shop.page("2", cursor.as_deref()).await;
        for item in page["items"].as_array().unwrap() {
            seen.push(item["variant_id"].as_str().unwrap().to_owned());
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, variants);
}

#[tokio::test]
async fn a_price_that_cannot_be_is_refused_by_its_field() {
    let shop = shop().await;
    let cup = shop.product("cup").await;
    for (prices, pointer, code) in [
        (json!([break_at(1, "0.00")]), "/prices/0/price", "range"),
        (
            json!([break_at(1, "9.001")]),
            "/prices/0/price/amount",
            "decimals",
        ),
        (
            json!([break_at(0, "9.00")]),
            "/prices/0/min_quantity",
            "range",
        ),
        (
            json!([break_at(10, "8.00"), break_at(10, "7.00")]),
            "/prices",
            "order",
        ),
        (json!(null), "/prices", "type"),
    ] {
        let refused = shop.set(price_request("wholesale", &cup, &prices)).await;
        assert_eq!(faults(refused), [(pointer.to_owned(), code)]);
    }
    let prices = json!([break_at(1, "9.00")]);
    for (list, variant) in [
        ("retail", cup.as_str()),
        ("wholesale", "0195a1c2-7d41-7d52-8b17-51c0f4f2ab02"),
    ] {
        let missing = shop.set(price_request(list, variant, &prices)).await;
        assert!(matches!(missing, Err(Problem::NotFound(_))), "{missing:?}");
    }
}
