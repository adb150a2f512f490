//! Gift cards.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::money;
use crate::support::shop::{Shop, shared};
use crate::support::{run, run_local, until};

#[test]
fn a_gift_card_is_issued_once_and_shown_to_a_caller_with_its_code() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let key = unique("gift-card");
        let issue = async || {
            let call = shop.post("/gift-cards").bearer(&admin.token).key(&key);
            let call = call.json(&json!({"amount": money("50.00")}));
            call.send().await.expect(201)
        };
        let (issued, again) = (issue().await, issue().await);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let (issued, again) = (issued.json(), again.json());
        assert_eq!(
            (&again["id"], &again["code"]),
            (&issued["id"], &Value::Null)
        );
        let path = format!("/gift-cards/{}", issued["id"].as_str().unwrap());
        let shown = shop.get(&path).bearer(&admin.token).send().await;
        assert_eq!(shown.expect(200).json()["balance"], money("50.00"));
        let balance = shop.post("/gift-cards/balance");
        let balance = balance.json(&json!({"code": issued["code"]}));
        let balance = balance.send().await.expect(200).json();
        assert_eq!(balance["balance"], money("50.00"));
        assert_eq!(balance["last_four"], issued["last_four"]);
        let unknown = json!({"code": "2222-2222-2222-2222-2222"});
        let unknown = shop.post("/gift-cards/balance").json(&unknown);
        unknown.send().await.expect(404);
    });
}

#[test]
fn store_credit_is_issued_to_a_customer_who_exists() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let customer = shop.customer().await;
        let issue = async |customer: &str| {
            let call = shop.post("/gift-cards").bearer(&admin.token);
            let body = json!({"amount": money("50.00"), "customer_id": customer});
            call.key(&unique("gift-card")).json(&body).send().await
        };
        let issued = issue(&customer.id).await.expect(201).json();
        assert_eq!(issued["customer_id"], customer.id.as_str());
        let nobody = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
        let refused = issue(nobody).await.expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "/customer_id");
    });
}

/// Returns an order of `product` that `cards` pay for, and `token` what they leave.
fn order_with(product: &str, token: &str, cards: &[&Value]) -> Value {
    let mut order = order_of(&[(product, 1)], token);
    let codes: Vec<&Value> = cards.iter().map(|card| &card["code"]).collect();
    order["payment"]["gift_card_codes"] = json!(codes);
    order
}

/// Places an order of `product` that `card` pays a part of, and returns its id once it is confirmed.
async fn confirmed_with(shop: &Shop, customer: &Person, product: &str, card: &Value) -> String {
    let order = order_with(product, "tok_ok", &[card]);
    let placed = shop.place(customer, &order).await.expect(202);
    let order = id_of(&placed);
    shop.until_status(customer, &order, "confirmed").await;
    order
}

async fn balance(shop: &Shop, card: &Value) -> Value {
    let call = shop.post("/gift-cards/balance");
    let call = call.json(&json!({"code": card["code"]}));
    call.send().await.expect(200).json()["balance"].clone()
}

/// Waits until `amount` is left on `card`.
async fn until_balance(shop: &Shop, card: &Value, amount: &str) {
    until("the balance of the gift card", async || {
        let left = balance(shop, card).await;
        if left == money(amount) {
            Ok(())
        } else {
            Err(left.to_string())
        }
    })
    .await;
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn cards_pay_first_and_the_gateway_charges_the_rest() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("60.00", 10).await;
        let (first, second) = (shop.gift_card("20.00").await, shop.gift_card("25.00").await);
        let wanted = order_with(&product, "tok_ok", &[&first, &second]);
        let placed = shop.place(&customer, &wanted).await.expect(202);
        let shown = placed.json();
        let parts = json!([
            {"last_four": first["last_four"], "amount": money("20.00")},
            {"last_four": second["last_four"], "amount": money("25.00")},
        ]);
        assert_eq!(shown["gift_cards"], parts);
        assert_eq!(shown["amount_due"], money("15.00"));
        let order = id_of(&placed);
        shop.until_status(&customer, &order, "confirmed").await;
        let payment = shop.payment(&customer, &order).await;
        assert_eq!(payment["captured"], money("15.00"));
        assert_eq!(payment["gift_cards"]["amount"], money("45.00"));
        assert_eq!(balance(shop, &first).await, money("0.00"));
        let again = order_with(&product, "tok_ok", &[&first]);
        let refused = shop.place(&customer, &again).await.expect(422).json();
        assert_eq!(
            refused["errors"][0]["pointer"],
            "/payment/gift_card_codes/0"
        );
        assert_eq!(refused["errors"][0]["code"], "empty");
        shop.cancel(&customer, &order).await.expect(200);
        until_balance(shop, &first, "20.00").await;
        until_balance(shop, &second, "25.00").await;
        shop.until_payment_status(&customer, &order, "refunded")
            .await;
        let payment = shop.payment(&customer, &order).await;
        assert_eq!(payment["refunded"], money("15.00"));
    });
}

/// Returns what pays for a quote or an order.
fn paid_by(shown: &Value) -> [&Value; 3] {
    ["gift_cards", "amount_due", "total_amount"].map(|name| &shown[name])
}

