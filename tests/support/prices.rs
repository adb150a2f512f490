//! Amounts in the currency of the tests' shops, and what admins decide about prices.

use std::sync::LazyLock;

use oxcart_core::values::money::Currency;
use serde_json::{Value, json};

use super::people::unique;
use super::shop::Shop;

/// The currency of every shop whose test does not name another: `OXCART_TEST_CURRENCY` (ISO 4217), or else EUR.
pub(crate) static CURRENCY: LazyLock<Currency> = LazyLock::new(|| {
    let code = std::env::var("OXCART_TEST_CURRENCY");
    let code = code.as_deref().unwrap_or("EUR");
    code.parse().expect("OXCART_TEST_CURRENCY is a currency")
});

/// Returns the amount that tests write as `19.90`, 1990 minor units, as the shop's currency writes it: `1990` in yen,
/// `1.990` in dinars. So sums and rounding are the same in every currency.
pub(crate) fn amount(written: &str) -> String {
    let (_, decimals) = written.split_once('.').expect("amounts have a point");
    assert_eq!(decimals.len(), 2, "tests write amounts as 19.90: {written}");
    decimal(written, CURRENCY.exponent())
}

/// Returns `19.90` for an amount of as many minor units on the wire: the inverse of [`amount`].
pub(crate) fn written(money: &Value) -> String {
    assert_eq!(money["currency"], CURRENCY.code(), "{money}");
    decimal(money["amount"].as_str().unwrap(), 2)
}

/// Moves the point of an amount so that it has `decimals`.
fn decimal(amount: &str, decimals: u32) -> String {
    let units: i64 = amount.replace('.', "").parse().unwrap();
    if decimals == 0 {
        return units.to_string();
    }
    let sign = if units < 0 { "-" } else { "" };
    let (units, unit) = (units.unsigned_abs(), 10_u64.pow(decimals));
    let width = usize::try_from(decimals).unwrap();
    format!("{sign}{}.{:0width$}", units / unit, units % unit)
}

/// Returns an amount with one decimal more than the shop's currency has.
pub(crate) fn too_exact() -> String {
    decimal("15", CURRENCY.exponent() + 1)
}

/// The money on the wire that tests write as `19.90`.
pub(crate) fn money(written: &str) -> Value {
    json!({"amount": amount(written), "currency": CURRENCY.code()})
}

/// A discount of a part of what matches.
pub(crate) fn percentage(name: &str, rate: &str) -> Value {
    json!({"name": name, "benefit": {"type": "percentage", "rate": rate}})
}

impl Shop {
    /// Adds a discount with `more` fields and returns its path.
    pub(crate) async fn discount(&self, mut body: Value, more: Value) -> String {
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let admin = self.admin().await;
        let call = self.post("/discounts").bearer(&admin.token).json(&body);
        let made = call.send().await.expect(201);
        made.header("location").unwrap().to_owned()
    }

    /// Issues a gift card of `amount`, and returns it with its code.
    pub(crate) async fn gift_card(&self, amount: &str) -> Value {
        let admin = self.admin().await;
        let call = self.post("/gift-cards").bearer(&admin.token);
        let call = call.key(&unique("gift-card"));
        let call = call.json(&json!({"amount": money(amount)}));
        call.send().await.expect(201).json()
    }

    /// Replaces all tax rates, or all shipping methods.
    pub(crate) async fn replace_all(&self, path: &str, items: Value) {
        let admin = self.admin().await;
        let call = self.put(path).bearer(&admin.token).header("if-match", "*");
        call.json(&json!({"items": items})).send().await.expect(200);
    }

    /// Changes the price of a product.
    pub(crate) async fn reprice(&self, product: &str, amount: &str) {
        let admin = self.admin().await;
        let call = self.patch(&format!("/products/{product}"));
        let call = call.bearer(&admin.token).header("if-match", "*");
        let body = json!({"price": money(amount)});
        call.json(&body).send().await.expect(200);
    }
}

#[test]
fn a_point_is_moved_to_where_a_currency_has_it() {
    let moved =
        [0, 2, 3].map(|decimals| ["19.90", "0.05", "-1.00"].map(|text| decimal(text, decimals)));
    let expected = [
        ["1990", "5", "-100"],
        ["19.90", "0.05", "-1.00"],
        ["1.990", "0.005", "-0.100"],
    ];
    assert_eq!(moved, expected);
    assert_eq!(written(&money("19.90")), "19.90");
}
