//! Bad input of every kind: each gets its problem document, with every fault at once, and nothing is
//! stored.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support::client::{Answer, Call};
use crate::support::people::{PASSWORD, Person, order_of, product};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

const JSON: &str = "application/json";

/// A shop with something to be refused.
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

    /// Sends every call and shows status, kind and faults of each answer; nothing may be stored.
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

/// Status, kind, and each fault with its place; checks the form of the document.
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

/// `body` with the field at `pointer` replaced.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

/// `body` with one more field.
fn and(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[test]
fn bad_products_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let kite = || product("Kite", "18.50");
        let create = |body: Value| scene.create_product().json(&body);
        let price = |amount: Value| create(with(kite(), "/price/amount", amount));
        let calls = vec![
            ("nothing", create(json!({}))),
            ("a list", create(json!([]))),
            ("no body", scene.create_product().raw(JSON, "")),
            (
                "broken JSON",
                scene.create_product().raw(JSON, "{\"name\":"),
            ),
            ("two documents", scene.create_product().raw(JSON, "{}{}")),
            (
                "not text at all",
                scene.create_product().raw(JSON, vec![0xff, 0xfe]),
            ),
            (
                "a form",
                scene
                    .create_product()
                    .raw("application/x-www-form-urlencoded", "name=Kite"),
            ),
            (
                "plain text",
                scene.create_product().raw("text/plain", kite().to_string()),
            ),
            (
                "a name of a wrong type",
                create(with(kite(), "/name", json!(5))),
            ),
            ("an empty name", create(with(kite(), "/name", json!("")))),
            ("a blank name", create(with(kite(), "/name", json!("   ")))),
            (
                "a name with a NUL",
                create(with(kite(), "/name", json!("Ki\0te"))),
            ),
            (
                "a name of 256 characters",
                create(with(kite(), "/name", json!("k".repeat(256)))),
            ),
            (
                "a huge name",
                create(with(kite(), "/name", json!("k".repeat(60_000)))),
            ),
            (
                "a huge body",
                create(with(kite(), "/name", json!("k".repeat(70_000)))),
            ),
            (
                "a huge description",
                create(and(kite(), "description", json!("k".repeat(1001)))),
            ),
            (
                "an unknown field",
                create(and(kite(), "colour", json!("red"))),
            ),
            ("an id", create(and(kite(), "id", json!(scene.product)))),
            ("a price as a number", price(json!(18.5))),
            ("a price of three decimals", price(json!("18.505"))),
            ("a price of nothing", price(json!("0.00"))),
            ("a negative price", price(json!("-1.00"))),
            ("a price that is no number", price(json!("NaN"))),
            ("a price with an exponent", price(json!("1e3"))),
            ("a huge price", price(json!("9".repeat(40)))),
            (
                "another currency",
                create(with(kite(), "/price/currency", json!("USD"))),
            ),
            (
                "a price without its currency",
                create(with(kite(), "/price", json!({"amount": "1.00"}))),
            ),
            (
                "a price that is a text",
                create(with(kite(), "/price", json!("1.00"))),
            ),
            (
                "a category with spaces",
                create(with(kite(), "/category", json!("Big Toys"))),
            ),
            (
                "attributes that are a list",
                create(and(kite(), "attributes", json!(["red"]))),
            ),
            (
                "an attribute that is a number",
                create(and(kite(), "attributes", json!({"legs": 4}))),
            ),
            (
                "a status of its own",
                create(and(kite(), "status", json!("sold"))),
            ),
            (
                "discontinued from the start",
                create(and(kite(), "status", json!("discontinued"))),
            ),
            (
                "several faults",
                create(json!({"name": 1, "price": {"amount": "1.999"}, "x": null})),
            ),
            ("a key of two words", create(kite()).key("two words")),
            (
                "a key that is too long",
                create(kite()).key(&"k".repeat(256)),
            ),
        ];
        scene.check(calls, expect![[r#"
            nothing: 422 invalid-body /name required /price required /category required
            a list: 400 malformed-request
            no body: 400 malformed-request
            broken JSON: 400 malformed-request
            two documents: 400 malformed-request
            not text at all: 400 malformed-request
            a form: 415 unsupported-media-type
            plain text: 415 unsupported-media-type
            a name of a wrong type: 422 invalid-body /name type
            an empty name: 422 invalid-body /name length
            a blank name: 422 invalid-body /name blank
            a name with a NUL: 422 invalid-body /name control_character
            a name of 256 characters: 422 invalid-body /name length
            a huge name: 422 invalid-body /name length
            a huge body: 413 body-too-large
            a huge description: 422 invalid-body /description length
            an unknown field: 422 invalid-body /colour unknown_field
            an id: 422 invalid-body /id unknown_field
            a price as a number: 422 invalid-body /price/amount type
            a price of three decimals: 422 invalid-body /price/amount decimals
            a price of nothing: 422 invalid-body /price range
            a negative price: 422 invalid-body /price range
            a price that is no number: 422 invalid-body /price/amount invalid
            a price with an exponent: 422 invalid-body /price/amount invalid
            a huge price: 422 invalid-body /price/amount invalid
            another currency: 422 invalid-body /price/currency currency
            a price without its currency: 422 invalid-body /price/currency required
            a price that is a text: 422 invalid-body /price type
            a category with spaces: 422 invalid-body /category invalid
            attributes that are a list: 422 invalid-body /attributes type
            an attribute that is a number: 422 invalid-body /attributes/legs type
            a status of its own: 422 invalid-body /status invalid
            discontinued from the start: 422 invalid-body /status invalid
            several faults: 422 invalid-body /name type /price/amount decimals /price/currency required /category required /x unknown_field
            a key of two words: 400 idempotency-key-required
            a key that is too long: 400 idempotency-key-required
        "#]]).await;
    });
}

#[test]
fn bad_changes_of_products_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let update = |body: Value| scene.update_product().json(&body);
        let nobody = uuid::Uuid::nil();
        let delete = |path: &str| scene.shop.delete(path).bearer(&scene.admin.token);
        let get = |path: &str| scene.shop.get(path);
        let calls = vec![
            ("a null name", update(json!({"name": null}))),
            (
                "a free product",
                update(json!({"price": {"amount": "0", "currency": "EUR"}})),
            ),
            ("another id", update(json!({"id": nobody}))),
            (
                "a broken tag",
                update(json!({"name": "Kite"})).header("if-match", "1"),
            ),
            ("no tag", delete(&format!("/products/{}", scene.product))),
            (
                "a stale tag",
                delete(&format!("/products/{}", scene.product)).header("if-match", "\"9\""),
            ),
            (
                "an unknown product",
                delete(&format!("/products/{nobody}")).header("if-match", "*"),
            ),
            ("a product of no id", get("/products/kite")),
            (
                "an id in capitals",
                get(&format!("/products/{}", scene.product.to_uppercase())),
            ),
            ("a limit of zero", get("/products?limit=0")),
            ("a limit of 101", get("/products?limit=101")),
            ("a limit that is no number", get("/products?limit=ten")),
            ("a cursor of another kind", get("/products?cursor=%21")),
            ("an unknown parameter", get("/products?colour=red")),
            ("an unknown status", get("/products?status=sold")),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            a null name: 422 invalid-body /name type
            a free product: 422 invalid-body /price range
            another id: 422 invalid-body /id unknown_field
            a broken tag: 400 invalid-parameters If-Match invalid
            no tag: 428 precondition-required
            a stale tag: 412 precondition-failed
            an unknown product: 404 not-found
            a product of no id: 404 not-found
            an id in capitals: 404 not-found
            a limit of zero: 400 invalid-parameters ?limit invalid
            a limit of 101: 400 invalid-parameters ?limit invalid
            a limit that is no number: 400 invalid-parameters ?limit invalid
            a cursor of another kind: 400 invalid-parameters ?cursor invalid
            an unknown parameter: 400 invalid-parameters ?colour unknown_parameter
            an unknown status: 400 invalid-parameters ?status invalid
        "#]],
            )
            .await;
    });
}

