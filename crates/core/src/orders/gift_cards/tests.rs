use serde_json::{Value, json};

use super::api::{get_gift_card, get_gift_card_balance, issue_gift_card};
use super::code::GiftCardCode;
use super::store::GiftCardStore;
use crate::aws::settings::Setting;
use crate::customers::store::CustomerStore;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::fixtures::{self, after, customer, eur, header, json_of, placed_at};
use crate::testing::{self, Engine, Fault};
use crate::values::event::Stamp;

mod quoting;
mod redeeming;
mod volume;

/// A shop that issues gift cards.
struct Issuer {
    engine: Engine,
    cards: GiftCardStore,
    customers: CustomerStore,
}

impl Issuer {
    fn open() -> Self {
        let (aws, engine) = testing::aws();
        Self {
            engine,
            cards: GiftCardStore::new(&aws).unwrap(),
            customers: CustomerStore::new(&aws).unwrap(),
        }
    }

    async fn issue(&self, key: &str, body: &Value) -> Result<Response, Problem> {
        let request = testing::request(placed_at(), body);
        self.send(request.with("idempotency-key", key)).await
    }

    async fn send(&self, request: Request) -> Result<Response, Problem> {
        let currency = eur("0.00").currency();
        issue_gift_card(&self.cards, &self.customers, currency, request).await
    }

    async fn get(&self, id: &str) -> Result<Response, Problem> {
        let request = testing::request(after(1), &json!({}));
        get_gift_card(&self.cards, request.at("gift_card_id", id)).await
    }

    async fn balance(&self, code: &str) -> Result<Response, Problem> {
        let request = testing::request(after(1), &json!({ "code": code }));
        let request = Request {
            identity: None,
            ..request
        };
        get_gift_card_balance(&self.cards, request).await
    }
}

fn fifty() -> Value {
    json!({"amount": {"amount": "50.00", "currency": "EUR"}, "expires_at": "2027-03-01T00:00:00Z"})
}

#[tokio::test]
async fn a_card_is_issued_with_a_code_and_found_by_it() {
    let shop = Issuer::open();
    let issued = shop.issue("a", &fifty()).await.unwrap();
    assert_eq!(issued.status, 201);
    let issued = json_of(&issued);
    let code = issued["code"].as_str().unwrap();
    let id = issued["id"].as_str().unwrap();
    assert!(code.ends_with(issued["last_four"].as_str().unwrap()));
    let mut shown = issued.clone();
    shown.as_object_mut().unwrap().remove("code");
    assert_eq!(json_of(&shop.get(id).await.unwrap()), shown);
    let found = shop.balance(&code.to_lowercase().replace('-', " ")).await;
    let expected = json!({
        "last_four": issued["last_four"],
        "balance": {"amount": "50.00", "currency": "EUR"},
        "expires_at": "2027-03-01T00:00:00.000Z",
    });
    assert_eq!(json_of(&found.unwrap()), expected);
    let other = GiftCardCode::random().unwrap().reveal();
    let missing = shop.balance(&other).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no such gift card");
    let malformed = shop.balance("ABCD").await.unwrap_err();
    assert_eq!(malformed.status().as_u16(), 422);
}

#[tokio::test]
async fn no_item_has_the_code() {
    let shop = Issuer::open();
    let issued = json_of(&shop.issue("a", &fifty()).await.unwrap());
    let code = issued["code"].as_str().unwrap();
    let stored = format!("{:?}", shop.engine.items(Setting::GiftCardsTable));
    let joined = code.replace('-', "");
    assert!(
        !stored.contains(code) && !stored.contains(&joined),
        "{stored}"
    );
    let code: GiftCardCode = code.parse().unwrap();
    assert!(stored.contains(&code.hash()), "{stored}");
}

#[tokio::test]
async fn the_same_request_again_issues_nothing_and_does_not_tell_the_code() {
    let shop = Issuer::open();
    // The response to the first request is lost.
    shop.engine
        .fail_next("TransactWriteItems", Fault::LostAnswer);
    let first = shop.issue("a", &fifty()).await.unwrap();
    let again = shop.issue("a", &fifty()).await.unwrap();
    let (first, again) = (json_of(&first), json_of(&again));
    assert!(first["code"].is_string());
    assert_eq!(again["code"], Value::Null);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(shop.engine.items(Setting::GiftCardsTable).len(), 2);
    let mut other = fifty();
    other["amount"]["amount"] = json!("60.00");
    let reused = shop.issue("a", &other).await.unwrap_err();
    assert!(matches!(reused, Problem::IdempotencyKeyReused));
    let second = json_of(&shop.issue("b", &fifty()).await.unwrap());
    assert_ne!(second["id"], first["id"]);
}

#[tokio::test]
async fn what_cannot_be_issued_is_said() {
    let shop = Issuer::open();
    for (field, value, expected) in [
        (
            "amount",
            json!({"amount": "0.00", "currency": "EUR"}),
            "/amount range",
        ),
        (
            "amount",
            json!({"amount": "5.00", "currency": "USD"}),
            "/amount/currency currency",
        ),
        (
            "expires_at",
            json!("2026-03-01T09:30:00Z"),
            "/expires_at range",
        ),
        ("customer_id", json!("ana"), "/customer_id invalid"),
        ("code", json!("MINE"), "/code unknown_field"),
    ] {
        let mut body = fifty();
        body[field] = value;
        let Err(Problem::InvalidBody(faults)) = shop.issue("a", &body).await else {
            panic!("{field} is taken");
        };
        let said: Vec<String> = faults
            .iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect();
        assert_eq!(said, [expected]);
    }
    let customer = testing::request(placed_at(), &fifty()).of_customer();
    let customer = customer.with("idempotency-key", "a");
    let refused = shop.send(customer).await;
    assert!(matches!(refused, Err(Problem::Forbidden)));
    let keyless = testing::request(placed_at(), &fifty());
    let refused = shop.send(keyless).await;
    assert!(matches!(refused, Err(Problem::IdempotencyKeyRequired)));
    assert!(shop.engine.items(Setting::GiftCardsTable).is_empty());
}

#[tokio::test]
async fn store_credit_is_issued_to_a_customer_who_exists() {
    let shop = fixtures::Shop::open();
    let customers = fixtures::account(&shop, true, false).await;
    let shop = Issuer {
        engine: shop.engine,
        cards: shop.gift_cards,
        customers,
    };
    let credit = |name| {
        let mut credit = fifty();
        credit["customer_id"] = json!(customer(name));
        credit
    };
    let Err(Problem::InvalidBody(faults)) = shop.issue("a", &credit("ben")).await else {
        panic!("nobody can redeem it");
    };
    let said = (faults[0].pointer.as_str(), faults[0].code);
    assert_eq!(said, ("/customer_id", "unknown"));
    assert!(shop.engine.items(Setting::GiftCardsTable).is_empty());
    let issued = shop.issue("a", &credit("ana")).await.unwrap();
    let ana = shop.customers.account(customer("ana")).await.unwrap();
    let deleted = Stamp::new(customer("ana"), 3, "CustomerDeleted", after(1));
    assert!(shop.customers.erase(&ana.unwrap(), deleted).await.unwrap());
    // It was issued, whatever has become of the customer.
    let again = shop.issue("a", &credit("ana")).await.unwrap();
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    assert_eq!(json_of(&again)["id"], json_of(&issued)["id"]);
    assert!(shop.issue("b", &credit("ana")).await.is_err());
}
