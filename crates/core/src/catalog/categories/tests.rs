//! The routes of categories, against an embedded DynamoDB, and the laws of the tree.

mod rules;

use expect_test::expect;
use serde_json::{Value, json};

use super::api;
use super::store::CategoryStore;
use crate::aws::dynamo::Attempt;
use crate::aws::settings::Setting;
use crate::catalog::model::Category;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::testing::{self, Engine};
use crate::values::clock::Time;

struct Shop {
    categories: CategoryStore,
    engine: Engine,
}

type Outcome = Result<Response, Problem>;

fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    Shop {
        categories: CategoryStore::new(&aws).unwrap(),
        engine,
    }
}

fn request(body: &Value) -> Request {
    testing::request(Time::from_millis(1_750_000_000_000), body)
}

fn to(id: &str, body: Value) -> Request {
    request(&body).at("category", id)
}

fn category(id: &str) -> Category {
    id.parse().unwrap()
}

impl Shop {
    async fn put(&self, request: Request) -> Outcome {
        api::put_category(&self.categories, request).await
    }

    async fn remove(&self, request: Request) -> Outcome {
        api::remove_category(&self.categories, request).await
    }

    /// Puts the category `id` below `parent`, whatever it was before.
    async fn below(&self, id: &str, parent: Option<&str>) -> Outcome {
        let body = json!({"name": id, "parent": parent});
        self.put(to(id, body).with("if-match", "*")).await
    }

    /// Returns the categories of the list, each with its parent.
    async fn listed(&self) -> Vec<String> {
        let list = api::list_categories(&self.categories, request(&json!({}))).await;
        let list: Value = serde_json::from_slice(&list.unwrap().body).unwrap();
        let items = list["items"].as_array().unwrap().iter();
        let shown = items.map(|item| {
            let parent = item["parent"].as_str().unwrap_or("-");
            format!("{} {parent}", item["id"].as_str().unwrap())
        });
        shown.collect()
    }
}

/// Returns the status, and of a refusal the place and the code.
fn outcome(outcome: Outcome) -> (u16, String) {
    match outcome {
        Ok(response) => (response.status.as_u16(), String::new()),
        Err(Problem::InvalidBody(faults)) => {
            let faults = faults.iter();
            let faults = faults.map(|fault| format!("{} {}", fault.pointer, fault.code));
            (422, faults.collect::<Vec<_>>().join(", "))
        }
        Err(problem) => (problem.status().as_u16(), problem.to_string()),
    }
}

fn tag(response: &Response) -> &str {
    let mut headers = response.headers.iter();
    let (_, tag) = headers.find(|(name, _)| *name == "ETag").unwrap();
    tag
}