#[test]
fn bad_stock_is_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let set = |body: Value| scene.set_stock().json(&body);
        let nobody = uuid::Uuid::nil();
        let calls = vec![
            ("nothing", set(json!({}))),
            ("a negative number", set(json!({"on_hand": -1}))),
            ("a fraction", set(json!({"on_hand": 1.5}))),
            ("a text", set(json!({"on_hand": "10"}))),
            ("a huge number", set(json!({"on_hand": 10_000_000_000_u64}))),
            (
                "an unknown field",
                set(json!({"on_hand": 10, "reserved": 0})),
            ),
            ("less than is reserved", set(json!({"on_hand": 1}))),
            (
                "a customer",
                scene
                    .shop
                    .put(&format!("/inventory/{}", scene.product))
                    .bearer(&scene.customer.token)
                    .header("if-match", "*")
                    .json(&json!({"on_hand": 10})),
            ),
            (
                "no stock of it",
                scene
                    .shop
                    .get(&format!("/inventory/{nobody}"))
                    .bearer(&scene.admin.token),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /on_hand required
            a negative number: 422 invalid-body /on_hand range
            a fraction: 422 invalid-body /on_hand type
            a text: 422 invalid-body /on_hand type
            a huge number: 422 invalid-body /on_hand range
            an unknown field: 422 invalid-body /reserved unknown_field
            less than is reserved: 409 conflict
            a customer: 403 forbidden
            no stock of it: 404 not-found
        "#]],
            )
            .await;
    });
}

