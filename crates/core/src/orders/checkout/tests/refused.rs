//! Requests that place nothing.

use super::*;

/// Checks the faults of the body that `change` makes of a valid one.
async fn check_refused(change: impl FnOnce(&mut Value), expected: &[(&str, &str)]) {
    let (shop, checkout) = shop().await;
    let mut body = body();
    change(&mut body);
    let refused = place_order(&checkout, placing("ana", "k", &body, placed_at())).await;
    let Err(Problem::InvalidBody(faults)) = refused else {
        panic!("{body}: {refused:?}");
    };
    let found: Vec<(&str, &str)> = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.code))
        .collect();
    assert_eq!(found, expected, "{body}");
    assert_eq!((count(&shop), shop.queued().len()), (0, 0));
}

#[tokio::test]
async fn quantities_and_products_are_checked() {
    for (quantity, code) in [
        (json!(0), "range"),
        (json!(-1), "range"),
        (json!(1000), "range"),
        (json!(1.5), "type"),
        (json!("2"), "type"),
        (json!(null), "type"),
    ] {
        let change = |body: &mut Value| body["items"][0]["quantity"] = quantity;
        check_refused(change, &[("/items/0/quantity", code)]).await;
    }
    let change = |body: &mut Value| body["items"][0]["product_id"] = json!("sencha");
    check_refused(change, &[("/items/0/product_id", "invalid")]).await;
    let change = |body: &mut Value| body["items"][0]["product_id"] = json!(product("oolong"));
    check_refused(change, &[("/items/0/product_id", "unknown_product")]).await;
    let change = |body: &mut Value| body["items"][0]["unit_price"] = json!("0.01");
    check_refused(change, &[("/items/0/unit_price", "unknown_field")]).await;
}

#[tokio::test]
async fn one_to_fifty_items_are_accepted_before_they_are_merged() {
    for count in [0, 51] {
        let items = vec![json!({"product_id": product("sencha"), "quantity": 1}); count];
        let change = |body: &mut Value| body["items"] = json!(items);
        check_refused(change, &[("/items", "length")]).await;
    }
    let (_, checkout) = shop().await;
    let mut body = body();
    body["items"] = json!(vec![
        json!({"product_id": product("sencha"), "quantity": 1});
        50
    ]);
    let answer = place(&checkout, placing("ana", "k", &body, placed_at())).await;
    assert_eq!(json_of(&answer)["items"][0]["quantity"], 50);
}

#[tokio::test]
async fn every_fault_of_the_body_is_reported_at_once() {
    let change = |body: &mut Value| {
        *body = json!({
            "items": [{"quantity": 0}],
            "shipping_address": {
                "recipient": "", "line1": " ", "line2": "x".repeat(101), "city": "a\u{0}",
                "postal_code": 1070, "country": "at", "planet": "Earth",
            },
            "payment": {"token": "tök"},
            "discount_code": "kein Gutschein für mich",
            "customer_id": "me",
        });
    };
    let expected = [
        ("/items/0/product_id", "required"),
        ("/items/0/quantity", "range"),
        ("/shipping_address/recipient", "length"),
        ("/shipping_address/line1", "blank"),
        ("/shipping_address/line2", "length"),
        ("/shipping_address/country", "invalid"),
        ("/shipping_address/city", "control_character"),
        ("/shipping_address/postal_code", "type"),
        ("/shipping_address/planet", "unknown_field"),
        ("/payment/token", "invalid"),
        ("/discount_code", "invalid"),
        ("/customer_id", "unknown_field"),
    ];
    check_refused(change, &expected).await;
}

#[tokio::test]
async fn a_missing_discount_is_not_a_fault_and_an_empty_text_counts_as_missing() {
    let (_, checkout) = shop().await;
    let mut body = body();
    body["discount_code"] = json!(null);
    body["shipping_address"]["line2"] = json!("");
    body["shipping_address"]["region"] = json!(null);
    let answer = place(&checkout, placing("ana", "k", &body, placed_at())).await;
    assert_eq!(json_of(&answer)["shipping_address"]["line2"], Value::Null);
}

#[tokio::test]
async fn payment_tokens_are_visible_ascii() {
    for token in ["", "with space", "line\nfeed", &"t".repeat(256)] {
        let change = |body: &mut Value| body["payment"]["token"] = json!(token);
        check_refused(change, &[("/payment/token", "invalid")]).await;
    }
    let (shop, checkout) = shop().await;
    let mut body = body();
    body["payment"]["token"] = json!("~".repeat(255));
    let answer = place(&checkout, placing("ana", "k", &body, placed_at())).await;
    let token = stored(&shop, &answer).await.payment_token;
    assert_eq!(token, Some("~".repeat(255)));
    let shown = String::from_utf8(answer.body).unwrap();
    assert!(!shown.contains("~~"), "a token is never shown");
}

#[tokio::test]
async fn a_request_without_a_caller_or_a_key_places_nothing() {
    let (shop, checkout) = shop().await;
    let mut anonymous = placing("ana", "k", &body(), placed_at());
    anonymous.identity = None;
    let refused = place_order(&checkout, anonymous).await;
    assert!(matches!(refused, Err(Problem::Unauthenticated(_))));
    let mut keyless = placing("ana", "k", &body(), placed_at());
    keyless.headers.remove("idempotency-key");
    let refused = place_order(&checkout, keyless).await;
    assert!(matches!(refused, Err(Problem::IdempotencyKeyRequired)));
    assert_eq!(count(&shop), 0);
}
