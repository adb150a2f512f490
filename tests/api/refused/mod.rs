//! Invalid requests of every kind: each gets a problem document with every fault, and nothing is stored.

mod changes;
mod customers;
mod orders;
mod products;
mod stock;
mod strangers;

use expect_test::Expect;
use serde_json::Value;

use crate::support::client::{Answer, Call};
use crate::support::people::{Person, order_of};
use crate::support::shop::{Setup, Shop};

const JSON: &str = "application/json";

/// A shop with the people, the product and the order of these tests.
struct Scene {
    shop: Shop,
    admin: Person,
    customer: Person,
    stranger: Person,
    product: String,
    order: String,
}

impl Scene {
    async fn new() -> Self {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let stranger = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.until_settled(&order).await;
        Self {
            admin: shop.admin().await.clone(),
            customer,
            stranger,
            product,
            order,
            shop,
        }
    }

    fn create_product(&self) -> Call {
        self.shop.post("/products").bearer(&self.admin.token)
    }

    fn update_product(&self) -> Call {
        let call = self.shop.patch(&format!("/products/{}", self.product));
        call.bearer(&self.admin.token).header("if-match", "*")
    }

    fn set_stock(&self) -> Call {
        let call = self.shop.put(&format!("/inventory/{}", self.product));
        call.bearer(&self.admin.token).header("if-match", "*")
    }

    fn place(&self) -> Call {
        let call = self.shop.post("/orders").bearer(&self.customer.token);
        call.key("refused")
    }

    fn order_with(&self, change: impl FnOnce(&mut Value)) -> Call {
        let mut order = order_of(&[(&self.product, 1)], "tok_ok");
        change(&mut order);
        self.place().json(&order)
    }

    /// Sends every call, compares the status, kind and faults of the responses with `expected`, and checks
    /// that nothing was stored.
    async fn check(&self, calls: Vec<(&str, Call)>, expected: Expect) {
        let before = self.shop.first_hand().await;
        let mut shown = String::new();
        for (name, call) in calls {
            let answer = call.send().await;
            shown += &format!("{name}: {}\n", fault(&answer));
        }
        assert_eq!(self.shop.first_hand().await, before, "something was stored");
        expected.assert_eq(&shown);
    }
}

impl Scene {
    /// Creates a product and discontinues it. Returns its id.
    async fn discontinued(&self) -> String {
        let id = self.shop.product("18.50", 10).await;
        let call = self.shop.delete(&format!("/products/{id}"));
        let call = call.bearer(&self.admin.token).header("if-match", "*");
        call.send().await.expect(200);
        id
    }
}

/// Returns the status, the kind and each fault with its place; checks the form of the document.
fn fault(answer: &Answer) -> String {
    let status = answer.status;
    assert!((400..500).contains(&status), "{status} {}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text
    );
    let document = answer.json();
    assert_eq!(document["status"], status);
    for member in ["title", "detail", "instance"] {
        let text = document[member].as_str().unwrap();
        assert!(!text.is_empty(), "{member}: {}", answer.text);
    }
    let kind = document["type"].as_str().unwrap();
    let kind = kind.rsplit([':', '/']).next().unwrap();
    let faults = document["errors"].as_array().into_iter().flatten();
    let faults = faults.map(|fault| {
        assert!(fault["detail"].is_string(), "{fault}");
        format!(
            " {} {}",
            fault["pointer"].as_str().unwrap(),
            fault["code"].as_str().unwrap()
        )
    });
    format!("{status} {kind}{}", faults.collect::<String>())
}

/// Returns `body` with the field at `pointer` replaced.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

/// Returns `body` with one more field.
fn and(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}