#[test]
fn bad_registrations_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let erika = || json!({"email": "erika@example.com", "password": PASSWORD, "name": "Erika"});
        let register = |body: Value| scene.shop.post("/customers").json(&body);
        let login = |body: Value| scene.shop.post("/auth/login").json(&body);
        let calls = vec![
            ("nothing", register(json!({}))),
            (
                "no address",
                register(with(erika(), "/email", json!("erika"))),
            ),
            (
                "an address of a wrong type",
                register(with(erika(), "/email", json!(["erika@example.com"]))),
            ),
            (
                "a huge address",
                register(with(
                    erika(),
                    "/email",
                    json!(format!("{}@example.com", "e".repeat(300))),
                )),
            ),
            (
                "a short password",
                register(with(erika(), "/password", json!("1234567"))),
            ),
            (
                "a huge password",
                register(with(erika(), "/password", json!("p".repeat(5000)))),
            ),
            (
                "a name of two lines",
                register(with(erika(), "/name", json!("Erika\nBcc: all"))),
            ),
            ("a role", register(and(erika(), "roles", json!(["admin"])))),
            (
                "no language",
                register(and(erika(), "locale", json!("klingonisch bitte"))),
            ),
            (
                "an address that is taken",
                register(with(erika(), "/email", json!(scene.customer.email))),
            ),
            (
                "a login without a password",
                login(json!({"email": "erika@example.com"})),
            ),
            (
                "a login of nobody",
                login(json!({"email": "erika@example.com", "password": PASSWORD})),
            ),
            ("a login that is a list", login(json!([]))),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /email required /password required /name required
            no address: 422 invalid-body /email invalid
            an address of a wrong type: 422 invalid-body /email type
            a huge address: 422 invalid-body /email invalid
            a short password: 422 invalid-body /password length
            a huge password: 422 invalid-body /password length
            a name of two lines: 422 invalid-body /name control_character
            a role: 422 invalid-body /roles unknown_field
            no language: 422 invalid-body /locale invalid
            an address that is taken: 409 conflict
            a login without a password: 422 invalid-body /password required
            a login of nobody: 401 unauthenticated
            a login that is a list: 400 malformed-request
        "#]],
            )
            .await;
    });
}

#[test]
fn bad_orders_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let nobody = uuid::Uuid::nil();
        let quantity =
            |quantity: Value| scene.order_with(|order| order["items"][0]["quantity"] = quantity);
        let lines = |count: usize| {
            let line = json!({"product_id": scene.product, "quantity": 1});
            scene.order_with(|order| order["items"] = json!(vec![line; count]))
        };
        let kite = scene.discontinued().await;
        let set = |pointer: &'static str, value: Value| {
            scene.order_with(|order| *order.pointer_mut(pointer).unwrap() = value)
        };
        let no_key = scene.shop.post("/orders").bearer(&scene.customer.token);
        let calls = vec![
            ("nothing", scene.place().json(&json!({}))),
            ("a text", scene.place().json(&json!("two kites please"))),
            ("broken JSON", scene.place().raw(JSON, "{\"items\":[}")),
            (
                "plain text",
                scene.place().raw("text/plain", "two kites please"),
            ),
            (
                "no key",
                no_key.json(&order_of(&[(&scene.product, 1)], "tok_ok")),
            ),
            ("no lines", lines(0)),
            ("51 lines", lines(51)),
            ("a quantity of zero", quantity(json!(0))),
            ("a negative quantity", quantity(json!(-1))),
            ("a fraction of a quantity", quantity(json!(0.5))),
            ("a quantity that is a text", quantity(json!("1"))),
            ("a huge quantity", quantity(json!(u64::MAX))),
            ("1000 of one product", quantity(json!(1000))),
            (
                "1000 of one product in two lines",
                scene.place().json(&order_of(
                    &[(&scene.product, 999), (&scene.product, 1)],
                    "tok_ok",
                )),
            ),
            (
                "an unknown product",
                set("/items/0/product_id", json!(nobody)),
            ),
            (
                "a product of no id",
                set("/items/0/product_id", json!("kite")),
            ),
            (
                "a product that is not sold any more",
                set("/items/0/product_id", json!(kite)),
            ),
            (
                "a price",
                scene.order_with(|order| order["items"][0]["unit_price"] = json!("0.01")),
            ),
            (
                "somebody else's name",
                scene.order_with(|order| order["customer_id"] = json!(scene.stranger.id)),
            ),
            (
                "no address",
                scene.order_with(|order| order["shipping_address"] = json!(null)),
            ),
            (
                "an address of a wrong type",
                set("/shipping_address", json!("Köln")),
            ),
            (
                "a huge recipient",
                set("/shipping_address/recipient", json!("E".repeat(10_000))),
            ),
            (
                "no such country",
                set("/shipping_address/country", json!("Germany")),
            ),
            (
                "a field of no address",
                scene.order_with(|order| order["shipping_address"]["planet"] = json!("Earth")),
            ),
            ("no token", set("/payment", json!({}))),
            (
                "a card number",
                scene.order_with(|order| order["payment"]["card"] = json!("4242424242424242")),
            ),
            (
                "a token of two words",
                set("/payment/token", json!("tok ok")),
            ),
            (
                "a discount",
                scene.order_with(|order| order["discount_code"] = json!("SPRING")),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /items required /shipping_address required /payment required
            a text: 400 malformed-request
            broken JSON: 400 malformed-request
            plain text: 415 unsupported-media-type
            no key: 400 idempotency-key-required
            no lines: 422 invalid-body /items length
            51 lines: 422 invalid-body /items length
            a quantity of zero: 422 invalid-body /items/0/quantity range
            a negative quantity: 422 invalid-body /items/0/quantity range
            a fraction of a quantity: 422 invalid-body /items/0/quantity type
            a quantity that is a text: 422 invalid-body /items/0/quantity type
            a huge quantity: 422 invalid-body /items/0/quantity range
            1000 of one product: 422 invalid-body /items/0/quantity range
            1000 of one product in two lines: 422 invalid-body /items/1/quantity range
            an unknown product: 422 invalid-body /items/0/product_id unknown_product
            a product of no id: 422 invalid-body /items/0/product_id invalid
            a product that is not sold any more: 422 invalid-body /items/0/product_id not_for_sale
            a price: 422 invalid-body /items/0/unit_price unknown_field
            somebody else's name: 422 invalid-body /customer_id unknown_field
            no address: 422 invalid-body /shipping_address type
            an address of a wrong type: 422 invalid-body /shipping_address type
            a huge recipient: 422 invalid-body /shipping_address/recipient length
            no such country: 422 invalid-body /shipping_address/country invalid
            a field of no address: 422 invalid-body /shipping_address/planet unknown_field
            no token: 422 invalid-body /payment/token required
            a card number: 422 invalid-body /payment/card unknown_field
            a token of two words: 422 invalid-body /payment/token invalid
            a discount: 422 invalid-body /discount_code discounts_not_supported
        "#]],
            )
            .await;
    });
}

