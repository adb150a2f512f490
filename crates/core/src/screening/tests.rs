//! The rules' routes, against an embedded DynamoDB.

mod at_once;

use serde_json::{Value, json};

use super::operator::OperatorRules;
use super::store::RuleStore;
use super::{api, events};
use crate::aws::settings::Setting;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;

#[derive(Clone)]
struct Shop {
    rules: RuleStore,
    operator: OperatorRules,
    engine: Engine,
}

type Outcome = Result<Response, Problem>;

fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    Shop {
        rules: RuleStore::new(&aws).unwrap(),
        operator: OperatorRules::new(&aws).unwrap(),
        engine,
    }
}

fn minute(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 60_000)
}

fn small(most: &str) -> Value {
    json!({
        "expression": format!("order.total <= money(\"{most}\")"),
        "message": format!("an order is at most {most} EUR"),
        "code": "too_large",
    })
}

fn about(name: &str, number: i64, body: &Value) -> Request {
    testing::request(minute(number), body).at("rule_name", name)
}

impl Shop {
    async fn put(&self, request: Request) -> Outcome {
        api::put_rule(&self.rules, "EUR".parse().unwrap(), request).await
    }

    async fn made(&self, name: &str, number: i64, body: &Value) -> Response {
        self.put(about(name, number, body)).await.unwrap()
    }

    async fn remove(&self, name: &str, tag: &str) -> Outcome {
        let request = about(name, 50, &json!({})).with("if-match", tag);
        let request = request.with("traceparent", TRACE);
        api::remove_rule(&self.rules, request).await
    }

    /// Lets `job` run between what the next request reads and what it writes.
    fn meanwhile(&self, job: impl AsyncFnOnce(Self) + Send + 'static) {
        let shop = self.clone();
        self.engine
            .before_next("TransactWriteItems", async move || job(shop).await);
    }

    /// Returns the version and the message of the rule `small`, or `None` if there is none.
    async fn small(&self) -> Option<(u64, String)> {
        let rule = self.rules.get(&"small".parse().unwrap()).await.unwrap();
        rule.map(|rule| (rule.version, rule.draft.message))
    }

    /// Returns how many rules there are, as the table counts them.
    fn count(&self) -> i64 {
        let items = self.engine.items(Setting::RulesTable);
        let head = items.iter().find(|item| item["part"] == "head").unwrap();
        head["rule_count"].as_i64().unwrap()
    }

    /// Returns the names of the current rules and the calls that reading them took.
    async fn current(&self) -> (Vec<String>, Vec<String>) {
        self.engine.forget_calls();
        let rules = self.operator.current().await.unwrap();
        let names = rules.iter().map(|rule| rule.name.clone());
        (names.collect(), self.engine.calls())
    }

