//! Sales of products.

use serde_json::{Value, json};

use super::{Shop, faults, header, json_of, minute, shop, status_of, tea, tea_with};
use crate::catalog::api;
use crate::catalog::model::ProductError;
use crate::http::exchange::Request;
use crate::http::problem::Problem;
use crate::testing;

const DAY: i64 = 24 * 60;

fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// Returns a request about the product `id` at `minute(number)`.
fn at(number: i64, id: &Value, body: &Value) -> Request {
    testing::request(minute(number), body).at("product_id", id.as_str().unwrap())
}

impl Shop {
    /// Changes the product `id` at `minute(number)`, and returns it.
    async fn patched(&self, number: i64, id: &Value, patch: &Value) -> Value {
        let request = at(number, id, patch).with("if-match", "*");
        json_of(&self.update(request).await.unwrap())
    }

    /// Returns what an admin or somebody without a token sees at `minute(number)`: the current price, the price of the
    /// sale, and the entity tag.
    async fn seen(&self, number: i64, id: &Value, is_admin: bool) -> [String; 3] {
        let mut request = at(number, id, &json!({}));
        if !is_admin {
            request.identity = None;
        }
        let read = api::get_product(&self.catalogue, &self.admins, request);
        let read = read.await.unwrap();
        let body = json_of(&read);
        let amount = |price: &Value| price["amount"].as_str().unwrap_or("none").to_owned();
        let tag = header(&read, "ETag").unwrap().to_owned();
        [
            amount(&body["current_price"]),
            amount(&body["sale"]["price"]),
            tag,
        ]
    }
}

#[tokio::test]
async fn a_sale_is_shown_while_it_is_on_and_before_that_to_admins() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let sale = json!({"price": eur("10.00"), "starts_at": minute(10), "ends_at": minute(20)});
    let patched = shop.patched(1, &id, &json!({"sale": sale})).await;
    assert_eq!(patched["sale"]["lowest_price_before"], eur("12.50"));
    assert_eq!(
        (&patched["price"], &patched["current_price"]),
        (&eur("12.50"), &eur("12.50"))
    );
    let tag = |suffix: &str| format!("\"2-out_of_stock{suffix}\"");
    for (number, current, shown, suffix) in [
        (9, "12.50", "none", ""),
        (10, "10.00", "10.00", "-sale"),
        (19, "10.00", "10.00", "-sale"),
        (20, "12.50", "none", ""),
    ] {
        let expected = [current.to_owned(), shown.to_owned(), tag(suffix)];
        assert_eq!(shop.seen(number, &id, false).await, expected, "{number}");
    }
    let scheduled = ["12.50".to_owned(), "10.00".to_owned(), tag("-scheduled")];
    assert_eq!(shop.seen(9, &id, true).await, scheduled);
    let listed = shop.list(at(9, &id, &json!({})));
    let listed = json_of(&listed.await.unwrap());
    assert_eq!(listed["items"][0]["sale"], Value::Null);
    let listed = shop.list(at(10, &id, &json!({})));
    let listed = json_of(&listed.await.unwrap());
    assert_eq!(listed["items"][0]["sale"]["price"], eur("10.00"));
}

#[tokio::test]
async fn a_sale_begins_now_and_a_further_reduction_goes_on_with_it() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let sale = json!({"sale": {"price": eur("10.00")}});
    let first = shop.patched(5 * DAY, &id, &sale).await;
    assert_eq!(first["sale"]["starts_at"], json!(minute(5 * DAY)));
    // The same request changes nothing.
    assert_eq!(shop.patched(6 * DAY, &id, &sale).await, first);
    let further = json!({"sale": {"price": eur("9.00")}});
    let second = shop.patched(7 * DAY, &id, &further).await;
    assert_eq!(second["sale"]["starts_at"], first["sale"]["starts_at"]);
    assert_eq!(second["sale"]["lowest_price_before"], eur("12.50"));
    // What would start in the past starts now.
    let past = json!({"sale": {"price": eur("8.00"), "starts_at": minute(0)}});
    let third = shop.patched(8 * DAY, &id, &past).await;
    assert_eq!(third["sale"]["starts_at"], json!(minute(8 * DAY)));
    assert_eq!(third["sale"]["lowest_price_before"], eur("9.00"));
    let ended = shop.patched(9 * DAY, &id, &json!({"sale": null})).await;
    assert_eq!(
        (&ended["sale"], &ended["current_price"]),
        (&Value::Null, &eur("12.50"))
    );
}

