//! Tests of discounts as orders and quotes use them: codes, limits and guests.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::aws::settings::Setting;
use crate::customers::link::Links;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::orders::change;
use crate::orders::checkout::{Checkout, place_order};
use crate::orders::codes::list_discount_codes;
use crate::orders::fixtures::{Shop, after, customer, eur, json_of, product, request, with_header};
use crate::orders::guests::place_guest_order;
use crate::orders::quotes::{create_guest_quote, create_quote};
use crate::orders::rules;
use crate::orders::totals::Totals;
use crate::orders::uses::Taker;
use crate::pricing::api::settings;
use crate::pricing::codes::create_discount_codes;
use crate::pricing::fixtures::{discount, percent};
use crate::pricing::model::{Discount, Terms};
use crate::pricing::rules as pricing_rules;
use crate::pricing::store::PricingStore;

mod currencies;
mod lists;
mod registry;
mod shipping;

/// A shop that sells sencha, and all that its shoppers can do.
struct Selling {
    shop: Shop,
    checkout: Checkout,
    totals: Totals,
    links: Links,
    pricing: PricingStore,
    keys: Cell<u32>,
}

async fn selling() -> Selling {
    let shop = Shop::selling_sencha().await;
    Selling {
        checkout: Checkout::new(&shop.aws).unwrap(),
        totals: Totals::new(&shop.aws).unwrap(),
        links: Links::new(&shop.aws).unwrap(),
        pricing: PricingStore::new(&shop.aws).unwrap(),
        keys: Cell::new(0),
        shop,
    }
}