#[test]
fn other_peoples_and_unknown_orders_are_not_found() {
    run_local(async {
        let scene = Scene::new().await;
        let nobody = uuid::Uuid::nil();
        let get = |path: String, who: &Person| scene.shop.get(&path).bearer(&who.token);
        let (order, customer, stranger) = (&scene.order, &scene.customer, &scene.stranger);
        let cancel = scene.shop.post(&format!("/orders/{order}/cancel"));
        let cancel_nothing = scene.shop.post(&format!("/orders/{nobody}/cancel"));
        let calls = vec![
            ("another's order", get(format!("/orders/{order}"), stranger)),
            (
                "another's history",
                get(format!("/orders/{order}/history"), stranger),
            ),
            (
                "another's payments",
                get(format!("/orders/{order}/payments"), stranger),
            ),
            ("another's order to cancel", cancel.bearer(&stranger.token)),
            (
                "an unknown order",
                get(format!("/orders/{nobody}"), customer),
            ),
            (
                "an unknown history",
                get(format!("/orders/{nobody}/history"), customer),
            ),
            (
                "unknown payments",
                get(format!("/orders/{nobody}/payments"), customer),
            ),
            (
                "an unknown order to cancel",
                cancel_nothing.bearer(&customer.token),
            ),
            (
                "an order of no id",
                get("/orders/mine".to_owned(), customer),
            ),
            (
                "an unknown status",
                get("/orders?status=lost".to_owned(), customer),
            ),
            (
                "somebody else's list",
                get(format!("/orders?customer_id={}", customer.id), stranger),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            another's order: 404 not-found
            another's history: 404 not-found
            another's payments: 404 not-found
            another's order to cancel: 404 not-found
            an unknown order: 404 not-found
            an unknown history: 404 not-found
            unknown payments: 404 not-found
            an unknown order to cancel: 404 not-found
            an order of no id: 404 not-found
            an unknown status: 400 invalid-parameters ?status invalid
            somebody else's list: 400 invalid-parameters ?customer_id unknown_parameter
        "#]],
            )
            .await;
    });
}

impl Scene {
    /// A product that was on sale.
    async fn discontinued(&self) -> String {
        let id = self.shop.product("18.50", 10).await;
        let call = self.shop.delete(&format!("/products/{id}"));
        let call = call.bearer(&self.admin.token).header("if-match", "*");
        call.send().await.expect(200);
        id
    }
}
