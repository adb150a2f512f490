//! The ledger on an embedded DynamoDB: from the changes of real payments to what an admin reads.

use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};

use super::api::list_ledger;
use super::model::{Entry, Movement};
use super::record::record_ledger;
use super::rules;
use super::store::LedgerStore;
use crate::aws::settings::Setting;
use crate::http::exchange::Request;
use crate::orders::model::Status;
use crate::payments::fixtures::{Shop, after, all_refunds, eur, identity, order_id};
use crate::payments::model::{Change, Payment, Provider};
use crate::payments::rules::apply;
use crate::payments::store::PaymentImage;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;
use crate::values::id::OrderId;
use crate::values::stream::StreamBatch;

/// A ledger, and the changes of the stored payment.
struct Books {
    ledger: LedgerStore,
    engine: Engine,
    changes: Vec<Value>,
}

impl Books {
    fn open() -> Self {
        let (aws, engine) = testing::aws();
        Self {
            ledger: LedgerStore::new(&aws).unwrap(),
            engine,
            changes: Vec::new(),
        }
    }

    /// Notes that the payment of `shop` has changed to what is stored now.
    fn note(&mut self, shop: &Shop) {
        let stored = shop.engine.items(Setting::PaymentsTable).remove(0);
        let item: serde_dynamo::Item = serde_dynamo::to_item(stored).unwrap();
        self.changed(serde_json::to_value(item).unwrap());
    }

    fn changed(&mut self, new: Value) {
        let number = self.changes.len();
        let mut change = json!({
            "SequenceNumber": number.to_string(),
            "Keys": {"payment_id": new["payment_id"].clone()},
            "NewImage": new,
        });
        if let Some(before) = self.changes.last() {
            change["OldImage"] = before["dynamodb"]["NewImage"].clone();
        }
        self.changes.push(json!({
            "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/PAYMENTS_TABLE/stream/x",
            "dynamodb": change,
        }));
    }

    /// Delivers these changes. Returns the sequence number from which on they have to be delivered again.
    async fn deliver(&self, changes: &[Value]) -> Option<String> {
        let batch: StreamBatch = serde_json::from_value(json!({"Records": changes})).unwrap();
        let response = record_ledger(&self.ledger, batch).await.unwrap();
        let response = serde_json::to_value(response).unwrap();
        let failures = response["batchItemFailures"].as_array().unwrap();
        let from = failures.first()?["itemIdentifier"].as_str().unwrap();
        Some(from.to_owned())
    }

    /// Returns the entries of the payment as lines.
    async fn shown(&self) -> String {
        let payment = Payment::id_of(order_id());
        let page = self.ledger.of_payment(payment, 100, None).await.unwrap();
        page.items.iter().map(line).collect()
    }
}

fn line(entry: &Entry) -> String {
    let Entry {
        version,
        of,
        debit,
        credit,
        amount,
        ..
    } = entry;
    let refund = if entry.refund_id.is_some() {
        " of a refund"
    } else {
        ""
    };
    let of = of.as_str();
    format!("{version} {of} {debit} <- {credit} {amount}{refund}\n")
}