#[test]
fn a_quote_shows_what_cards_would_pay_to_customers_and_guests_and_takes_nothing() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("60.00", 10).await;
        let (first, second) = (shop.gift_card("20.00").await, shop.gift_card("25.00").await);
        let mut order = order_with(&product, "tok_ok", &[&first, &second]);
        let quote_of = |order: &Value| {
            let codes = &order["payment"]["gift_card_codes"];
            json!({
                "items": order["items"], "shipping_address": order["shipping_address"],
                "payment": {"gift_card_codes": codes},
            })
        };
        let quoted = shop.post("/quotes").bearer(&customer.token);
        let quoted = quoted.json(&quote_of(&order)).send().await;
        let quoted = quoted.expect(200).json();
        assert_eq!(quoted["gift_cards"][1]["amount"], money("25.00"));
        assert_eq!(quoted["amount_due"], money("15.00"));
        let guests = shop.post("/guest/quotes").json(&quote_of(&order));
        let guests = guests.send().await.expect(200).json();
        assert_eq!(paid_by(&guests), paid_by(&quoted));
        assert_eq!(balance(shop, &first).await, money("20.00"));
        order["quote"] = quoted["quote"].clone();
        let placed = shop.place(&customer, &order).await.expect(202).json();
        assert_eq!(paid_by(&placed), paid_by(&quoted));
        assert_eq!(balance(shop, &first).await, money("0.00"));
        let refused = shop.post("/guest/quotes").json(&quote_of(&order));
        let refused = refused.send().await.expect(422).json();
        let fault = &refused["errors"][0];
        assert_eq!(fault["pointer"], "/payment/gift_card_codes/0");
        assert_eq!(fault["code"], "empty");
    });
}

#[test]
fn an_order_that_a_card_pays_for_wholly_needs_no_token_and_no_gateway() {
    run(async {
        let shop = shared().await;
        let product = shop.product("30.00", 10).await;
        let card = shop.gift_card("100.00").await;
        let mut order = order_with(&product, "tok_ok", &[&card]);
        order["payment"].as_object_mut().unwrap().remove("token");
        order["email"] = json!("guest@example.com");
        let call = shop.post("/guest/orders").key(&unique("guest"));
        let placed = call.json(&order).send().await.expect(202);
        let link = placed.header("location").unwrap().to_owned();
        until("the order is confirmed", async || {
            let shown = shop.get(&link).send().await.expect(200).json();
            if shown["status"] == "confirmed" {
                Ok(())
            } else {
                Err(shown["status"].to_string())
            }
        })
        .await;
        assert_eq!(balance(shop, &card).await, money("70.00"));
        let cancel = shop.post(&link.replace('?', "/cancel?"));
        cancel.send().await.expect(200);
        until_balance(shop, &card, "100.00").await;
    });
}

#[test]
fn what_a_declined_order_took_comes_back() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("60.00", 10).await;
        let card = shop.gift_card("20.00").await;
        let wanted = order_with(&product, "tok_declined", &[&card]);
        let placed = shop.place(&customer, &wanted).await.expect(202);
        assert_eq!(balance(shop, &card).await, money("0.00"));
        let order = id_of(&placed);
        shop.until_status(&customer, &order, "failed").await;
        until_balance(shop, &card, "20.00").await;
    });
}

#[test]
fn a_refund_goes_back_to_the_gateway_and_to_cards_by_what_each_paid() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("60.00", 10).await;
        let card = shop.gift_card("45.00").await;
        let order = confirmed_with(shop, &customer, &product, &card).await;
        let payment = shop.payment_of(&order).await;
        let refund = async |amount: &str| {
            let call = shop.post(&format!("/payments/{payment}/refunds"));
            let call = call
                .bearer(&shop.admin().await.token)
                .key(&unique("refund"));
            let call = call.json(&json!({"amount": money(amount)}));
            call.send().await.expect(201).json()
        };
        let first = refund("20.00").await;
        assert_eq!(first["gift_card_amount"], money("15.00"));
        until_balance(shop, &card, "15.00").await;
        shop.until_payment_status(&customer, &order, "partially_refunded")
            .await;
        let rest = refund("40.00").await;
        assert_eq!(rest["gift_card_amount"], money("30.00"));
        until_balance(shop, &card, "45.00").await;
        shop.until_payment_status(&customer, &order, "refunded")
            .await;
        let paid = shop.payment(&customer, &order).await;
        assert_eq!(paid["refunded"], money("15.00"));
        assert_eq!(paid["gift_cards"]["refunded"], money("45.00"));
    });
}

/// Returns the entries of `card` in the ledger: what moved, and how much in the smallest unit.
async fn entries(shop: &Shop, card: &Value) -> Vec<String> {
    let mut entries = shop.items("LedgerTable").await;
    entries.retain(|entry| entry["gift_card_id"] == card["id"]);
    entries.sort_by_key(|entry| entry["position"].to_string());
    let shown = entries.iter().map(|entry| {
        let of = entry["of"].as_str().unwrap();
        format!("{of} {}", entry["amount"])
    });
    shown.collect()
}

#[test]
fn the_ledger_has_what_is_issued_redeemed_and_returned() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("60.00", 10).await;
        let card = shop.gift_card("45.00").await;
        let order = confirmed_with(shop, &customer, &product, &card).await;
        shop.cancel(&customer, &order).await.expect(200);
        until_balance(shop, &card, "45.00").await;
        let expected = [
            "gift_card_issued 4500",
            "gift_card_redeemed 4500",
            "gift_card_refunded 4500",
        ];
        until("the ledger", async || {
            let found = entries(shop, &card).await;
            if found == expected {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
        let listed = shop.get("/ledger?limit=100");
        let listed = listed.bearer(&shop.admin().await.token).send().await;
        listed.expect(200);
        let sheet = shop.get("/ledger").header("accept", "text/csv");
        let sheet = sheet.bearer(&shop.admin().await.token).send().await;
        sheet.expect(200);
    });
}
