//! The cost of an order in the units that AWS bills.

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::control::halves;
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::percentage;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, physical};

/// The tables whose write units are bounded.
const BOUNDED: [&str; 3] = ["OrdersTable", "InventoryTable", "PaymentsTable"];

#[test]
fn the_bill_of_an_order_is_known() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let mut shown = String::new();
        for lines in [1_usize, 5, 10, 50] {
            let mut products = Vec::new();
            for _ in 0..lines {
                products.push(
                    shop.named_product("Ceramic Pour-Over Dripper", "26.50", 10)
                        .await,
                );
            }
            let items: Vec<(&str, u32)> = products.iter().map(|id| (id.as_str(), 1)).collect();
            let order = order_of(&items, "tok_ok");
            shop.quiet().await;
            shop.reset_bill().await;
            let placed = shop
                .place_with_key(&customer, &order, &unique("order"))
                .await;
            let id = placed.expect(202).json()["id"].as_str().unwrap().to_owned();
            shop.until_settled(&id).await;
            // The end of the last state is a transition, too.
            shop.until_run_ended(&id).await;
            shop.quiet().await;
            let bill = shop.bill().await;
            let units = |table: &str, kind: &str| {
                let units = &bill["tables"][physical(table)][kind];
                units.as_u64().unwrap_or(0)
            };
            let bounded: u64 = BOUNDED
                .iter()
                .map(|table| units(table, "write_units"))
                .sum();
            let per_line = if lines <= 5 { 2 } else { 3 };
            let bound = 12 + per_line * lines as u64;
            assert!(
                bounded <= bound,
                "{lines} lines: {bounded} of {bound} write units: {bill:#}"
            );
            let transitions = bill["totals"]["state_transitions"].as_u64().unwrap();
            assert!(transitions <= 8, "{transitions} transitions");
            let by_table: Vec<String> = BOUNDED
                .iter()
                .map(|table| format!("{} {}", table, units(table, "write_units")))
                .collect();
            let others: Vec<String> = [
                "EventLogTable",
                "LedgerTable",
                "LimitsTable",
                "MessagesTable",
                "SandboxTable",
            ]
            .iter()
            .map(|table| format!("{} {}", table, units(table, "write_units")))
            .collect();
            shown += &format!(
                "{lines} lines: {bounded} write units of {bound} ({}); beside it: {}, indexes {}; {transitions} transitions\n",
                by_table.join(", "),
                others.join(", "),
                bill["totals"]["index_write_units"],
            );
        }
        expect![[r#"
            1 lines: 14 write units of 14 (OrdersTable 7, InventoryTable 5, PaymentsTable 2); beside it: EventLogTable 5, LedgerTable 2, LimitsTable 1, MessagesTable 3, SandboxTable 1, indexes 13; 7 transitions
            5 lines: 22 write units of 22 (OrdersTable 7, InventoryTable 13, PaymentsTable 2); beside it: EventLogTable 5, LedgerTable 2, LimitsTable 1, MessagesTable 3, SandboxTable 1, indexes 13; 7 transitions
            10 lines: 35 write units of 42 (OrdersTable 7, InventoryTable 26, PaymentsTable 2); beside it: EventLogTable 5, LedgerTable 2, LimitsTable 1, MessagesTable 3, SandboxTable 1, indexes 13; 7 transitions
            50 lines: 136 write units of 162 (OrdersTable 19, InventoryTable 115, PaymentsTable 2); beside it: EventLogTable 11, LedgerTable 2, LimitsTable 1, MessagesTable 3, SandboxTable 1, indexes 13; 7 transitions
        "#]].assert_eq(&shown);
    });
}

/// Stores a rule that every order passes.
async fn rule(shop: &Shop, name: &str, expression: &str) {
    let admin = shop.admin().await;
    let body = json!({"expression": expression, "message": "no", "code": "no"});
    let put = shop.put(&format!("/rules/{name}")).bearer(&admin.token);
    put.json(&body).send().await.expect(201);
}

/// The functions that make an order's reads.
const STEPS: [&str; 5] = [
    "reserve-inventory",
    "process-payment",
    "confirm-order",
    "commit-inventory",
    "notify-order",
];