    /// Returns the events of the stored items.
    fn events(&self) -> Vec<(String, u64, Value)> {
        let items = self.engine.items(Setting::RulesTable).into_iter();
        let published = items.filter_map(|item| {
            let item = serde_dynamo::to_item(item).unwrap();
            let event = events::published(item).unwrap()?;
            assert_eq!(
                event.aggregate_id,
                format!("rule#{}", event.data["name"].as_str().unwrap())
            );
            Some((event.event_type, event.version, event.data))
        });
        published.collect()
    }
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn status_of(outcome: Outcome) -> u16 {
    outcome
        .map_or_else(|problem| problem.status(), |response| response.status)
        .as_u16()
}

#[tokio::test]
async fn a_rule_is_created_changed_and_removed() {
    let shop = shop();
    let made = shop.made("small", 1, &small("500.00")).await;
    assert_eq!(made.status.as_u16(), 201);
    assert!(
        made.headers
            .contains(&("Location", "/rules/small".to_owned()))
    );
    let body = json_of(&made);
    assert_eq!(
        (&body["version"], &body["severity"], &body["enabled"]),
        (&json!(1), &json!("reject"), &json!(true))
    );
    let unsaid = shop.put(about("small", 2, &small("400.00"))).await;
    assert!(
        matches!(unsaid, Err(Problem::PreconditionRequired)),
        "{unsaid:?}"
    );
    let stale = shop
        .put(about("small", 2, &small("400.00")).with("if-match", "\"2\""))
        .await;
    assert!(
        matches!(stale, Err(Problem::PreconditionFailed)),
        "{stale:?}"
    );
    let changed = shop
        .put(about("small", 3, &small("400.00")).with("if-match", "\"1\""))
        .await
        .unwrap();
    assert_eq!(changed.status.as_u16(), 200);
    let body = json_of(&changed);
    assert_eq!(body["created_at"], json!(minute(1)));
    assert_eq!(body["updated_at"], json!(minute(3)));
    let read = api::get_rule(&shop.rules, about("small", 4, &json!({})))
        .await
        .unwrap();
    assert_eq!(json_of(&read), body);
    // The same content again changes nothing, whatever was expected: the response may have been lost.
    let again = shop
        .put(about("small", 5, &small("400.00")).with("if-match", "\"1\""))
        .await
        .unwrap();
    assert_eq!(json_of(&again), body);
    assert!(matches!(
        shop.remove("small", "\"1\"").await,
        Err(Problem::PreconditionFailed)
    ));
    assert_eq!(status_of(shop.remove("small", "\"2\"").await), 204);
    assert!(matches!(
        shop.remove("small", "*").await,
        Err(Problem::NotFound(_))
    ));
    let gone = api::get_rule(&shop.rules, about("small", 4, &json!({}))).await;
    assert!(matches!(gone, Err(Problem::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn every_change_has_its_event_and_no_number_occurs_twice() {
    let shop = shop();
    shop.made("small", 1, &small("500.00")).await;
    assert_eq!(shop.events()[0].0, "RuleSet");
    // What operators write stays in the table.
    let data = shop.events()[0].2.clone();
    let names: Vec<&String> = data.as_object().unwrap().keys().collect();
    assert_eq!(names, ["author", "code", "enabled", "name", "severity"]);
    shop.remove("small", "*").await.unwrap();
    assert_eq!(
        shop.events(),
        [("RuleRemoved".to_owned(), 2, json!({"name": "small"}))]
    );
    let again = shop.made("small", 60, &small("300.00")).await;
    assert_eq!(
        (again.status.as_u16(), &json_of(&again)["version"]),
        (201, &json!(3))
    );
    let found: Vec<(String, u64)> = shop
        .events()
        .into_iter()
        .map(|event| (event.0, event.1))
        .collect();
    assert_eq!(found, [("RuleSet".to_owned(), 3)]);
}

#[tokio::test]
async fn the_enabled_rules_are_current_in_the_order_of_their_creation() {
    let shop = shop();
    assert_eq!(shop.current().await, (vec![], vec!["GetItem".to_owned()]));
    shop.made("zero", 1, &small("500.00")).await;
    shop.made("alpha", 2, &small("400.00")).await;
    let mut off = small("1.00");
    off["enabled"] = json!(false);
    shop.made("mid", 3, &off).await;
    let names = || vec!["zero".to_owned(), "alpha".to_owned()];
    let (found, calls) = shop.current().await;
    assert_eq!(
        (found, calls),
        (names(), vec!["GetItem".to_owned(), "Query".to_owned()])
    );
    // Nothing has changed, so only the head is read.
    assert_eq!(shop.current().await, (names(), vec!["GetItem".to_owned()]));
    shop.remove("zero", "*").await.unwrap();
    assert_eq!(shop.current().await.0, ["alpha"]);
    let changed = about("alpha", 9, &off).with("if-match", "*");
    shop.put(changed).await.unwrap();
    assert_eq!(shop.current().await.0, [""; 0]);
}

#[tokio::test]
async fn a_list_has_all_rules_page_by_page() {
    let shop = shop();
    for (number, name) in [(1, "c"), (2, "a"), (3, "b")] {
        shop.made(name, number, &small("500.00")).await;
    }
    let mut names = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut request = testing::request(minute(9), &json!({})).with_query("limit", "2");
        if let Some(cursor) = &cursor {
            request = request.with_query("cursor", cursor);
        }
        let page = json_of(&api::list_rules(&shop.rules, request).await.unwrap());
        let items = page["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["c", "a", "b"]);
}

#[tokio::test]
async fn an_invalid_rule_is_refused_with_the_place_of_its_fault() {
    let shop = shop();
    for (body, fault) in [
        (
            json!({"expression": "order.totl > money(\"1\")", "message": "m", "code": "c"}),
            "/expression expression line 1, column 6: order has no field",
        ),
        (
            json!({"expression": "0.1 + 0.2 == 0.3", "message": "m", "code": "c"}),
            "/expression expression line 1, column 1: numbers with a decimal point",
        ),
        (
            json!({"expression": "true", "message": "m", "code": "C"}),
            "/code invalid",
        ),
        (
            json!({"expression": "true", "message": "two\nlines", "code": "c"}),
            "/message control_character",
        ),
        (
            json!({"expression": "true", "message": "m", "code": "c", "severity": "maybe"}),
            "/severity invalid",
        ),
        (
            json!({"expression": "true", "message": "m", "code": "c", "enabled": "yes"}),
            "/enabled type",
        ),
        (
            json!({"expression": "true", "message": "m", "code": "c", "author": "me"}),
            "/author unknown_field",
        ),
    ] {
        let refused = shop.put(about("small", 1, &body)).await.unwrap_err();
        let Problem::InvalidBody(faults) = refused else {
            panic!("{refused:?}");
        };
        let [found] = faults.as_slice() else {
            panic!("{faults:?}");
        };
        let found = format!("{} {} {}", found.pointer, found.code, found.detail);
        assert!(found.starts_with(fault), "{found}");
    }
    for name in [
        "total_is_sum_of_lines",
        "minimum_order_amount",
        "customer_credit",
    ] {
        let refused = shop.put(about(name, 1, &small("1.00"))).await;
        assert!(matches!(refused, Err(Problem::Conflict(_))), "{refused:?}");
    }
    for name in ["Small", "_small", "small-one", "", &"a".repeat(65)] {
        let refused = shop.put(about(name, 1, &small("1.00"))).await;
        assert!(matches!(refused, Err(Problem::NotFound(_))), "{refused:?}");
    }
    let unknown = shop
        .put(about("new", 1, &small("1.00")).with("if-match", "\"1\""))
        .await;
    assert!(
        matches!(unknown, Err(Problem::PreconditionFailed)),
        "{unknown:?}"
    );
    assert!(shop.engine.items(Setting::RulesTable).is_empty());
}

#[tokio::test]
async fn only_admins_read_and_change_rules() {
    let shop = shop();
    let request = || {
        about("small", 1, &small("1.00"))
            .with("if-match", "*")
            .of_customer()
    };
    let euro = "EUR".parse().unwrap();
    for outcome in [
        api::put_rule(&shop.rules, euro, request()).await,
        api::get_rule(&shop.rules, request()).await,
        api::list_rules(&shop.rules, request()).await,
        api::remove_rule(&shop.rules, request()).await,
    ] {
        assert!(matches!(outcome, Err(Problem::Forbidden)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_shop_has_at_most_a_hundred_rules() {
    let shop = shop();
    for number in 0..100 {
        shop.made(&format!("rule_{number}"), number, &small("1.00"))
            .await;
    }
    let refused = shop.put(about("one_more", 200, &small("1.00"))).await;
    assert!(matches!(refused, Err(Problem::Conflict(_))), "{refused:?}");
    shop.remove("rule_7", "*").await.unwrap();
    assert_eq!(
        shop.made("one_more", 200, &small("1.00"))
            .await
            .status
            .as_u16(),
        201
    );
}

#[tokio::test]
async fn a_change_whose_response_was_lost_is_made_once() {
    let shop = shop();
    // The SDK repeats a transaction with its token, which makes it once. After a conflict it has another token.
    let lose_the_next_response = || {
        for fault in [Fault::LostAnswer, Fault::Conflict] {
            shop.engine.fail_next("TransactWriteItems", fault);
        }
    };
    lose_the_next_response();
    assert_eq!(
        shop.made("small", 1, &small("1.00")).await.status.as_u16(),
        201
    );
    lose_the_next_response();
    let changed = about("small", 2, &small("2.00")).with("if-match", "\"1\"");
    assert_eq!(json_of(&shop.put(changed).await.unwrap())["version"], 2);
    lose_the_next_response();
    assert_eq!(status_of(shop.remove("small", "\"2\"").await), 204);
    let versions: Vec<u64> = shop.events().into_iter().map(|event| event.1).collect();
    assert_eq!(versions, [3]);
}
