//! What admins decide about prices.

use serde_json::{Value, json};

use super::shop::Shop;

/// An amount on the wire.
pub(crate) fn euro(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
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
        let body = json!({"price": euro(amount)});
        call.json(&body).send().await.expect(200);
    }
}