/// Returns the read units of an order of two lines by a new customer, placed with `code`.
async fn reads(shop: &Shop, products: &[String; 2], code: Option<&str>) -> String {
    let customer = shop.customer().await;
    let mut order = order_of(&[(&products[0], 1), (&products[1], 1)], "tok_ok");
    order["discount_code"] = json!(code);
    shop.quiet().await;
    shop.reset_bill().await;
    let placed = shop.place(&customer, &order).await.expect(202).json();
    shop.until_settled(placed["id"].as_str().unwrap()).await;
    shop.quiet().await;
    let bill = shop.bill().await;
    let halves = |function: &str| halves(&bill["functions"][function]["read_units"]);
    let steps: u64 = STEPS.iter().map(|step| halves(step)).sum();
    let (place, validate) = (halves("place-order"), halves("validate-order"));
    format!("place-order {place}, validate-order {validate}, other steps {steps}")
}

/// Returns [`reads`] once every process has read what has changed.
async fn cached_reads(shop: &Shop, products: &[String; 2], code: Option<&str>) -> String {
    reads(shop, products, code).await;
    reads(shop, products, code).await
}

#[test]
fn cached_rules_and_discounts_cost_an_order_no_reads() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let products = [
            shop.product("26.50", 100).await,
            shop.product("4.90", 100).await,
        ];
        let mut shown = "in halves of a read unit\n".to_owned();
        let mut note = |what: &str, reads: String| shown += &format!("{what}: {reads}\n");
        note("none", cached_reads(&shop, &products, None).await);
        for number in 0..20 {
            let expression =
                format!("order.total <= money(\"{number}900.00\") || size(order.lines) < 3");
            rule(&shop, &format!("rule_{number}"), &expression).await;
        }
        for number in 0..5 {
            let body = percentage(&format!("Number {number}"), "0.01");
            shop.discount(body, json!({"stackable": true})).await;
        }
        note("first", reads(&shop, &products, None).await);
        note("cached", cached_reads(&shop, &products, None).await);
        shop.discount(
            percentage("Ten", "0.1"),
            json!({"code": "TEN", "stackable": true}),
        )
        .await;
        note(
            "with a code",
            cached_reads(&shop, &products, Some("TEN")).await,
        );
        let limits = json!({
            "code": "FEW", "stackable": true, "usage_limit": 9, "usage_limit_per_customer": 1,
        });
        shop.discount(percentage("Few", "0.1"), limits).await;
        note(
            "with a limited code",
            cached_reads(&shop, &products, Some("FEW")).await,
        );
        let asks =
            "order.lines.all(line, line.category != \"none\") && \"customer\" in customer.roles";
        rule(&shop, "asks", asks).await;
        note(
            "a rule that asks",
            cached_reads(&shop, &products, None).await,
        );
        expect![[r#"
            in halves of a read unit
            none: place-order 10, validate-order 4, other steps 16
            first: place-order 30, validate-order 8, other steps 16
            cached: place-order 10, validate-order 4, other steps 16
            with a code: place-order 12, validate-order 4, other steps 16
            with a limited code: place-order 16, validate-order 4, other steps 16
            a rule that asks: place-order 10, validate-order 10, other steps 16
        "#]]
        .assert_eq(&shown);
    });
}

/// Returns the units of `place-order` for an order of `person` with `code`.
async fn placing(shop: &Shop, person: &Person, product: &str, code: Option<&str>) -> String {
    let mut order = order_of(&[(product, 1)], "tok_ok");
    order["discount_code"] = json!(code);
    shop.quiet().await;
    shop.reset_bill().await;
    shop.place(person, &order).await.expect(202);
    shop.quiet().await;
    let bill = shop.bill().await;
    let units = &bill["functions"]["place-order"];
    format!(
        "{} read, {} written",
        units["read_units"], units["write_units"]
    )
}

