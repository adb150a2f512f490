use std::collections::BTreeMap;

use expect_test::expect;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::aws::settings::Setting;
use crate::catalog::content::ContentChange;
use crate::catalog::model::Status as ProductStatus;
use crate::catalog::rules::{Draft as ProductDraft, create};
use crate::orders::fixtures::{
    Shop, after, customer, header, json_of, lines, order_of, placed_at, product, request, sold_at,
    with_header,
};
use crate::orders::number::OrderNumber;
use crate::orders::rules::Awaited;
use crate::testing::Fault;
use crate::values::clock::Time;

mod refused;
mod variants;

/// A shop that sells sencha, matcha and a voucher, which is not shipped, and its checkout.
async fn shop() -> (Shop, Checkout) {
    let shop = Shop::open();
    let checkout = Checkout::new(&shop.aws).unwrap();
    for (name, price) in [
        ("sencha", "12.90"),
        ("matcha", "30.00"),
        ("voucher", "50.00"),
    ] {
        let draft = ProductDraft {
            name: name.to_owned(),
            description: String::new(),
            category: "tea".parse().unwrap(),
            shipped: name != "voucher",
            attributes: BTreeMap::new(),
            status: ProductStatus::Active,
            sold: sold_at(price),
            content: ContentChange::default(),
        };
        let product = create(product(name), draft, None, placed_at()).unwrap();
        checkout.totals.products.create(product).await.unwrap();
        shop.stocked(name, 10_000).await;
    }
    (shop, checkout)
}

fn body() -> Value {
    json!({
        "items": [{"product_id": product("sencha"), "quantity": 2}],
        "shipping_address": {
            "recipient": "Ana", "line1": "Lindenstraße 12", "city": "Wien",
            "postal_code": "1070", "country": "AT",
        },
        "payment": {"token": "tok_ok"},
    })
}

fn placing(name: &str, key: &str, body: &Value, now: Time) -> Request {
    let request = with_header(request(name, now), "content-type", "application/json");
    let mut request = with_header(request, "idempotency-key", key);
    request.body = body.to_string().into_bytes();
    request
}

async fn place(checkout: &Checkout, request: Request) -> Response {
    place_order(checkout, request).await.unwrap()
}

async fn stored(shop: &Shop, answer: &Response) -> Order {
    let id = json_of(answer)["id"].as_str().unwrap().parse().unwrap();
    shop.orders.get(id).await.unwrap().unwrap()
}

fn count(shop: &Shop) -> usize {
    shop.engine.items(Setting::OrdersTable).len() / 2
}

#[test]
fn the_tax_number_is_that_of_the_address_to_which_goods_are_sent_or_else_of_who_pays() {
    let (vienna, graz) = ("ATU13585627", "ATU10223006");
    let billing = json!({
        "recipient": "Ana", "line1": "Ring 1", "city": "Graz", "postal_code": "8010",
        "country": "AT", "tax_number": graz,
    });
    for (shipping, billing, number, at) in [
        (
            json!(vienna),
            billing.clone(),
            Some(vienna),
            "/shipping_address/tax_number",
        ),
        (
            json!(vienna),
            json!(null),
            Some(vienna),
            "/shipping_address/tax_number",
        ),
        (
            json!(null),
            billing,
            Some(graz),
            "/billing_address/tax_number",
        ),
        (
            json!(null),
            json!(null),
            None,
            "/shipping_address/tax_number",
        ),
    ] {
        let mut sent = body();
        sent["shipping_address"]["tax_number"] = shipping;
        sent["billing_address"] = billing;
        let sent = sent.to_string();
        let read = crate::http::body::read(sent.as_bytes(), draft::read);
        let (found, found_at) = read.unwrap().tax_number();
        let found = found.map(|number| number.to_string());
        assert_eq!((found.as_deref(), found_at), (number, at));
    }
}

#[tokio::test]
async fn an_order_whose_number_is_taken_gets_another_one() {
    let (shop, checkout) = shop().await;
    let key = "k";
    let customer = customer("ana").to_string();
    let id = OrderId::derived(&["place-order", &customer, key]);
    let other = Order {
        number: Some(OrderNumber::derived(id, 0)),
        ..order_of("ben", lines(1), placed_at())
    };
    shop.store(&other).await;
    let answer = place(&checkout, placing("ana", key, &body(), placed_at())).await;
    let next = OrderNumber::derived(id, 1);
    assert_eq!(json_of(&answer)["number"], next.to_string());
}