/// An order of ten pieces for 129.00 with `more` fields.
fn order(more: Value) -> Value {
    let mut order = json!({
        "items": [{"product_id": product("sencha"), "quantity": 10}],
        "shipping_address": {
            "recipient": "Ana", "line1": "Lindenstraße 12", "city": "Wien", "postal_code": "1070",
            "country": "AT",
        },
        "payment": {"token": "tok_ok"},
    });
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

fn code(code: &str) -> Value {
    json!({"discount_code": code})
}

fn sent(name: &str, body: &Value) -> Request {
    let request = request(name, after(1));
    let mut request = with_header(request, "content-type", "application/json");
    request.body = body.to_string().into_bytes();
    request
}

fn as_guest(body: &Value) -> Request {
    Request {
        identity: None,
        ..sent("nobody", body)
    }
}

/// Returns the total, or the pointer and the code of each fault.
fn outcome(answer: Result<Response, Problem>) -> String {
    match answer {
        Ok(answer) => {
            let total = &json_of(&answer)["total_amount"]["amount"];
            total.as_str().unwrap().to_owned()
        }
        Err(Problem::InvalidBody(faults)) => {
            let faults = faults.iter();
            let faults = faults.map(|fault| format!("{} {}", fault.pointer, fault.code));
            faults.collect::<Vec<_>>().join(", ")
        }
        Err(other) => panic!("{other:?}"),
    }
}

impl Selling {
    /// Adds a discount of half the price with `code`.
    async fn half(&self, code: &str, change: impl FnOnce(&mut Terms)) -> Discount {
        let mut made = discount(code, percent("0.5"));
        made.code = Some(code.parse().unwrap());
        change(&mut made.terms);
        self.pricing.create(made.clone()).await.unwrap();
        made
    }

    async fn change(&self, discount: &Discount, change: impl FnOnce(&mut Terms)) {
        let stored = self.pricing.get(discount.id).await.unwrap().unwrap();
        let mut terms = stored.terms.clone();
        change(&mut terms);
        let changed = pricing_rules::update(&stored, terms, &IfMatch::Any, after(1));
        let changed = changed.unwrap().unwrap();
        self.pricing.replace(changed).await.unwrap();
    }

    /// Returns a new `Idempotency-Key`.
    fn key(&self) -> String {
        self.keys.set(self.keys.get() + 1);
        format!("key-{}", self.keys.get())
    }

    async fn order(&self, name: &str, more: Value) -> Result<Response, Problem> {
        let request = with_header(sent(name, &order(more)), "idempotency-key", &self.key());
        Box::pin(place_order(&self.checkout, request)).await
    }

    async fn place(&self, name: &str, more: Value) -> String {
        outcome(self.order(name, more).await)
    }

    async fn guest_order(&self, email: &str, more: Value) -> Result<Response, Problem> {
        let mut body = order(more);
        body["email"] = json!(email);
        let request = with_header(as_guest(&body), "idempotency-key", &self.key());
        Box::pin(place_guest_order(&self.checkout, &self.links, request)).await
    }

    async fn place_as_guest(&self, email: &str, more: Value) -> String {
        outcome(self.guest_order(email, more).await)
    }

    async fn quote(&self, name: &str, more: Value) -> Result<Response, Problem> {
        let mut body = order(more);
        body.as_object_mut().unwrap().remove("payment");
        let cards = self.shop.preview();
        create_quote(&self.totals, &self.links, &cards, sent(name, &body)).await
    }

    async fn guest_quote(&self, more: Value) -> Result<Response, Problem> {
        let mut body = order(more);
        body.as_object_mut().unwrap().remove("payment");
        let cards = self.shop.preview();
        create_guest_quote(&self.totals, &self.links, &cards, as_guest(&body)).await
    }

    async fn cancel(&self, placed: &Response) {
        let id = json_of(placed)["id"].as_str().unwrap().parse().unwrap();
        let cancel = |order| rules::cancel(order, after(2), None).map_err(Problem::from);
        change::apply(&self.shop.orders, id, cancel).await.unwrap();
    }
}

fn quote_of(answer: Result<Response, Problem>) -> Value {
    json!({"quote": json_of(&answer.unwrap())["quote"]})
}

#[tokio::test]
async fn an_order_takes_several_codes_and_a_refusal_points_to_its_code() {
    let selling = selling().await;
    selling.half("HALF", |terms| terms.priority = 1).await;
    selling.half("AGAIN", |_| {}).await;
    let alone = |terms: &mut Terms| {
        terms.priority = 200;
        terms.stackable = false;
    };
    selling.half("ALONE", alone).await;
    let many = |terms: &mut Terms| terms.condition = Some("order.item_count > 10".to_owned());
    selling.half("MANY", many).await;
    for (codes, expected) in [
        (json!(["AGAIN", "half"]), "32.25"),
        (json!([]), "129.00"),
        (json!(["HALF", "NONE"]), "/discount_codes/1 unknown_code"),
        (json!(["HALF", " half"]), "/discount_codes/1 repeated"),
        (json!(["ALONE", "HALF"]), "/discount_codes/0 not_combinable"),
        (
            json!(["HALF", "MANY"]),
            "/discount_codes/1 condition_not_met",
        ),
        (
            json!(["A", "B", "C", "D", "E", "F"]),
            "/discount_codes length",
        ),
    ] {
        let more = json!({"discount_codes": codes});
        let quoted = outcome(selling.quote("ana", more.clone()).await);
        assert_eq!(quoted, expected, "{more}");
        assert_eq!(selling.place("ana", more).await, expected);
    }
    let both = json!({"discount_codes": ["HALF"], "discount_code": "AGAIN"});
    assert_eq!(selling.place("ana", both).await, "/discount_codes conflict");
}

#[tokio::test]
async fn an_order_by_quote_need_not_name_its_codes_and_cannot_name_others() {
    let selling = selling().await;
    selling.half("HALF", |_| {}).await;
    selling.half("AGAIN", |_| {}).await;
    for (named, expected) in [
        (json!({}), "32.25"),
        (json!({"discount_codes": ["again", "half"]}), "32.25"),
        (json!({"discount_codes": ["HALF"]}), "/quote other_order"),
        (
            json!({"discount_codes": ["HALF", "MORE"]}),
            "/quote other_order",
        ),
        (code("HALF"), "/quote other_order"),
    ] {
        let codes = json!({"discount_codes": ["HALF", "AGAIN"]});
        let mut more = quote_of(selling.quote("ana", codes).await);
        for (name, value) in named.as_object().unwrap() {
            more[name] = value.clone();
        }
        assert_eq!(selling.place("ana", more).await, expected, "{named}");
    }
}

#[tokio::test]
async fn a_limit_that_is_introduced_later_counts_the_orders_before_it() {
    let selling = selling().await;
    let made = selling.half("LATER", |_| {}).await;
    for name in ["ana", "ben"] {
        assert_eq!(selling.place(name, code("LATER")).await, "64.50");
    }
    let limit = async |limit| {
        selling
            .change(&made, |terms| terms.usage_limit = limit)
            .await;
    };
    let place = async || selling.place("eve", code("LATER")).await;
    let used_up = "/discount_code used_up";
    for fewer in [1, 2] {
        limit(Some(fewer)).await;
        assert_eq!(place().await, used_up, "{fewer}");
    }
    // Raised, lowered, taken away and introduced again.
    limit(Some(3)).await;
    assert_eq!([place().await, place().await], ["64.50", used_up]);
    limit(Some(1)).await;
    assert_eq!(place().await, used_up);
    limit(None).await;
    let fourth = selling.order("eve", code("LATER")).await.unwrap();
    limit(Some(4)).await;
    assert_eq!(place().await, used_up);
    // A use that was taken while there was no limit comes back, too.
    selling.cancel(&fourth).await;
    assert_eq!([place().await, place().await], ["64.50", used_up]);
}

#[tokio::test]
async fn a_limit_per_customer_that_is_introduced_later_counts_the_orders_before_it() {
    let selling = selling().await;
    let made = selling.half("LATER", |_| {}).await;
    let later = || code("LATER");
    let first = selling.order("ana", later()).await.unwrap();
    let guest = "gast@example.com";
    assert_eq!(selling.place_as_guest(guest, later()).await, "64.50");
    let limit = async |limit| {
        let change = |terms: &mut Terms| terms.usage_limit_per_customer = limit;
        selling.change(&made, change).await;
    };
    limit(Some(1)).await;
    let used_up = "/discount_code used_up";
    assert_eq!(selling.place("ana", later()).await, used_up);
    assert_eq!(selling.place_as_guest(guest, later()).await, used_up);
    assert_eq!(selling.place("ben", later()).await, "64.50");
    assert_eq!(selling.place("ben", later()).await, used_up);
    // Raised, taken away and introduced again: no use is counted twice.
    limit(Some(2)).await;
    let ben = || selling.place("ben", later());
    assert_eq!([ben().await, ben().await], ["64.50", used_up]);
    limit(None).await;
    assert_eq!(ben().await, "64.50");
    limit(Some(4)).await;
    assert_eq!([ben().await, ben().await], ["64.50", used_up]);
    // A use that was taken while there was no limit comes back, too.
    limit(Some(1)).await;
    assert_eq!(selling.place("ana", later()).await, used_up);
    selling.cancel(&first).await;
    let ana = || selling.place("ana", later());
    assert_eq!([ana().await, ana().await], ["64.50", used_up]);
}

#[tokio::test]
async fn only_orders_without_a_count_of_their_customer_are_looked_for() {
    let selling = selling().await;
    let made = selling.half("EACH", |_| {}).await;
    assert_eq!(selling.place("ana", code("EACH")).await, "64.50");
    let stored = selling.shop.engine.items(Setting::OrdersTable);
    let counts = stored.iter().filter(|item| item["uses"].is_number());
    let counts: Vec<&str> = counts.map(|item| item["part"].as_str().unwrap()).collect();
    assert!(
        matches!(counts[..], [count] if count.starts_with("total#")),
        "{counts:?}"
    );
    let ana = Taker::Customer(customer("ana"));
    let uncounted = async || selling.shop.orders.uncounted_uses(ana, made.id).await;
    assert_eq!(uncounted().await.unwrap(), 1);
    let twice = |terms: &mut Terms| terms.usage_limit_per_customer = Some(2);
    selling.change(&made, twice).await;
    assert_eq!(selling.place("ana", code("EACH")).await, "64.50");
    assert_eq!(uncounted().await.unwrap(), 1);
}

#[tokio::test]
async fn a_quote_keeps_its_discount_when_the_terms_change_but_takes_a_use() {
    let selling = selling().await;
    let twice = |terms: &mut Terms| terms.usage_limit = Some(2);
    let made = selling.half("SOON", twice).await;
    let mut quotes = Vec::new();
    for name in ["ana", "ben", "eve"] {
        quotes.push((name, quote_of(selling.quote(name, code("SOON")).await)));
    }
    let dear = |terms: &mut Terms| terms.minimum_amount = Some(eur("999.00"));
    selling.change(&made, dear).await;
    assert_eq!(
        selling.place("ana", code("SOON")).await,
        "/discount_code below_minimum_amount"
    );
    let mut outcomes = Vec::new();
    for (name, quote) in quotes {
        outcomes.push(selling.place(name, quote).await);
    }
    assert_eq!(outcomes, ["64.50", "64.50", "/quote used_up"]);
}

#[tokio::test]
async fn a_guest_is_counted_by_email_address_and_a_cancelled_order_gives_the_use_back() {
    let selling = selling().await;
    let once = |terms: &mut Terms| terms.usage_limit_per_customer = Some(1);
    selling.half("ONCE", once).await;
    let used_up = "/discount_code used_up";
    let first = selling.guest_order("Gast@example.com", code("ONCE")).await;
    let first = first.unwrap();
    for (email, expected) in [("gast@EXAMPLE.com", used_up), ("new@example.com", "64.50")] {
        let placed = selling.place_as_guest(email, code("ONCE")).await;
        assert_eq!(placed, expected, "{email}");
    }
    selling.cancel(&first).await;
    let named = json!({"discount_code": "ONCE", "email": "gast@example.com"});
    let quote = quote_of(selling.guest_quote(named).await);
    for (more, expected) in [(quote, "64.50"), (code("ONCE"), used_up)] {
        let placed = selling.place_as_guest("gast@example.com", more).await;
        assert_eq!(placed, expected);
    }
    // A guest who gives no address cannot be counted.
    let quoted = outcome(selling.guest_quote(code("ONCE")).await);
    assert_eq!(quoted, "/discount_code account_needed");
    let stored = selling.shop.engine.items(Setting::OrdersTable);
    let mut counts = stored.iter().filter(|item| item["uses"].is_number());
    assert!(counts.all(|count| !count.to_string().contains("example.com")));
}

#[tokio::test]
async fn a_guests_first_order_is_known_by_the_email_address() {
    let selling = selling().await;
    selling
        .half("FIRST", |terms| terms.first_order = true)
        .await;
    let earlier = selling.guest_order("gast@example.com", json!({})).await;
    for (email, expected) in [
        ("Gast@example.com", "/discount_code not_first_order"),
        ("new@example.com", "64.50"),
    ] {
        let placed = selling.place_as_guest(email, code("FIRST")).await;
        assert_eq!(placed, expected, "{email}");
    }
    selling.cancel(&earlier.unwrap()).await;
    let placed = selling
        .place_as_guest("gast@example.com", code("FIRST"))
        .await;
    assert_eq!(placed, "64.50");
}

#[tokio::test]
async fn the_shop_decides_which_of_two_discounts_wins_that_cannot_be_combined() {
    let selling = selling().await;
    let mut less = discount("less", percent("0.1"));
    less.terms.stackable = false;
    less.terms.priority = 1;
    selling.pricing.create(less).await.unwrap();
    let more = discount("more", percent("0.2"));
    selling.pricing.create(more).await.unwrap();
    assert_eq!(selling.place("ana", json!({})).await, "116.10");
    let admin = |body: &Value| with_header(sent("admin", body), "if-match", "\"0\"");
    let wanted = json!({"exclusive": "best"});
    let replaced = settings::replace_discount_settings(&selling.pricing, admin(&wanted)).await;
    assert_eq!(json_of(&replaced.unwrap())["version"], 1);
    assert_eq!(selling.place("ana", json!({})).await, "103.20");
    let read = settings::get_discount_settings(&selling.pricing, admin(&json!({}))).await;
    assert_eq!(json_of(&read.unwrap())["exclusive"], "best");
    let stale = admin(&json!({"exclusive": "priority"}));
    let stale = settings::replace_discount_settings(&selling.pricing, stale).await;
    assert!(
        matches!(stale, Err(Problem::PreconditionFailed)),
        "{stale:?}"
    );
}

/// Returns the request of `name` about the codes of `discount`, with `body`.
fn about_codes(discount: &Discount, body: &Value) -> Request {
    let mut request = with_header(sent("admin", body), "idempotency-key", "batch");
    let id = ("discount_id".to_owned(), discount.id.to_string());
    request.path_parameters.extend([id]);
    request
}

#[tokio::test]
async fn a_generated_code_is_good_for_one_order() {
    let selling = selling().await;
    let mut made = discount("generated", percent("0.5"));
    made.single_use_codes = true;
    selling.pricing.create(made.clone()).await.unwrap();
    // It has no code of its own and is not automatic.
    assert_eq!(selling.place("ana", json!({})).await, "129.00");
    let request = about_codes(&made, &json!({"count": 3}));
    let generated = create_discount_codes(&selling.pricing, request).await;
    let generated = json_of(&generated.unwrap());
    let mut codes: Vec<&str> = generated["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap())
        .collect();
    codes.sort_unstable();
    let [first, second, third] = codes[..] else {
        panic!("{codes:?}");
    };
    // As people type it.
    let typed = format!("{}-{} {}", &first[..4], &first[4..8], &first[8..]).to_lowercase();
    let promised = selling.quote("ana", code(&typed)).await.unwrap();
    assert_eq!(json_of(&promised)["discounts"][0]["code"], first);
    let mut by_quote = quote_of(Ok(promised));
    by_quote["discount_code"] = json!(first);
    let placed = selling.order("ana", by_quote).await.unwrap();
    assert_eq!(json_of(&placed)["discounts"][0]["code"], first);
    let used_up = "/discount_code used_up";
    assert_eq!(selling.place("ben", code(first)).await, used_up);
    let sheet = async || {
        let request = with_header(about_codes(&made, &json!({})), "accept", "text/csv");
        let page = list_discount_codes(&selling.pricing, &selling.shop.orders, request).await;
        String::from_utf8(page.unwrap().body).unwrap()
    };
    let listed =
        |used| format!("code,used\r\n{third},false\r\n{second},false\r\n{first},{used}\r\n");
    assert_eq!(sheet().await, listed(true));
    selling.cancel(&placed).await;
    assert_eq!(sheet().await, listed(false));
    assert_eq!(selling.place("ben", code(first)).await, "64.50");
    // Two codes of one discount are one discount.
    let both = json!({"discount_codes": [second, third]});
    let both = selling.place("ben", both).await;
    assert_eq!(both, "/discount_codes/1 not_combinable");
}

#[tokio::test]
async fn of_two_orders_that_use_a_generated_code_at_once_one_is_placed() {
    let selling = selling().await;
    let mut made = discount("generated", percent("0.5"));
    made.single_use_codes = true;
    selling.pricing.create(made.clone()).await.unwrap();
    let request = about_codes(&made, &json!({"count": 1}));
    let generated = create_discount_codes(&selling.pricing, request).await;
    let one = code(json_of(&generated.unwrap())["codes"][0].as_str().unwrap());
    let checkout = Checkout::new(&selling.shop.aws).unwrap();
    let theirs = with_header(sent("eve", &order(one.clone())), "idempotency-key", "eve");
    let theirs = async move || drop(Box::pin(place_order(&checkout, theirs)).await.unwrap());
    selling
        .shop
        .engine
        .before_next("TransactWriteItems", theirs);
    assert_eq!(selling.place("ana", one).await, "/discount_code used_up");
}