#[test]
fn a_code_costs_an_order_two_write_units_and_each_further_count_two_more() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("20.00", 100).await;
        let customer = shop.customer().await;
        placing(&shop, &customer, &product, None).await;
        let mut shown = String::new();
        let none = placing(&shop, &customer, &product, None).await;
        shown += &format!("no code: {none}\n");
        for (code, limits) in [
            ("FREELY", json!({})),
            ("TOTAL", json!({"usage_limit": 9})),
            ("EACH", json!({"usage_limit_per_customer": 9})),
            (
                "BOTH",
                json!({"usage_limit": 9, "usage_limit_per_customer": 9}),
            ),
        ] {
            let mut limits = limits;
            limits["code"] = json!(code);
            shop.discount(percentage("Some", "0.1"), limits).await;
            let units = placing(&shop, &customer, &product, Some(code)).await;
            shown += &format!("{code}: {units}\n");
        }
        // A limit for each customer that is introduced later looks at the customer's orders.
        let later = shop.discount(percentage("Some", "0.1"), json!({"code": "LATER"}));
        let later = shop.patch(&later.await).bearer(&shop.admin().await.token);
        let limit = json!({"usage_limit_per_customer": 9});
        let later = later.header("if-match", "*").json(&limit).send().await;
        later.expect(200);
        let units = placing(&shop, &customer, &product, Some("LATER")).await;
        shown += &format!("LATER: {units}\n");
        expect![[r#"
            no code: 3.5 read, 5 written
            FREELY: 4.5 read, 7 written
            TOTAL: 5.5 read, 7 written
            EACH: 5.5 read, 9 written
            BOTH: 6.5 read, 9 written
            LATER: 9 read, 9 written
        "#]]
        .assert_eq(&shown);
    });
}

/// Returns the units of a quote and of an order that `cards` pay a part of, until the order is settled.
async fn paying(shop: &Shop, customer: &Person, product: &str, cards: &[Value]) -> String {
    let mut order = order_of(&[(product, 1)], "tok_ok");
    let codes: Vec<&Value> = cards.iter().map(|card| &card["code"]).collect();
    order["payment"]["gift_card_codes"] = json!(codes);
    let quote = json!({
        "items": order["items"], "shipping_address": order["shipping_address"],
        "payment": {"gift_card_codes": codes},
    });
    let mut quoted = Value::Null;
    // The first one of a process takes tokens for the next ones.
    for _ in 0..2 {
        shop.quiet().await;
        shop.reset_bill().await;
        let call = shop.post("/quotes").bearer(&customer.token);
        call.json(&quote).send().await.expect(200);
        quoted = shop.bill().await["functions"]["create-quote"].clone();
    }
    shop.quiet().await;
    shop.reset_bill().await;
    let placed = shop.place(customer, &order).await.expect(202).json();
    shop.until_settled(placed["id"].as_str().unwrap()).await;
    shop.quiet().await;
    let bill = shop.bill().await;
    let placing = &bill["functions"]["place-order"];
    let written = |table: &str| bill["tables"][physical(table)]["write_units"].as_u64();
    let tables = BOUNDED.iter().chain(&["GiftCardsTable", "LedgerTable"]);
    let tables = tables.map(|table| format!("{table} {}", written(table).unwrap_or(0)));
    let tables: Vec<String> = tables.collect();
    format!(
        "quote {} read, {} written; placing {} read, {} written; written until it is settled: {}\n",
        quoted["read_units"],
        quoted["write_units"],
        placing["read_units"],
        placing["write_units"],
        tables.join(", "),
    )
}

#[test]
fn each_gift_card_costs_a_quote_two_read_units_and_an_order_four_write_units_more() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("60.00", 100).await;
        let customer = shop.customer().await;
        // The first order reads what the processes keep.
        paying(&shop, &customer, &product, &[]).await;
        let mut shown = String::new();
        for number in [0, 1, 5] {
            let mut cards = Vec::new();
            for _ in 0..number {
                cards.push(shop.gift_card("5.00").await);
            }
            let units = paying(&shop, &customer, &product, &cards).await;
            shown += &format!("{number} cards: {units}");
        }
        expect![[r#"
            0 cards: quote 2 read, 0 written; placing 3.5 read, 5 written; written until it is settled: OrdersTable 7, InventoryTable 5, PaymentsTable 2, GiftCardsTable 0, LedgerTable 2
            1 cards: quote 4 read, 0 written; placing 5.5 read, 9 written; written until it is settled: OrdersTable 7, InventoryTable 5, PaymentsTable 2, GiftCardsTable 4, LedgerTable 3
            5 cards: quote 12 read, 0 written; placing 13.5 read, 25 written; written until it is settled: OrdersTable 7, InventoryTable 5, PaymentsTable 2, GiftCardsTable 20, LedgerTable 7
        "#]].assert_eq(&shown);
    });
}
