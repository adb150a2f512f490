//! What is refused because it is out of stock, and what is not.

use serde_json::{Value, json};

use super::*;
use crate::customers::link::Links;
use crate::http::exchange::{Request, Response};
use crate::orders::checkout::{Checkout, place_order};
use crate::orders::fixtures::{Shop, after, eur, header, json_of, product, request, with_header};
use crate::orders::guests::place_guest_order;
use crate::orders::quotes::{create_guest_quote, create_quote};
use crate::orders::totals::Totals;

fn item(quantity: u32) -> Value {
    json!({"product_id": product("sencha"), "quantity": quantity})
}

fn sent(items: &[Value], more: &Value) -> Request {
    let mut body = json!({
        "items": items,
        "shipping_address": {
            "recipient": "Ana", "line1": "Lindenstraße 12", "city": "Wien", "postal_code": "1070",
            "country": "AT",
        },
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let request = with_header(request("ana", after(1)), "content-type", "application/json");
    let mut request = with_header(request, "idempotency-key", "k");
    request.body = body.to_string().into_bytes();
    request
}

fn order(items: &[Value]) -> Request {
    sent(items, &json!({"payment": {"token": "tok_ok"}}))
}

/// Returns the pointers of what is out of stock.
fn short_items(outcome: Result<Response, Problem>) -> Vec<String> {
    match outcome {
        Ok(_) => Vec::new(),
        Err(Problem::OutOfStock(faults)) => {
            assert!(faults.iter().all(|fault| fault.code == "out_of_stock"));
            faults.into_iter().map(|fault| fault.pointer).collect()
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn orders_and_quotes_of_customers_and_guests_are_refused_for_what_is_short() {
    let shop = Shop::selling_sencha().await;
    let checkout = Checkout::new(&shop.aws).unwrap();
    let (totals, links) = (
        Totals::new(&shop.aws).unwrap(),
        Links::new(&shop.aws).unwrap(),
    );
    let cards = shop.preview();
    shop.stocked("sencha", 2).await;
    for (quantity, expected) in [(3, vec!["/items/0/quantity"]), (2, vec![])] {
        let items = [item(quantity)];
        let quote = sent(&items, &json!({}));
        let guest = json!({"payment": {"token": "tok_ok"}, "email": "ana@example.com"});
        let outcomes = [
            create_quote(&totals, &links, &cards, quote.clone()).await,
            create_guest_quote(&totals, &links, &cards, quote).await,
            Box::pin(place_order(&checkout, order(&items))).await,
            Box::pin(place_guest_order(&checkout, &links, sent(&items, &guest))).await,
        ];
        for outcome in outcomes {
            assert_eq!(short_items(outcome), expected);
        }
    }
}

#[tokio::test]
async fn items_of_one_product_are_compared_as_their_sum() {
    let shop = Shop::selling_sencha().await;
    let checkout = Checkout::new(&shop.aws).unwrap();
    shop.stocked("sencha", 5).await;
    let refused = place_order(&checkout, order(&[item(3), item(3)])).await;
    assert_eq!(
        short_items(refused),
        ["/items/0/quantity", "/items/1/quantity"]
    );
    let placed = place_order(&checkout, order(&[item(3), item(2)])).await;
    assert!(short_items(placed).is_empty());
}

#[tokio::test]
async fn what_was_restocked_since_it_was_seen_is_not_short() {
    let shop = Shop::open();
    let check = StockCheck::new(&shop.aws).unwrap();
    let items = ["sencha", "matcha", "oolong"].map(|name| Item {
        product_id: Some(product(name)),
        variant_id: None,
        quantity: 2,
    });
    let lines = items.map(|item| Line {
        product_id: item.product_id.unwrap(),
        variant_id: item.product_id.unwrap().into(),
        sku: None,
        name: "Tea".to_owned(),
        quantity: item.quantity,
        unit_price: eur("12.90"),
        price_list: None,
    });
    // Of oolong there is not even an item of stock.
    shop.stocked("sencha", 0).await;
    shop.stocked("matcha", 0).await;
    let seen = check.glance(&items).await.unwrap();
    shop.stocked("matcha", 2).await;
    let faults = check.shortage(&items, &lines, &seen).await.unwrap();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/items/0/quantity", "/items/2/quantity"]);
}

#[tokio::test]
async fn an_order_whose_own_hold_took_the_last_pieces_is_not_refused() {
    let shop = Shop::selling_sencha().await;
    let checkout = Checkout::new(&shop.aws).unwrap();
    // The same request, at the same time, is quicker, and so is the order's workflow.
    let (other, twin) = (shop.clone(), checkout.clone());
    shop.engine.before_next("BatchGetItem", async move || {
        let placed = Box::pin(place_order(&twin, order(&[item(2)]))).await;
        assert_eq!(header(&placed.unwrap(), "Idempotent-Replayed"), None);
        other.stocked("sencha", 0).await;
    });
    let placed = Box::pin(place_order(&checkout, order(&[item(2)])))
        .await
        .unwrap();
    assert_eq!(header(&placed, "Idempotent-Replayed"), Some("true"));
    assert_eq!(json_of(&placed)["status"], "pending");
}

#[tokio::test]
async fn a_placed_order_is_returned_although_nothing_is_left() {
    let shop = Shop::selling_sencha().await;
    let checkout = Checkout::new(&shop.aws).unwrap();
    Box::pin(place_order(&checkout, order(&[item(2)])))
        .await
        .unwrap();
    shop.stocked("sencha", 0).await;
    let again = Box::pin(place_order(&checkout, order(&[item(2)])))
        .await
        .unwrap();
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
}
