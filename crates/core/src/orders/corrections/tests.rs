use serde_json::{Value, json};

use super::*;
use crate::orders::fixtures::{Shop, after, json_of, order, request_about, with_header};
use crate::orders::model::Status;
use crate::pricing::breakdown::PricedShipping;
use crate::pricing::fixtures::{self as pricing, method, tax, tax_settings};
use crate::pricing::shipping::{Cost, Zone};

fn address() -> Value {
    json!({
        "recipient": "Ana Müller", "line1": "Lindenstraße 21", "city": "Wien", "postal_code": "1070",
        "country": "AT", "phone": "+43 1 234567",
    })
}

async fn correct(
    shop: &Shop,
    name: &str,
    if_match: &str,
    address: &Value,
) -> Result<Response, Problem> {
    let request = request_about(&order(), name, after(5));
    let request = with_header(request, "content-type", "application/json");
    let mut request = with_header(request, "if-match", if_match);
    request.body = address.to_string().into_bytes();
    correct_address(&Corrections::new(&shop.aws).unwrap(), request).await
}

#[tokio::test]
async fn an_address_is_corrected_by_the_owner_or_an_admin() {
    for name in ["ana", "admin"] {
        let shop = Shop::with(&order()).await;
        let answer = correct(&shop, name, "\"1-pending\"", &address())
            .await
            .unwrap();
        assert_eq!(
            json_of(&answer)["shipping_address"]["line1"],
            "Lindenstraße 21"
        );
        let stored = shop.stored(&order()).await;
        assert_eq!(stored.shipping_address.line1, "Lindenstraße 21");
        assert_eq!((stored.version, stored.due_at), (2, order().due_at));
        assert_eq!(stored.event.event_type, "OrderAddressCorrected");
        // The response was lost, and the client sends the request again.
        let again = correct(&shop, name, "\"1-pending\"", &address())
            .await
            .unwrap();
        assert_eq!(json_of(&again)["version"], 2);
    }
    let shop = Shop::with(&order()).await;
    let others = correct(&shop, "ben", "*", &address()).await;
    assert!(matches!(others, Err(Problem::NotFound("order"))));
    let stale = correct(&shop, "ana", "\"2-pending\"", &address()).await;
    assert!(matches!(stale, Err(Problem::PreconditionFailed)));
    assert_eq!(shop.stored(&order()).await, order());
}

#[tokio::test]
async fn an_order_does_not_go_where_it_could_cost_something_else() {
    let shop = Shop::with(&order()).await;
    let mut elsewhere = address();
    elsewhere["country"] = json!("DE");
    elsewhere["postal_code"] = json!("10115");
    let refused = correct(&shop, "ana", "*", &elsewhere).await;
    assert!(
        matches!(&refused, Err(Problem::InvalidBody(faults)) if faults[0].code == "another_price"),
        "{refused:?}"
    );
    assert_eq!(shop.stored(&order()).await, order());
}

#[tokio::test]
async fn an_order_that_is_shipped_or_over_keeps_its_address() {
    for status in Status::ALL {
        let open = [Status::Pending, Status::Confirmed, Status::Processing].contains(status);
        let stored = Order {
            status: *status,
            ..order()
        };
        let shop = Shop::with(&stored).await;
        match correct(&shop, "ana", "*", &address()).await {
            Ok(_) => assert!(open, "{status}"),
            Err(Problem::Conflict(_)) => assert!(!open, "{status}"),
            Err(problem) => panic!("{problem:?}"),
        }
    }
}

#[tokio::test]
async fn a_correction_that_is_overtaken_is_decided_again() {
    let shop = Shop::with(&order()).await;
    shop.engine.before_next("TransactWriteItems", {
        let shop = shop.clone();
        async move || {
            let confirmed = rules::confirm(
                order(),
                crate::orders::model::PaymentStatus::Completed,
                after(3),
            )
            .unwrap()
            .unwrap();
            shop.orders.replace(confirmed, &[]).await.unwrap().unwrap();
        }
    });
    let overtaken = correct(&shop, "ana", "\"1-pending\"", &address()).await;
    assert!(matches!(overtaken, Err(Problem::PreconditionFailed)));
    let stored = shop.stored(&order()).await;
    assert_eq!(stored.shipping_address, order().shipping_address);
}

#[track_caller]
fn check(book: &PriceBook, method: Option<&str>, change: impl Fn(&mut Address), expected: &str) {
    let mut order = order();
    order.breakdown.shipping = method.map(|method| PricedShipping {
        method: method.to_owned(),
        name: "Post".to_owned(),
        delivery_days: None,
        price: pricing::eur("5.00"),
        discounts: Vec::new(),
        taxes: Vec::new(),
    });
    let mut address = order.shipping_address.clone();
    change(&mut address);
    let found = match check_price(book, &order, &address) {
        Ok(()) => String::new(),
        Err(Problem::InvalidBody(faults)) => faults[0].pointer.clone(),
        Err(problem) => panic!("{problem:?}"),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_correction_does_not_lead_to_another_price() {
    let mut post = method(
        "post",
        Cost::Flat {
            price: pricing::eur("5.00"),
        },
    );
    post.countries = vec!["AT".to_owned()];
    post.zones = vec![Zone {
        country: "AT".to_owned(),
        regions: Vec::new(),
        postal_codes: vec!["69*".parse().unwrap()],
        excluded: false,
        surcharge: Some(pricing::eur("2.00")),
    }];
    let mut book = PriceBook::default();
    book.methods = vec![post];
    let code = |code: &'static str| move |to: &mut Address| to.postal_code = Some(code.to_owned());
    check(&book, Some("post"), code("1010"), "");
    check(&book, Some("post"), code("6991"), "/postal_code");
    check(&book, None, code("6991"), "");
    check(&book, Some("gone"), code("1010"), "/postal_code");
    check(&book, Some("gone"), |to| to.line1 = "Ring 1".to_owned(), "");
    check(&book, None, |to| to.country = "DE".to_owned(), "/country");
    let number = |to: &mut Address| to.tax_number = "ATU13585627".parse().ok();
    check(&book, None, number, "/tax_number");
    let in_vienna = tax("AT", Some("Wien"), None, "0.10", false);
    let mut book = PriceBook::default();
    book.taxes = tax_settings(&[tax("AT", None, None, "0.20", false), in_vienna]);
    let region = |text: &'static str| move |to: &mut Address| to.region = Some(text.to_owned());
    check(&book, None, region("Wien"), "/region");
}
