//! Codes that one order each can use: made once, and listed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{discount, ended, noon, percent, store};
use crate::http::exchange::Response;
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::pricing::codes::create_discount_codes;
use crate::pricing::model::{Code, Discount};
use crate::pricing::store::PricingStore;
use crate::testing::{self, Fault};

fn for_codes() -> Discount {
    Discount {
        single_use_codes: true,
        ..discount("spring", percent("0.1"))
    }
}

async fn create(
    store: &PricingStore,
    discount: &Discount,
    key: &str,
    count: u32,
) -> Result<Response, Problem> {
    let request = testing::request(noon(), &json!({ "count": count }));
    let request = request.at("discount_id", discount.id);
    create_discount_codes(store, request.with("idempotency-key", key)).await
}

fn body(response: Result<Response, Problem>) -> Value {
    serde_json::from_slice(&response.unwrap().body).unwrap()
}

/// Returns the codes that `store` lists.
async fn listed(store: &PricingStore, discount: &Discount) -> Vec<Code> {
    let mut page = PageRequest {
        limit: 100,
        after: None,
    };
    let mut codes = Vec::new();
    loop {
        let found = store.codes(discount.id, &page).await.unwrap();
        codes.extend(found.items);
        page.after = found.next;
        if page.after.is_none() {
            return codes;
        }
    }
}

#[tokio::test]
async fn codes_are_made_once_wherever_an_earlier_request_stopped() {
    // One writes the batch, and three write codes.
    let faults = [
        ("PutItem", 0, Fault::Failed),
        ("TransactWriteItems", 0, Fault::Failed),
        ("TransactWriteItems", 1, Fault::Failed),
        ("TransactWriteItems", 1, Fault::LostAnswer),
        ("TransactWriteItems", 2, Fault::LostAnswer),
    ];
    for (operation, before, fault) in faults {
        let (store, engine) = store();
        let spring = for_codes();
        store.create(spring.clone()).await.unwrap();
        for _ in 0..before {
            engine.fail_next(operation, Fault::None);
        }
        // The SDK repeats a request twice.
        for _ in 0..3 {
            engine.fail_next(operation, fault);
        }
        let failed = create(&store, &spring, "key", 250).await;
        assert!(failed.is_err(), "{operation} {before} {fault:?}");
        engine.clear_faults();
        let made = body(create(&store, &spring, "key", 250).await);
        assert_eq!(made["total"], 250, "{operation} {before} {fault:?}");
        engine.forget_calls();
        assert_eq!(body(create(&store, &spring, "key", 250).await), made);
        let calls = engine.calls();
        assert!(
            !calls.contains(&"TransactWriteItems".to_owned()),
            "{calls:?}"
        );
        let codes = made["codes"].as_array().unwrap().iter();
        let codes: BTreeSet<&str> = codes.map(|code| code.as_str().unwrap()).collect();
        let listed = listed(&store, &spring).await;
        assert_eq!(listed.len(), 250);
        let listed: BTreeSet<String> = listed.iter().map(Code::to_string).collect();
        assert!(listed.iter().eq(codes));
    }
}

#[tokio::test]
async fn the_same_request_at_the_same_time_makes_the_same_codes() {
    let (store, engine) = store();
    let spring = for_codes();
    store.create(spring.clone()).await.unwrap();
    let (other, same) = (store.clone(), spring.clone());
    let meanwhile = async move || {
        create(&other, &same, "key", 250).await.unwrap();
    };
    engine.before_next("TransactWriteItems", meanwhile);
    let made = body(create(&store, &spring, "key", 250).await);
    assert_eq!(made["total"], 250);
    assert_eq!(listed(&store, &spring).await.len(), 250);
}

#[tokio::test]
async fn another_key_makes_other_codes_and_a_key_is_for_one_request() {
    let (store, _) = store();
    let (spring, plain) = (for_codes(), discount("plain", percent("0.1")));
    store.create(spring.clone()).await.unwrap();
    store.create(plain.clone()).await.unwrap();
    let first = body(create(&store, &spring, "first", 2).await);
    let second = body(create(&store, &spring, "second", 2).await);
    assert_eq!((&first["total"], &second["total"]), (&json!(2), &json!(4)));
    assert_ne!(first["codes"], second["codes"]);
    assert_eq!(listed(&store, &spring).await.len(), 4);
    let refused = |outcome: Result<Response, Problem>| outcome.unwrap_err().status().as_u16();
    assert_eq!(refused(create(&store, &spring, "first", 3).await), 422);
    assert_eq!(refused(create(&store, &spring, "third", 1001).await), 422);
    assert_eq!(refused(create(&store, &plain, "third", 1).await), 409);
    let missing = discount("missing", percent("0.1"));
    assert_eq!(refused(create(&store, &missing, "third", 1).await), 404);
    store.replace(ended(&spring)).await.unwrap();
    assert_eq!(refused(create(&store, &spring, "third", 1).await), 409);
}
