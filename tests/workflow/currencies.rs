//! A shop sells in any currency, with two decimals, with none or with three, and in several at once.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support::people::{Person, order_of, unique};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

/// Places an order of 2 pieces at `price` with a tenth off, shipping at `shipping`, and 7.25 percent of tax
/// beside them, and checks its parts, what is charged, and the mail about it.
#[track_caller]
fn check(
    parameters: &'static [(&'static str, &'static str)],
    [price, shipping]: [&str; 2],
    expected: &Expect,
) {
    run_local(async {
        let shop = Shop::start(Setup {
            parameters,
            ..Setup::default()
        })
        .await;
        let code = parameters[0].1;
        let money = |amount: &str| json!({"amount": amount, "currency": code});
        let product = product(&shop, money(price)).await;
        let rate = json!({"name": "Tax", "country": "DE", "rate": "0.0725", "included": false});
        shop.replace_all("/tax-rates", json!([rate])).await;
        let cost = json!({"type": "flat", "price": money(shipping)});
        let parcel = json!({"id": "parcel", "name": "Parcel", "cost": cost});
        shop.replace_all("/shipping-methods", json!([parcel])).await;
        let tenth = json!({"name": "A tenth", "benefit": {"type": "percentage", "rate": "0.1"}});
        shop.discount(tenth, json!({})).await;
        let mut order = order_of(&[(&product, 2)], "tok_ok");
        order["shipping_method"] = json!("parcel");
        confirm(&shop, &shop.customer().await, &order, code, expected).await;
        assert_eq!(shop.balanced().await, Ok(()));
    });
}

/// Places `order`, and returns its identifier once it is confirmed, paid and told about in the currency `code`.
async fn confirm(
    shop: &Shop,
    customer: &Person,
    order: &Value,
    code: &str,
    expected: &Expect,
) -> String {
    let call = shop
        .post("/orders")
        .bearer(&customer.token)
        .key(&unique("order"));
    let placed = call.header("prefer", "wait=20").json(order).send().await;
    let placed = placed.expect(201).json();
    assert_eq!(placed["status"], "confirmed", "{placed}");
    let id = placed["id"].as_str().unwrap();
    let captured = shop.payment(customer, id).await["captured"].clone();
    assert_eq!(captured, placed["total_amount"]);
    let mail = until("the mail about the order", async || {
        let mail = shop.order_mail().await;
        mail.first().cloned().ok_or_else(|| "no mail".to_owned())
    })
    .await;
    let parts = [
        &placed["items"][0]["unit_price"],
        &placed["subtotal"],
        &placed["discount"],
        &placed["shipping"]["price"],
        &placed["tax"],
        &placed["total_amount"],
    ];
    let parts = parts.map(|part| {
        assert_eq!(part["currency"], code);
        part["amount"].as_str().unwrap()
    });
    let total = format!("{} {code}", parts[5]);
    // English mails write 4385 yen as 4,385 JPY.
    let told = mail["text"].as_str().unwrap().replace(',', "");
    assert!(told.contains(&total), "{told}");
    expected.assert_eq(&parts.join(" "));
    shop.until_settled(id).await;
    id.to_owned()
}

async fn product(shop: &Shop, price: Value) -> String {
    let admin = shop.admin().await;
    let body = json!({"name": unique("Teapot"), "category": "testing", "price": price});
    let call = shop.post("/products").bearer(&admin.token).json(&body);
    let made = call.send().await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    shop.set_stock(&id, 10).await.expect(200);
    shop.note_on_hand(&id, 10);
    id
}

#[test]
fn a_shop_sells_in_dollars() {
    check(
        &[("ShopCurrency", "USD")],
        ["19.99", "4.90"],
        &expect!["19.99 39.98 4.00 4.90 2.97 43.85"],
    );
}

#[test]
fn a_shop_sells_in_yen_which_have_no_decimals() {
    check(
        &[("ShopCurrency", "JPY")],
        ["1999", "490"],
        &expect!["1999 3998 400 490 297 4385"],
    );
}

#[test]
fn a_shop_sells_in_dinars_which_have_three_decimals() {
    check(
        &[("ShopCurrency", "KWD")],
        ["19.999", "1.255"],
        &expect!["19.999 39.998 4.000 1.255 2.701 39.954"],
    );
}

#[test]
fn an_order_in_another_currency_goes_all_the_way() {
    run_local(async {
        let shop = Shop::start(Setup {
            parameters: &[("ShopCurrency", "EUR")],
            ..Setup::default()
        })
        .await;
        let amount = |amount: &str, code: &str| json!({"amount": amount, "currency": code});
        let product = product(&shop, amount("19.99", "EUR")).await;
        let rate = json!({"name": "Tax", "country": "DE", "rate": "0.0725", "included": false});
        shop.replace_all("/tax-rates", json!([rate])).await;
        let method = |id: &str, price: &str, code: &str| {
            let cost = json!({"type": "flat", "price": amount(price, code)});
            json!({"id": id, "name": "Parcel", "currency": code, "cost": cost})
        };
        let methods = json!([
            method("parcel", "4.90", "EUR"),
            method("japan", "490", "JPY")
        ]);
        shop.replace_all("/shipping-methods", methods).await;
        let tenth = json!({"name": "A tenth", "benefit": {"type": "percentage", "rate": "0.1"}});
        shop.discount(tenth, json!({})).await;
        let lists = json!([{"id": "japan", "name": "Japan", "currency": "JPY"}]);
        shop.replace_all("/price-lists", lists).await;
        let admin = shop.admin().await;
        let path = format!("/price-lists/japan/prices/{product}");
        let prices = json!({"prices": [{"price": amount("3199", "JPY")}]});
        let put = shop.put(&path).bearer(&admin.token).json(&prices);
        put.send().await.expect(200);

        let customer = shop.customer().await;
        let mut order = order_of(&[(&product, 2)], "tok_ok");
        order["currency"] = json!("JPY");
        order["shipping_method"] = json!("japan");
        let expected = expect!["3199 6398 640 490 453 6701"];
        let id = confirm(&shop, &customer, &order, "JPY", &expected).await;
        shop.cancel(&customer, &id).await.expect(200);
        shop.until_settled(&id).await;
        let refunded = until("the refund", async || {
            let payment = shop.payment(&customer, &id).await;
            if payment["refunded"] == payment["captured"] {
                Ok(payment["refunded"].clone())
            } else {
                Err(payment.to_string())
            }
        })
        .await;
        assert_eq!(refunded, amount("6701", "JPY"));
        assert_eq!(shop.balanced().await, Ok(()));
    });
}