#[tokio::test]
async fn the_life_of_a_payment_is_in_the_ledger_however_often_it_is_told() {
    let shop = Shop::with("tok_ok").await;
    let mut books = Books::open();
    assert_eq!(shop.process().await, "completed");
    books.note(&shop);
    shop.order_becomes(Status::Cancelled).await;
    let payment = shop.payment().await;
    shop.payments.request_void(&payment).await.unwrap();
    books.note(&shop);
    assert_eq!(shop.void().await, "refunded");
    books.note(&shop);
    assert_eq!(books.deliver(&books.changes).await, None);
    for from in [2, 0, 1] {
        assert_eq!(books.deliver(&books.changes[from..]).await, None);
    }
    expect![[r"
        1 authorised authorizations:sandbox <- authorized_orders 40.00 EUR
        1 captured gateway:sandbox <- sales 40.00 EUR
        2 refunded refunds <- gateway:sandbox 40.00 EUR of a refund
    "]]
    .assert_eq(&books.shown().await);
    assert_eq!(books.engine.items(Setting::LedgerTable).len(), 3);
}

#[tokio::test]
async fn an_authorisation_that_is_not_captured_is_released() {
    let shop = Shop::with("tok_capture_later").await;
    let mut books = Books::open();
    assert_eq!(shop.process().await, "PaymentUnknown");
    books.note(&shop);
    shop.order_becomes(Status::Cancelled).await;
    assert_eq!(shop.void().await, "voided");
    books.note(&shop);
    assert_eq!(books.deliver(&books.changes).await, None);
    expect![[r"
        1 authorised authorizations:sandbox <- authorized_orders 40.00 EUR
        2 released authorized_orders <- authorizations:sandbox 40.00 EUR
    "]]
    .assert_eq(&books.shown().await);
}

#[tokio::test]
async fn a_change_that_moves_no_money_has_no_entry() {
    for token in ["tok_declined", "tok_unknown"] {
        let shop = Shop::with(token).await;
        let mut books = Books::open();
        shop.process().await;
        books.note(&shop);
        assert_eq!(books.deliver(&books.changes).await, None);
        assert_eq!(books.shown().await, "", "{token}");
    }
    let (free, never) = (Shop::giving_away().await, Shop::with("tok_ok").await);
    free.process().await;
    never.order_becomes(Status::Failed).await;
    assert_eq!(never.void().await, "voided");
    for shop in [free, never] {
        let mut books = Books::open();
        books.note(&shop);
        assert_eq!(books.deliver(&books.changes).await, None);
        assert_eq!(books.shown().await, "");
    }
}

#[tokio::test]
async fn what_was_changed_without_a_new_version_is_not_a_movement() {
    let shop = Shop::with("tok_ok").await;
    let mut books = Books::open();
    shop.process().await;
    books.note(&shop);
    let mut meddled = books.changes[0]["dynamodb"]["NewImage"].clone();
    meddled["captured"] = json!({"N": "1"});
    books.changed(meddled);
    let mut mended = books.changes[0]["dynamodb"]["NewImage"].clone();
    mended["captured"] = json!({"N": "4000"});
    books.changed(mended);
    assert_eq!(books.deliver(&books.changes).await, None);
    assert_eq!(books.shown().await.lines().count(), 2);
}

#[tokio::test]
async fn a_batch_is_delivered_again_from_the_first_change_that_is_not_recorded() {
    let shop = Shop::with("tok_ok").await;
    let mut books = Books::open();
    shop.process().await;
    books.note(&shop);
    shop.order_becomes(Status::Cancelled).await;
    shop.void().await;
    books.note(&shop);
    // As often as the SDK tries both changes.
    for _ in 0..6 {
        books.engine.fail_next("PutItem", Fault::Failed);
    }
    let from = books.deliver(&books.changes).await;
    assert_eq!(from.as_deref(), Some("0"));
    assert_eq!(books.deliver(&books.changes).await, None);
    assert_eq!(books.shown().await.lines().count(), 3);
    // What is not a payment holds up what follows.
    let (first, last) = (books.changes[0].clone(), books.changes[1].clone());
    let mut other = first.clone();
    other["dynamodb"]["SequenceNumber"] = json!("7");
    other["dynamodb"]["NewImage"] = json!({"payment_id": {"S": "7"}});
    let changes = [first, other, last];
    assert_eq!(books.deliver(&changes).await.as_deref(), Some("7"));
}

#[tokio::test]
async fn a_write_whose_response_is_lost_is_recorded_once() {
    let shop = Shop::with("tok_ok").await;
    let mut books = Books::open();
    shop.process().await;
    books.note(&shop);
    books.engine.fail_next("PutItem", Fault::LostAnswer);
    assert_eq!(books.deliver(&books.changes).await, None);
    assert_eq!(books.engine.items(Setting::LedgerTable).len(), 2);
}

#[test]
fn every_movement_has_its_name_and_two_accounts() {
    for of in Movement::ALL {
        assert_eq!(of.as_str().parse(), Ok(of));
        let (debit, credit) = of.accounts("stripe");
        assert_ne!(debit, credit);
    }
    assert!("gift".parse::<Movement>().is_err());
}

#[test]
fn a_part_that_is_captured_releases_the_rest() {
    let begun = Payment::begin(order_id(), eur("40.00"), Provider::Stripe, after(0));
    let authorised = apply(&begun, &Change::Authorized(eur("40.00")), after(1)).unwrap();
    let captured = apply(&authorised, &Change::Captured(eur("25.00")), after(2)).unwrap();
    let returned = Payment {
        amounts: begun.amounts,
        version: 4,
        ..captured.clone()
    };
    let image = |payment: &Payment| PaymentImage {
        payment: payment.clone(),
        last_refund: None,
    };
    let shown = |old: &Payment, new: &Payment| -> String {
        let entries = rules::entries(Some(&image(old)), &image(new)).unwrap();
        entries.iter().map(line).collect()
    };
    expect![[r"
        2 released authorized_orders <- authorizations:stripe 15.00 EUR
        2 captured gateway:stripe <- sales 25.00 EUR
    "]]
    .assert_eq(&shown(&authorised, &captured));
    let refund = apply(&captured, &all_refunds("5.00"), after(3)).unwrap();
    let back = Payment {
        amounts: captured.amounts,
        version: 4,
        ..refund.clone()
    };
    expect![[r"
        4 refund_returned gateway:stripe <- refunds 5.00 EUR
    "]]
    .assert_eq(&shown(&refund, &back));
    // Nothing of what was captured can be uncaptured.
    assert_eq!(rules::standing(&returned), eur("0.00"));
}

/// Returns an entry of `number` hundredths of a euro at `at`.
fn entry(number: u64, at: Time) -> Entry {
    let order = OrderId::derived(&["order", &number.to_string()]);
    let of = Movement::Captured;
    let (debit, credit) = of.accounts("sandbox");
    Entry {
        order_id: Some(order),
        payment_id: Some(Payment::id_of(order)),
        gift_card_id: None,
        movement_id: None,
        version: 1,
        of,
        at,
        debit,
        credit,
        amount: crate::values::money::Money::from_minor_units(number, "EUR".parse().unwrap())
            .unwrap(),
        refund_id: None,
    }
}

#[tokio::test]
async fn an_entry_that_is_stored_stays_as_it_is() {
    let (aws, _) = testing::aws();
    let ledger = LedgerStore::new(&aws).unwrap();
    let first = entry(1, after(0));
    let other = Entry {
        amount: eur("7.00"),
        ..first.clone()
    };
    let next = Entry {
        version: 2,
        ..first.clone()
    };
    for entry in [&first, &other, &next] {
        ledger.record(entry).await.unwrap();
    }
    let page = ledger
        .of_payment(first.payment_id.unwrap(), 10, None)
        .await
        .unwrap();
    assert_eq!(page.items, [first, next]);
}

/// Asks for the ledger as an admin. Returns the status, the body or the faults, and the parameters of the next page.
async fn list(
    ledger: &LedgerStore,
    query: &[(&str, &str)],
    accept: &str,
) -> (u16, String, Option<String>) {
    let request = Request {
        path: "/ledger".to_owned(),
        identity: Some(identity("boss", true)),
        ..testing::request(after(0), &json!({}))
    };
    let request = query
        .iter()
        .fold(request.with("accept", accept), |request, (name, value)| {
            request.with_query(name, value)
        });
    match list_ledger(ledger, request).await {
        Ok(response) => {
            let link = response.headers.iter().find(|(name, _)| *name == "Link");
            let cursor = link.map(|(_, link)| {
                let (_, cursor) = link.split_once("cursor=").unwrap();
                cursor.split(['&', '>']).next().unwrap().to_owned()
            });
            let body = String::from_utf8(response.body).unwrap();
            (response.status.as_u16(), body, cursor)
        }
        Err(problem) => {
            let body = String::from_utf8(problem.document("request")).unwrap();
            (problem.status().as_u16(), body, None)
        }
    }
}

/// Returns the amounts of all pages, in hundredths, and how many pages there are.
async fn amounts(ledger: &LedgerStore, query: &[(&str, &str)]) -> (Vec<u64>, usize) {
    let (mut found, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let next: Option<(&str, &str)> = cursor.as_deref().map(|cursor| ("cursor", cursor));
        let query: Vec<_> = query.iter().copied().chain(next).collect();
        let (status, body, next) = list(ledger, &query, "application/json").await;
        assert_eq!(status, 200, "{body}");
        pages += 1;
        let body: Value = serde_json::from_str(&body).unwrap();
        for item in body["items"].as_array().unwrap() {
            let amount = item["amount"]["amount"].as_str().unwrap().replace('.', "");
            found.push(amount.parse().unwrap());
        }
        assert_eq!(body["next_cursor"].as_str(), next.as_deref());
        match next {
            Some(next) => cursor = Some(next),
            None => return (found, pages),
        }
    }
}

#[tokio::test]
async fn entries_are_listed_in_the_order_of_time_from_one_time_to_before_another() {
    let (aws, _) = testing::aws();
    let ledger = LedgerStore::new(&aws).unwrap();
    let midnight = after(0).midnight();
    // The first of each day is at midnight; days 3 to 5 have none.
    for (day, hours) in [(0, 0..24), (1, 0..24), (2, 0..2), (6, 0..5)] {
        for hour in hours {
            let at = midnight.plus(Duration::from_hours(day * 24 + hour));
            let number = day * 100 + hour + 1;
            ledger.record(&entry(number, at)).await.unwrap();
        }
    }
    let hour = |hours: u64| midnight.plus(Duration::from_hours(hours)).to_string();
    let expected = |numbers: std::ops::Range<u64>| -> Vec<u64> { numbers.collect() };
    let some = [("from", hour(3)), ("to", hour(20))];
    let some = some.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(amounts(&ledger, &some).await, (expected(4..21), 1));
    let (from, to) = (hour(22), hour(6 * 24 + 3));
    let query = [("from", from.as_str()), ("to", &to), ("limit", "7")];
    let all: Vec<u64> = [23..25, 101..125, 201..203, 601..604]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(amounts(&ledger, &query).await, (all, 5));
    // A day by default, which ends now.
    let now = after(0);
    assert!(now > midnight.plus(Duration::from_hours(9)));
    assert_eq!(amounts(&ledger, &[]).await.0, expected(1..11));
    // Days without entries are passed in pieces, each of which is a page.
    let (from, to) = (
        hour(7 * 24),
        midnight.plus(Duration::from_hours(100 * 24)).to_string(),
    );
    let later = [("from", from.as_str()), ("to", &to)];
    assert_eq!(amounts(&ledger, &later).await, (Vec::new(), 3));
    ledger
        .record(&entry(9_901, midnight.plus(Duration::from_hours(24 * 99))))
        .await
        .unwrap();
    assert_eq!(amounts(&ledger, &later).await, (vec![9_901], 3));
}

#[tokio::test]
async fn the_entries_of_a_payment_are_listed_and_exported_as_a_sheet() {
    let shop = Shop::with("tok_ok").await;
    let mut books = Books::open();
    shop.process().await;
    books.note(&shop);
    shop.order_becomes(Status::Cancelled).await;
    shop.void().await;
    books.note(&shop);
    assert_eq!(books.deliver(&books.changes).await, None);
    let payment = Payment::id_of(order_id()).to_string();
    let mut query = vec![("payment_id", payment.as_str()), ("limit", "2")];
    let (status, first, next) = list(&books.ledger, &query, "text/csv").await;
    assert_eq!(status, 200);
    let next = next.unwrap();
    query.push(("cursor", &next));
    let (_, second, next) = list(&books.ledger, &query, "text/csv").await;
    assert_eq!(next, None);
    expect![[r"
        id,at,of,debit,credit,amount,currency,order_id,payment_id,refund_id,gift_card_id,movement_id
        ea800f23-f074-5743-9188-0fb2da2dab7a,2026-03-01T09:30:01.000Z,authorised,authorizations:sandbox,authorized_orders,40.00,EUR,5530e107-cbd5-5aba-8bde-5daa6f5768b3,1edb0c52-cdc9-5a5e-b886-ddd2e13b4802,,,
        64882bed-4fb3-5cbb-8828-a74afc9e3723,2026-03-01T09:30:01.000Z,captured,gateway:sandbox,sales,40.00,EUR,5530e107-cbd5-5aba-8bde-5daa6f5768b3,1edb0c52-cdc9-5a5e-b886-ddd2e13b4802,,,
        10c836b6-1b1d-524f-a98e-3539f79486c0,2026-03-01T09:30:02.000Z,refunded,refunds,gateway:sandbox,40.00,EUR,5530e107-cbd5-5aba-8bde-5daa6f5768b3,1edb0c52-cdc9-5a5e-b886-ddd2e13b4802,e178700f-4378-5db3-9329-118a7c319322,,
    "]]
    .assert_eq(&(first + &second).replace("\r\n", "\n"));
    let query = [("payment_id", payment.as_str())];
    let (_, body, _) = list(&books.ledger, &query, "application/json").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    expect![[r#"
        {
          "amount": {
            "amount": "40.00",
            "currency": "EUR"
          },
          "at": "2026-03-01T09:30:02.000Z",
          "credit": "gateway:sandbox",
          "debit": "refunds",
          "gift_card_id": null,
          "id": "10c836b6-1b1d-524f-a98e-3539f79486c0",
          "movement_id": null,
          "of": "refunded",
          "order_id": "5530e107-cbd5-5aba-8bde-5daa6f5768b3",
          "payment_id": "1edb0c52-cdc9-5a5e-b886-ddd2e13b4802",
          "refund_id": "e178700f-4378-5db3-9329-118a7c319322"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body["items"][2]).unwrap());
}

#[tokio::test]
async fn what_cannot_be_listed_is_said() {
    let (aws, _) = testing::aws();
    let ledger = LedgerStore::new(&aws).unwrap();
    let payment = Payment::id_of(order_id()).to_string();
    let mut shown = Vec::new();
    for query in [
        vec![("from", "yesterday")],
        vec![("to", "2026-02-30T00:00:00Z")],
        vec![("from", "2026-03-02T00:00:00Z")],
        vec![
            ("from", "2026-01-02T00:00:00Z"),
            ("to", "2026-01-02T00:00:00Z"),
        ],
        vec![("from", "2024-01-02T00:00:00Z")],
        vec![("payment_id", "7")],
        vec![("payment_id", &payment), ("from", "2026-01-02T00:00:00Z")],
        vec![("limit", "101")],
        vec![("cursor", "x")],
    ] {
        let (status, body, _) = list(&ledger, &query, "application/json").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let fault = &body["errors"][0];
        let (pointer, detail) = (fault["pointer"].as_str(), fault["detail"].as_str());
        shown.push(format!("{status} {} {}", pointer.unwrap(), detail.unwrap()));
    }
    expect![[r#"
        400 ?from not an RFC 3339 time: "yesterday"
        400 ?to not an RFC 3339 time: "2026-02-30T00:00:00Z"
        400 ?from this must be before `to`, which is now if it is left out
        400 ?from this must be before `to`, which is now if it is left out
        400 ?from this must be at most 366 days before `to`, which is now if it is left out
        400 ?payment_id not an identifier
        400 ?payment_id all entries of a payment are listed; leave out `from` and `to`
        400 ?limit this must be from 1 to 100
        400 ?cursor this must be a cursor that a list gave"#]]
    .assert_eq(&shown.join("\n"));
    let query: Request = testing::request(after(0), &json!({}));
    let customer = Request {
        identity: Some(identity("customer", false)),
        ..query
    };
    let refused = list_ledger(&ledger, customer).await.unwrap_err();
    assert_eq!(refused.status(), 403);
}