#[tokio::test]
async fn a_category_is_created_read_changed_and_removed() {
    let shop = shop();
    let tea = json!({
        "name": "Tea", "position": 2, "translations": {"zh-Hant": {"name": "茶"}, "de": {"name": "Tee"}},
    });
    let created = shop.put(to("tea", tea)).await.unwrap();
    assert_eq!((created.status.as_u16(), tag(&created)), (201, "\"1\""));
    let body = String::from_utf8(created.body).unwrap();
    expect![[r#"{"id":"tea","name":"Tea","translations":{"de":{"name":"Tee"},"zh-hant":{"name":"茶"}},"parent":null,"position":2}"#]]
        .assert_eq(&body);
    for (locale, name) in [("de-AT", "Tee"), ("zh-Hant-TW", "茶"), ("fr", "Tea")] {
        let read = to("tea", json!({})).with_query("locale", locale);
        let read = api::get_category(&shop.categories, read).await.unwrap();
        let read: Value = serde_json::from_slice(&read.body).unwrap();
        assert_eq!(read["name"], name, "{locale}");
    }
    let change = || to("tea", json!({"name": "Teas"}));
    let unconditional = outcome(shop.put(change()).await);
    assert_eq!(unconditional.0, 428);
    let stale = outcome(shop.put(change().with("if-match", "\"7\"")).await);
    assert_eq!(stale.0, 412);
    let changed = shop.put(change().with("if-match", "\"1\"")).await.unwrap();
    assert_eq!((changed.status.as_u16(), tag(&changed)), (200, "\"2\""));
    // The same request again, whose response was lost.
    let again = shop.put(change().with("if-match", "\"1\"")).await.unwrap();
    assert_eq!((again.status.as_u16(), tag(&again)), (200, "\"2\""));
    let remove = |tag| to("tea", json!({})).with("if-match", tag);
    assert_eq!(outcome(shop.remove(remove("\"1\"")).await).0, 412);
    assert_eq!(outcome(shop.remove(remove("\"2\"")).await).0, 204);
    assert_eq!(outcome(shop.remove(remove("*")).await).0, 404);
    let read = api::get_category(&shop.categories, to("tea", json!({})));
    assert_eq!(outcome(read.await).0, 404);
}

#[tokio::test]
async fn the_list_has_each_category_before_those_below_it_in_their_order() {
    let shop = shop();
    for (id, parent, position) in [
        ("tea", None, 5),
        ("coffee", None, 5),
        ("cups", None, 1),
        ("green", Some("tea"), 2),
        ("black", Some("tea"), 1),
        ("white", Some("tea"), 1),
        ("sencha", Some("green"), 0),
    ] {
        let body = json!({"name": id, "parent": parent, "position": position});
        shop.put(to(id, body)).await.unwrap();
    }
    let expected = [
        "cups -",
        "coffee -",
        "tea -",
        "black tea",
        "white tea",
        "green tea",
        "sencha green",
    ];
    assert_eq!(shop.listed().await, expected);
    let empty = self::shop();
    assert_eq!(empty.listed().await, [""; 0]);
}

#[tokio::test]
async fn a_branch_is_moved_by_one_write_and_never_into_itself() {
    let shop = shop();
    for (id, parent) in [
        ("tea", None),
        ("green", Some("tea")),
        ("sencha", Some("green")),
        ("drinks", None),
    ] {
        shop.below(id, parent).await.unwrap();
    }
    for (id, parent, expected) in [
        ("tea", "tea", (422, "/parent own_branch".to_owned())),
        ("tea", "sencha", (422, "/parent own_branch".to_owned())),
        ("tea", "unknown", (422, "/parent unknown".to_owned())),
        ("tea", "drinks", (200, String::new())),
    ] {
        let moved = outcome(shop.below(id, Some(parent)).await);
        assert_eq!(moved, expected, "{id} {parent}");
    }
    let expected = ["drinks -", "tea drinks", "green tea", "sencha green"];
    assert_eq!(shop.listed().await, expected);
    let removed = shop.remove(to("green", json!({})).with("if-match", "*"));
    assert_eq!(outcome(removed.await).0, 409);
    assert_eq!(shop.engine.items(Setting::ProductsTable).len(), 1);
}

/// Each of two moves is allowed by itself, and both together would be a circle.
#[tokio::test]
async fn of_two_moves_at_once_the_second_sees_the_first() {
    let shop = shop();
    shop.below("tea", None).await.unwrap();
    shop.below("coffee", None).await.unwrap();
    let read = shop.categories.get().await.unwrap();
    let mut late = read.clone();
    late.version += 1;
    late.nodes.get_mut(&category("coffee")).unwrap().parent = Some(category("tea"));
    shop.below("tea", Some("coffee")).await.unwrap();
    let written = shop
        .categories
        .replace(&late, &category("coffee"), None)
        .await;
    assert_eq!(written.unwrap(), Attempt::Overtaken);
    let moved = outcome(shop.below("coffee", Some("tea")).await);
    assert_eq!(moved, (422, "/parent own_branch".to_owned()));
}

#[tokio::test]
async fn a_change_whose_response_was_lost_is_recognised() {
    let shop = shop();
    shop.below("tea", None).await.unwrap();
    let mut next = shop.categories.get().await.unwrap();
    next.version += 1;
    next.nodes.get_mut(&category("tea")).unwrap().position = 7;
    for _ in 0..2 {
        let written = shop.categories.replace(&next, &category("tea"), None).await;
        assert_eq!(written.unwrap(), Attempt::Done(()));
    }
}

#[tokio::test]
async fn what_is_not_a_category_is_refused() {
    let shop = shop();
    for (body, expected) in [
        (json!({}), "/name required"),
        (json!({"name": ""}), "/name length"),
        (json!({"name": "a\nb"}), "/name control_character"),
        (
            json!({"name": "a", "parent": "Green Tea"}),
            "/parent invalid",
        ),
        (json!({"name": "a", "position": -1}), "/position range"),
        (json!({"name": "a", "colour": 1}), "/colour unknown_field"),
        (
            json!({"name": "a", "translations": {"deutsch und": {"name": "b"}}}),
            "/translations invalid",
        ),
    ] {
        let refused = outcome(shop.put(to("tea", body)).await);
        assert_eq!(refused, (422, expected.to_owned()));
    }
    let invalid = shop.put(to("Green Tea", json!({"name": "a"}))).await;
    assert_eq!(outcome(invalid).0, 404);
    let customer = to("tea", json!({"name": "a"})).of_customer();
    assert_eq!(outcome(shop.put(customer).await).0, 403);
    let customer = to("tea", json!({})).of_customer().with("if-match", "*");
    assert_eq!(outcome(shop.remove(customer).await).0, 403);
}