#[tokio::test]
async fn a_product_can_be_new_with_its_sale() {
    let shop = shop();
    let made = shop
        .made(0, tea_with(json!({"sale": {"price": eur("9.90")}})))
        .await;
    assert_eq!(made["current_price"], eur("9.90"));
    assert_eq!(made["sale"]["lowest_price_before"], Value::Null);
}

#[tokio::test]
async fn a_sale_that_does_not_fit_is_refused() {
    let shop = shop();
    for (sale, fault) in [
        (json!({}), "/sale/price required"),
        (json!({"price": eur("0.00")}), "/sale/price range"),
        (
            json!({"price": eur("1.00"), "starts_at": "soon"}),
            "/sale/starts_at invalid",
        ),
        (
            json!({"price": eur("1.00"), "until": null}),
            "/sale/until unknown_field",
        ),
        (json!(9), "/sale type"),
        (json!({"price": eur("12.50")}), "/sale/price range"),
        (
            json!({"price": eur("1.00"), "ends_at": minute(0)}),
            "/sale/ends_at range",
        ),
    ] {
        let request = testing::request(minute(0), &tea_with(json!({"sale": sale})));
        assert_eq!(faults(shop.create(request).await), [fault], "{sale}");
    }
    let id = shop.made(0, tea()).await["id"].clone();
    shop.patched(
        1,
        &id,
        &json!({"sale": {"price": eur("10.00"), "ends_at": minute(9)}}),
    )
    .await;
    let lower = json!({"price": eur("10.00")});
    let request = |number| at(number, &id, &lower).with("if-match", "*");
    let refused = shop.update(request(8)).await;
    assert!(
        matches!(&refused, Err(Problem::InvalidBody(_))),
        "{refused:?}"
    );
    assert_eq!(faults(refused), ["/price range"]);
    // It does not matter any more when the sale is over, or ends with the same request.
    let both = json!({"price": eur("10.00"), "sale": null});
    let request_for_both = at(8, &id, &both).with("if-match", "\"2\"");
    assert_eq!(status_of(shop.update(request_for_both).await), 200);
    assert_eq!(status_of(shop.update(request(9)).await), 200);
}

#[tokio::test]
async fn the_lowest_price_of_thirty_days_is_read_back_from_the_table() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    for (day, amount) in [(10, "11.00"), (20, "14.00"), (45, "13.00")] {
        shop.patched(day * DAY, &id, &json!({"price": eur(amount)}))
            .await;
    }
    let sale = json!({"price": eur("10.00"), "starts_at": minute(49 * DAY)});
    let patched = shop.patched(46 * DAY, &id, &json!({"sale": sale})).await;
    assert_eq!(patched["sale"]["lowest_price_before"], eur("11.00"));
    let sale = json!({"price": eur("10.00"), "starts_at": minute(50 * DAY)});
    let patched = shop.patched(46 * DAY, &id, &json!({"sale": sale})).await;
    assert_eq!(patched["sale"]["lowest_price_before"], eur("13.00"));
    let stored = shop.stored();
    assert_eq!(
        stored[0]["past_prices"].as_array().unwrap().len(),
        3,
        "{stored:?}"
    );
}

#[tokio::test]
async fn a_discontinued_product_keeps_its_sale_as_it_is() {
    let shop = shop();
    let id = shop
        .made(0, tea_with(json!({"sale": {"price": eur("9.90")}})))
        .await["id"]
        .clone();
    let gone = at(1, &id, &json!({})).with("if-match", "*");
    assert_eq!(
        json_of(&shop.discontinue(gone).await.unwrap())["sale"]["price"],
        eur("9.90")
    );
    let request = at(1, &id, &json!({"sale": null})).with("if-match", "*");
    assert!(matches!(
        shop.update(request).await,
        Err(problem) if problem.status() == 409 && problem.to_string() == ProductError::Discontinued.to_string()
    ));
}