#[tokio::test]
async fn an_order_keeps_what_its_customer_tells_about_it() {
    let (shop, checkout) = shop().await;
    let mut wanted = body();
    wanted["billing_address"] = json!({
        "recipient": "Buchhaltung", "company": "Teehaus GmbH", "line1": "Ring 1", "city": "Graz",
        "postal_code": "8010", "country": "AT", "tax_number": "ATU13585627",
    });
    wanted["note"] = json!("Bitte beim Nachbarn abgeben.\nDanke!");
    wanted["metadata"] = json!({"campaign": "spring", "basket": ""});
    let answer = place(&checkout, placing("ana", "k", &wanted, placed_at())).await;
    let shown = json_of(&answer);
    assert_eq!(shown["billing_address"]["company"], "Teehaus GmbH");
    assert_eq!(shown["billing_address"]["line2"], Value::Null);
    assert_eq!(shown["note"], wanted["note"]);
    assert_eq!(shown["metadata"], wanted["metadata"]);
    let stored = stored(&shop, &answer).await;
    assert!(!stored.is_erased());
    shop.orders.erase_address(&stored).await.unwrap();
    let erased = shop.stored(&stored).await;
    assert_eq!(erased, stored.with_erased_lines());
    assert!(erased.is_erased());
    let items = Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    for personal in ["Teehaus", "Nachbarn", "spring"] {
        assert!(!items.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn every_fault_of_what_a_customer_tells_is_reported() {
    let (_, checkout) = shop().await;
    let mut wrong = body();
    wrong["billing_address"] = json!({"country": "US", "recipient": "Ana"});
    wrong["note"] = json!("x".repeat(1001));
    let pairs = (0..21).map(|number| (format!("name {number}"), json!("")));
    wrong["metadata"] = Value::Object(pairs.collect());
    let refused = place_order(&checkout, placing("ana", "k", &wrong, placed_at())).await;
    let Problem::InvalidBody(faults) = refused.unwrap_err() else {
        panic!("it was taken");
    };
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/billing_address/line1",
            "/billing_address/city",
            "/billing_address/region",
            "/billing_address/postal_code",
            "/note",
            "/metadata"
        ]
    );
    wrong["note"] = json!(" ");
    wrong["metadata"] = json!({"": "a", "b": 1});
    wrong["billing_address"] = json!(null);
    let refused = place_order(&checkout, placing("ana", "k", &wrong, placed_at())).await;
    let Problem::InvalidBody(faults) = refused.unwrap_err() else {
        panic!("it was taken");
    };
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/note", "/metadata"]);
}

#[tokio::test]
async fn an_order_knows_whether_any_of_it_is_shipped() {
    let (shop, checkout) = shop().await;
    for (names, is_shipped) in [
        (&["voucher"][..], false),
        (&["voucher", "sencha"], true),
        (&["sencha"], true),
    ] {
        let items = names.iter();
        let items = items.map(|name| json!({"product_id": product(name), "quantity": 1}));
        let mut body = body();
        body["items"] = items.collect();
        let answer = place(
            &checkout,
            placing("ana", &names.concat(), &body, placed_at()),
        )
        .await;
        let order = stored(&shop, &answer).await;
        assert_eq!(order.is_shipped, is_shipped, "{names:?}");
        assert_eq!(order.shipping_address.city, "Wien");
    }
}

#[tokio::test]
async fn a_placed_order_is_pending_and_its_workflow_runs() {
    let (shop, checkout) = shop().await;
    let answer = place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let order = stored(&shop, &answer).await;
    let location = format!("/orders/{}", order.id);
    assert_eq!(header(&answer, "Location"), Some(location.as_str()));
    assert_eq!(header(&answer, "ETag"), Some("\"1-pending\""));
    assert_eq!(header(&answer, "Idempotent-Replayed"), None);
    assert_eq!(header(&answer, "Preference-Applied"), None);
    assert_eq!(shop.started(&order), ["0"]);
    let text = serde_json::to_string_pretty(&json_of(&answer)).unwrap();
    expect![[r#"
        {
          "amount_due": {
            "amount": "25.80",
            "currency": "EUR"
          },
          "billing_address": null,
          "created_at": "2026-03-01T09:30:00.000Z",
          "customer_id": "03cdfb5b-a899-50a7-84a6-6d865e0c058e",
          "discount": {
            "amount": "0.00",
            "currency": "EUR"
          },
          "discounts": [],
          "failure": null,
          "gift_cards": [],
          "id": "119f7f55-5b14-5a47-b30a-2b3ab23e0e4f",
          "items": [
            {
              "discounts": [],
              "name": "sencha",
              "price_list": null,
              "product_id": "7ca4c7f7-42dc-5178-9609-0cab594fbe50",
              "quantity": 2,
              "sku": "7ca4c7f7-42dc-5178-9609-0cab594fbe50",
              "subtotal": {
                "amount": "25.80",
                "currency": "EUR"
              },
              "taxes": [],
              "unit_price": {
                "amount": "12.90",
                "currency": "EUR"
              },
              "variant_id": "7ca4c7f7-42dc-5178-9609-0cab594fbe50"
            }
          ],
          "metadata": {},
          "note": null,
          "number": "6014-8183-7865",
          "payment_status": "pending",
          "reverse_charge": false,
          "review": null,
          "shipping": null,
          "shipping_address": {
            "city": "Wien",
            "company": null,
            "country": "AT",
            "line1": "Lindenstraße 12",
            "line2": null,
            "phone": null,
            "postal_code": "1070",
            "recipient": "Ana",
            "region": null,
            "tax_number": null
          },
          "status": "pending",
          "subtotal": {
            "amount": "25.80",
            "currency": "EUR"
          },
          "tax": {
            "amount": "0.00",
            "currency": "EUR"
          },
          "tax_number_check": null,
          "taxes": [],
          "total_amount": {
            "amount": "25.80",
            "currency": "EUR"
          },
          "updated_at": "2026-03-01T09:30:00.000Z",
          "version": 1
        }"#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn items_of_one_product_are_one_line() {
    let (_, checkout) = shop().await;
    let mut body = body();
    body["items"] = json!([
        {"product_id": product("sencha"), "quantity": 1},
        {"product_id": product("matcha"), "quantity": 1},
        {"product_id": product("sencha"), "quantity": 3},
    ]);
    let answer = json_of(&place(&checkout, placing("ana", "k", &body, placed_at())).await);
    assert_eq!(answer["items"].as_array().unwrap().len(), 2);
    assert_eq!(answer["items"][0]["quantity"], 4);
    assert_eq!(answer["total_amount"]["amount"], "81.60");
}

#[tokio::test]
async fn nobody_waits_for_an_order_that_waits_for_its_shopper() {
    for awaited in [Awaited::Shopper, Awaited::Token] {
        let (shop, checkout) = shop().await;
        let first = place(&checkout, placing("ana", "k", &body(), placed_at())).await;
        let order = stored(&shop, &first).await;
        let waiting = rules::postpone(order, Some(awaited), after(1))
            .unwrap()
            .unwrap();
        shop.orders.replace(waiting, &[]).await.unwrap().unwrap();
        let again = placing("ana", "k", &body(), after(2));
        shop.engine.forget_calls();
        place(&checkout, again.clone()).await;
        let calls = shop.engine.calls();
        shop.engine.forget_calls();
        let answer = place(&checkout, with_header(again, "prefer", "wait=2")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(
            shop.engine.calls(),
            calls,
            "{awaited:?}: it is not read again"
        );
    }
}

#[tokio::test]
async fn a_repeated_request_returns_the_same_order_as_it_is_now() {
    let (shop, checkout) = shop().await;
    let first = place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    let order = stored(&shop, &first).await;
    let confirmed = rules::confirm(
        order.clone(),
        crate::orders::model::PaymentStatus::Completed,
        after(1),
    )
    .unwrap()
    .unwrap();
    shop.orders.replace(confirmed, &[]).await.unwrap().unwrap();
    // A later change of the catalogue does not concern a placed order.
    let stored = checkout
        .totals
        .products
        .get(product("sencha"))
        .await
        .unwrap();
    let (stored, any) = (stored.unwrap(), crate::http::exchange::IfMatch::Any);
    let gone = crate::catalog::rules::discontinue(&stored, &any, after(2));
    let gone = gone.unwrap().unwrap();
    let products = &checkout.totals.products;
    products.replace(&stored, gone).await.unwrap();
    let again = place(&checkout, placing("ana", "k", &body(), after(3))).await;
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    assert_eq!(header(&again, "ETag"), Some("\"2-completed\""));
    assert_eq!(json_of(&again)["status"], "confirmed");
    assert_eq!(json_of(&again)["id"], order.id.to_string());
    assert_eq!(shop.started(&order), ["0"]);
    assert_eq!(count(&shop), 1);
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_customer() {
    let (shop, checkout) = shop().await;
    place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    let mut other = body();
    other["payment"]["token"] = json!("tok_declined");
    let refused = place_order(&checkout, placing("ana", "k", &other, placed_at())).await;
    assert!(matches!(refused, Err(Problem::IdempotencyKeyReused)));
    let ben = place(&checkout, placing("ben", "k", &other, placed_at())).await;
    assert_eq!(header(&ben, "Idempotent-Replayed"), None);
    let new = place(&checkout, placing("ana", "k2", &other, placed_at())).await;
    assert_eq!(header(&new, "Idempotent-Replayed"), None);
    assert_eq!(count(&shop), 3);
}

#[tokio::test]
async fn twenty_at_once_place_one_order() {
    let (shop, checkout) = shop().await;
    let requests = (0..20).map(|_| place(&checkout, placing("ana", "k", &body(), placed_at())));
    let answers = futures::future::join_all(requests).await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|answer| json_of(answer)["id"].to_string())
        .collect();
    assert_eq!((ids.len(), count(&shop)), (1, 1));
    let replayed = answers
        .iter()
        .filter(|answer| header(answer, "Idempotent-Replayed").is_some());
    assert_eq!(replayed.count(), 19);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_places_one_order() {
    let (shop, checkout) = shop().await;
    shop.engine
        .fail_next("TransactWriteItems", Fault::LostAnswer);
    let answer = place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let order = stored(&shop, &answer).await;
    assert_eq!(shop.started(&order), ["0"]);
    assert_eq!(count(&shop), 1);
}

#[tokio::test]
async fn an_order_whose_start_failed_is_placed_and_due() {
    let (shop, checkout) = shop().await;
    shop.refuse_starts();
    let answer = place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    let order = stored(&shop, &answer).await;
    assert_eq!(
        shop.orders.due_orders(after(60), 100).await.unwrap(),
        [order.id]
    );
}

#[tokio::test]
async fn a_repeated_request_starts_what_was_never_started() {
    let (shop, checkout) = shop().await;
    shop.engine.answer_others("StartExecution", |_| {
        (400, json!({"__type": "InvalidName"}))
    });
    let answer = place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    let order = stored(&shop, &answer).await;
    let starts = shop.count_starts();
    place(&checkout, placing("ana", "k", &body(), placed_at())).await;
    assert_eq!(starts(), 0, "the first request may be about to start it");
    place(&checkout, placing("ana", "k", &body(), after(1))).await;
    assert_eq!(starts(), 1);
    let taken_up = rules::take_up(order, after(60)).unwrap();
    shop.orders.replace(taken_up, &[]).await.unwrap().unwrap();
    place(&checkout, placing("ana", "k", &body(), after(61))).await;
    assert_eq!(starts(), 1, "a later run has begun");
}

#[tokio::test]
async fn a_client_that_waits_gets_the_outcome() {
    let (shop, checkout) = shop().await;
    let waiting = with_header(
        placing("ana", "k", &body(), placed_at()),
        "prefer",
        "wait=20",
    );
    let placed = place(&checkout, waiting);
    let failing = async {
        let order = loop {
            let customer = crate::orders::fixtures::customer("ana");
            let page = crate::http::page::PageRequest {
                limit: 1,
                after: None,
            };
            let found = shop.orders.by_customer(customer, None, &page).await;
            if let Some(order) = found.unwrap().items.pop() {
                break order;
            }
            tokio::task::yield_now().await;
        };
        let failure = crate::orders::model::Failure::new(
            crate::orders::model::FailureCode::OutOfStock,
            "sold out",
        );
        // An order of a list is read again before it is changed.
        let order = shop.stored(&order).await;
        let failed = rules::fail(order, failure, after(1)).unwrap().unwrap();
        shop.orders.replace(failed, &[]).await.unwrap().unwrap();
    };
    let (answer, ()) = Box::pin(futures::future::join(placed, failing)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(header(&answer, "Preference-Applied"), Some("wait=20"));
    assert_eq!(json_of(&answer)["failure"]["code"], "out_of_stock");
}

#[tokio::test]
async fn a_client_that_has_waited_long_enough_gets_the_pending_order() {
    let (_, checkout) = shop().await;
    let waiting = with_header(
        placing("ana", "k", &body(), placed_at()),
        "prefer",
        "wait=1",
    );
    let started = Instant::now();
    let answer = place(&checkout, waiting).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(header(&answer, "Preference-Applied"), Some("wait=1"));
}
