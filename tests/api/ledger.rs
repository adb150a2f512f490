//! The ledger, through the functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::unique;
use crate::support::prices::{CURRENCY, amount, money, written};
use crate::support::shop::{Setup, Shop, physical};
use crate::support::{run_local, until};

/// Returns all pages of the ledger for `query`, as `media_type`.
async fn pages(shop: &Shop, query: &str, media_type: &str) -> Vec<Answer> {
    let mut pages: Vec<Answer> = Vec::new();
    let mut path = format!("/ledger?{query}");
    loop {
        let call = shop.get(&path).header("accept", media_type);
        let page = call.bearer(&shop.admin().await.token).send().await;
        let page = page.expect(200);
        let link = page.header("link").map(|link| {
            let (target, _) = link.split_once(';').unwrap();
            target.trim_matches(['<', '>']).to_owned()
        });
        pages.push(page);
        match link {
            Some(next) => path = next,
            None => return pages,
        }
    }
}

fn entries(pages: &[Answer]) -> Vec<Value> {
    let bodies = pages.iter().map(Answer::json);
    bodies
        .flat_map(|body| body["items"].as_array().unwrap().clone())
        .collect()
}

/// Returns the entries of a payment, once there are `count`: what moved and how much.
async fn of_payment(shop: &Shop, payment: &str, count: usize) -> Vec<(String, String)> {
    until("the payment is in the ledger", async || {
        let query = format!("payment_id={payment}&limit=2");
        let found = entries(&pages(shop, &query, "application/json").await);
        if found.len() < count {
            return Err(format!("{found:?}"));
        }
        let found = found.iter();
        let found = found.map(|entry| {
            let of = entry["of"].as_str().unwrap().to_owned();
            (of, written(&entry["amount"]))
        });
        Ok(found.collect())
    })
    .await
}

fn moved(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let expected = expected.iter();
    expected
        .map(|(of, amount)| ((*of).to_owned(), (*amount).to_owned()))
        .collect()
}

#[test]
fn orders_refunds_and_cancellations_are_in_the_ledger() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 10).await;
        let [kept, cancelled, declined] = [
            shop.order(&customer, &product, "tok_ok").await,
            shop.order(&customer, &product, "tok_ok").await,
            shop.order(&customer, &product, "tok_declined").await,
        ];
        for order in [&kept, &cancelled, &declined] {
            shop.until_settled(order).await;
        }
        let payment = shop.payment_of(&kept).await;
        let call = shop.post(&format!("/payments/{payment}/refunds"));
        let call = call.bearer(&shop.admin().await.token);
        let call = call.key(&unique("refund"));
        let half = json!({"amount": money("8.50")});
        let refund = call.json(&half).send().await.expect(201).json();
        shop.cancel(&customer, &cancelled).await.expect(200);
        shop.until_settled(&cancelled).await;
        let charged = [("authorised", "17.00"), ("captured", "17.00")];
        assert_eq!(
            of_payment(&shop, &payment, 3).await,
            moved(&[&charged[..], &[("refunded", "8.50")]].concat())
        );
        let returned = shop.payment_of(&cancelled).await;
        assert_eq!(
            of_payment(&shop, &returned, 3).await,
            moved(&[&charged[..], &[("refunded", "17.00")]].concat())
        );
        shop.quiet().await;
        let none = format!("payment_id={}", shop.payment_of(&declined).await);
        assert!(entries(&pages(&shop, &none, "application/json").await).is_empty());
        // The whole day, by pages, once as JSON and once as a sheet.
        let now: jiff::Timestamp = shop.now().await.parse().unwrap();
        let later = now + jiff::SignedDuration::from_mins(1);
        let day = format!("to={later}&limit=4");
        let listed = entries(&pages(&shop, &day, "application/json").await);
        assert_eq!(listed.len(), 6);
        let times: Vec<&str> = listed.iter().map(|entry| text(entry, "at")).collect();
        assert!(times.is_sorted(), "{times:?}");
        let about = listed
            .iter()
            .filter(|entry| entry["refund_id"] == refund["id"]);
        assert_eq!(about.count(), 1);
        check_balances(&listed);
        check_sheet(&pages(&shop, &day, "text/csv").await, &listed);
        shop.audited().await.unwrap();
    });
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_default()
}

/// Checks what each account has: two orders of 17.00 were paid, and 25.50 of them refunded.
fn check_balances(entries: &[Value]) {
    let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
    for entry in entries {
        let units: i64 = text(&entry["amount"], "amount")
            .replace('.', "")
            .parse()
            .unwrap();
        *balances.entry(text(entry, "debit")).or_default() += units;
        *balances.entry(text(entry, "credit")).or_default() -= units;
    }
    let units = |written: &str| -> i64 { amount(written).replace('.', "").parse().unwrap() };
    let expected = BTreeMap::from([
        ("authorizations:sandbox", units("34.00")),
        ("authorized_orders", -units("34.00")),
        ("gateway:sandbox", units("8.50")),
        ("refunds", units("25.50")),
        ("sales", -units("34.00")),
    ]);
    assert_eq!(balances, expected);
}

/// Checks that the pages are together one sheet of `entries`.
fn check_sheet(pages: &[Answer], entries: &[Value]) {
    assert!(pages.len() > 1);
    let sheet: String = pages.iter().map(|page| page.text.as_str()).collect();
    let names = [
        "id",
        "at",
        "of",
        "debit",
        "credit",
        "amount",
        "currency",
        "order_id",
        "payment_id",
        "refund_id",
        "gift_card_id",
        "movement_id",
    ];
    let lines = entries.iter().map(|entry| {
        let cells = names.map(|name| match name {
            "amount" => text(&entry["amount"], "amount"),
            "currency" => CURRENCY.code(),
            name => text(entry, name),
        });
        cells.join(",") + "\r\n"
    });
    let expected = names.join(",") + "\r\n" + &lines.collect::<String>();
    assert_eq!(sheet, expected);
}

#[test]
fn the_ledger_is_for_admins_and_says_what_is_wrong_with_parameters() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let call = shop.get("/ledger").bearer(&customer.token);
        call.send().await.expect(403);
        let admin = &shop.admin().await.token;
        for (query, pointer) in [
            ("from=yesterday", "?from"),
            ("to=2026-02-30T00:00:00Z", "?to"),
            ("from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z", "?from"),
            ("from=2020-02-02T00:00:00Z", "?from"),
            ("payment_id=7", "?payment_id"),
            ("limit=0", "?limit"),
            ("cursor=7", "?cursor"),
            ("until=2026-02-01T00:00:00Z", "?until"),
        ] {
            let call = shop.get(&format!("/ledger?{query}")).bearer(admin);
            let problem = call.send().await.expect(400).json();
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
        }
        let times = "from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00%2B01:00";
        let call = shop.get(&format!("/ledger?{times}")).bearer(admin);
        let empty = call.send().await.expect(200).json();
        assert_eq!(empty, json!({"items": [], "next_cursor": null}));
    });
}

#[test]
fn what_a_gateway_says_differently_about_a_day_is_listed() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let begun: jiff::Timestamp = shop.now().await.parse().unwrap();
        shop.reconcile_from(begun).await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 10).await;
        let mut orders = Vec::new();
        for token in ["tok_fee", "tok_ok", "tok_ok"] {
            let order = shop.order(&customer, &product, token).await;
            shop.until_settled(&order).await;
            orders.push(order);
        }
        let payment = shop.payment_of(&orders[0]).await;
        let half = json!({"amount": money("8.50")});
        let call = shop.post(&format!("/payments/{payment}/refunds"));
        let call = call.bearer(&shop.admin().await.token);
        let call = call.key(&unique("refund")).json(&half);
        let refund = call.send().await.expect(201).json();
        let event = json!({
            "type": "refund.failed", "charge": format!("{}:1", orders[0]), "refund": refund["id"],
        });
        let call = shop.signed_event(&event, "whsec_sandbox").await;
        call.send().await.expect(204);
        shop.cancel(&customer, &orders[1]).await.expect(200);
        shop.until_settled(&orders[1]).await;
        shop.quiet().await;
        // The gateway has another amount of one charge, and the ledger lacks nothing else.
        let key = json!({"charge_id": {"S": format!("{}:1", orders[2])}});
        let update = json!({
            "TableName": physical("SandboxTable"), "Key": key,
            "UpdateExpression": "SET booked.amount = booked.amount + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        });
        shop.dynamodb("UpdateItem", &update).await;
        shop.reconcile(begun).await;
        let (from, to) = (
            begun - jiff::SignedDuration::from_hours(1),
            begun + jiff::SignedDuration::from_hours(24),
        );
        let call = shop.get(&format!("/ledger/differences?from={from}&to={to}"));
        let call = call.bearer(&shop.admin().await.token);
        let found = call.send().await.expect(200).json();
        let found = found["items"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(text(&found[0], "kind"), "other_amount");
        assert_eq!(text(&found[0], "order_id"), orders[2]);
        assert_eq!(text(&found[0], "of"), "captured");
        assert_eq!(found[0]["ledger_amount"], money("17.00"));
        assert_ne!(found[0]["gateway_amount"], money("17.00"));
        // What the gateway kept for the first order is known since then.
        let of_payment = format!("payment_id={payment}");
        let fees = async || {
            let mut fees = entries(&pages(&shop, &of_payment, "application/json").await);
            fees.retain(|entry| entry["of"] == "fee");
            fees
        };
        let kept = fees().await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(text(&kept[0], "movement_id"), format!("{}:1", orders[0]));
        let accounts = [text(&kept[0], "debit"), text(&kept[0], "credit")];
        assert_eq!(accounts, ["fees", "gateway:sandbox"]);
        // Nothing is found twice.
        shop.reconcile(begun).await;
        let call = shop.get(&format!("/ledger/differences?from={from}&to={to}"));
        let call = call.bearer(&shop.admin().await.token);
        let again = call.send().await.expect(200).json();
        assert_eq!(again["items"].as_array().unwrap().len(), 1);
        assert_eq!(fees().await, kept);
    });
}
