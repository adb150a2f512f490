//! The audit finds what is broken in the tables, publishes it, and finds nothing in a shop that only its own functions
//! have written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::books::text;
use crate::support::people::order_of;
use crate::support::prices::amount;
use crate::support::shop::{Setup, Shop, physical};
use crate::support::{run_local, until};

/// Starts a shop whose clock stands still, so that it is only audited when a test invokes the audit.
async fn shop() -> Shop {
    Shop::start(Setup {
        manual_clock: true,
        ..Setup::default()
    })
    .await
}

/// Runs [`Shop::audit`] and asserts that all orders are settled.
async fn audit(shop: &Shop) -> Value {
    let outcome = shop.audit().await;
    assert_eq!(outcome["unsettled"], 0, "{outcome}");
    outcome
}

/// Returns the findings of `GET /integrity`.
async fn findings(shop: &Shop) -> Vec<Value> {
    let admin = shop.admin().await;
    let call = shop.get("/integrity?limit=100").bearer(&admin.token);
    let report = call.send().await.expect(200).json();
    report["items"].as_array().unwrap().clone()
}

/// Returns the open findings, each as `<subject>#<check>`.
async fn open(shop: &Shop) -> BTreeSet<String> {
    let found = findings(shop).await;
    let open = found
        .iter()
        .filter(|finding| finding["resolved_at"].is_null());
    open.map(|finding| format!("{}#{}", text(&finding["subject"]), text(&finding["check"])))
        .collect()
}

/// A manipulation of an item of a table.
struct Break {
    table: &'static str,
    key: Value,
    /// An update expression with the values below; `None` deletes the item.
    update: Option<&'static str>,
    values: Value,
    /// Exactly the findings that an audit must have then.
    found: Vec<String>,
}

/// Breaks the item and asserts that an audit finds it; repairs it and asserts that the finding is resolved.
async fn check_found(shop: &Shop, wrong: Break) {
    let Break {
        table,
        key,
        update,
        values,
        found,
    } = wrong;
    let table = physical(table);
    let at = json!({"TableName": table, "Key": key, "ConsistentRead": true});
    let original = shop.dynamodb("GetItem", &at).await["Item"].clone();
    assert!(original.is_object(), "there is no {key} in {table}");
    let mut request = json!({"TableName": table, "Key": key});
    let operation = match update {
        None => "DeleteItem",
        Some(update) => {
            request["UpdateExpression"] = json!(update);
            request["ExpressionAttributeValues"] = values;
            let words = update.split([' ', '.', ',']);
            for name in words.filter(|word| word.starts_with('#')) {
                request["ExpressionAttributeNames"][name] = json!(name[1..]);
            }
            "UpdateItem"
        }
    };
    shop.dynamodb(operation, &request).await;
    let outcome = audit(shop).await;
    let expected: BTreeSet<String> = found.into_iter().collect();
    assert_eq!(open(shop).await, expected, "{update:?} of {key} in {table}");
    assert_eq!(outcome["open_findings"], expected.len());
    let put = json!({"TableName": table, "Item": original});
    shop.dynamodb("PutItem", &put).await;
    assert_eq!(audit(shop).await["open_findings"], 0, "{key} repaired");
}

/// Places two orders of the same product, of which the first is confirmed and the second cancelled. Returns their ids
/// and the product's.
async fn two_orders(shop: &Shop) -> (String, String, String) {
    let customer = shop.customer().await;
    let product = shop.product("19.90", 10).await;
    let order = order_of(&[(&product, 2)], "tok_ok");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let id = text(&placed["id"]).to_owned();
        shop.run_until_settled(&id).await;
        ids.push(id);
    }
    let cancelled = ids.remove(1);
    shop.cancel(&customer, &cancelled).await.expect(200);
    shop.run_until_settled(&cancelled).await;
    (ids.remove(0), cancelled, product)
}

fn stock_key(product: &str) -> Value {
    json!({"pk": {"S": format!("stock#{product}")}, "sk": {"S": "main#0"}})
}

fn event_key(aggregate: &str, version: u64) -> Value {
    json!({"aggregate_id": {"S": aggregate}, "version": {"S": format!("{version:012}")}})
}

fn number(value: i64) -> Value {
    json!({"N": value.to_string()})
}

#[test]
fn stock_that_does_not_add_up_is_found() {
    run_local(async {
        let shop = shop().await;
        let (order, _, product) = two_orders(&shop).await;
        assert_eq!(audit(&shop).await["open_findings"], 0);
        let of_stock = |check: &str| format!("stock:{product}#{check}");
        let of_order = |check: &str| format!("order:{order}#{check}");
        let one = json!({":one": number(1)});
        check_found(
            &shop,
            Break {
                table: "InventoryTable",
                key: stock_key(&product),
                update: Some("SET available = available - :one"),
                values: one.clone(),
                found: vec![of_stock("on_hand_is_available_and_reserved")],
            },
        )
        .await;
        check_found(
            &shop,
            Break {
                table: "InventoryTable",
                key: stock_key(&product),
                update: Some("SET available = available - :one, reserved = reserved + :one"),
                values: one,
                found: vec![of_stock("reserved_is_open_reservations")],
            },
        )
        .await;
        let kept = json!({"pk": {"S": format!("reservation#{order}")}, "sk": {"S": "reservation"}});
        check_found(
            &shop,
            Break {
                table: "InventoryTable",
                key: kept,
                update: Some("SET #status = :released REMOVE open_shard"),
                values: json!({":released": {"S": "released"}}),
                found: vec![
                    of_order("hold_follows_order"),
                    of_order("log_is_row"),
                    of_stock("reserved_is_open_reservations"),
                ],
            },
        )
        .await;
    });
}

#[test]
fn money_that_does_not_add_up_is_found() {
    run_local(async {
        let shop = shop().await;
        let (order, cancelled, _) = two_orders(&shop).await;
        let header = json!({"order_id": {"S": order}, "part": {"S": "header"}});
        check_found(
            &shop,
            Break {
                table: "OrdersTable",
                key: header,
                update: Some("SET #total = :total"),
                values: json!({":total": {"S": amount("39.79")}}),
                found: ["confirmed_is_paid", "log_is_row", "total_is_sum_of_parts"]
                    .map(|check| format!("order:{order}#{check}"))
                    .into(),
            },
        )
        .await;
        let payment = shop.books_of(&order).await.payment["payment_id"].clone();
        check_found(
            &shop,
            Break {
                table: "PaymentsTable",
                key: json!({"payment_id": {"S": payment}}),
                update: Some("SET captured = :none"),
                values: json!({":none": number(0)}),
                found: ["confirmed_is_paid", "ledger_is_payment"]
                    .map(|check| format!("order:{order}#{check}"))
                    .into(),
            },
        )
        .await;
        let payment = shop.books_of(&cancelled).await.payment["payment_id"].clone();
        check_found(
            &shop,
            Break {
                table: "PaymentsTable",
                key: json!({"payment_id": {"S": payment}}),
                update: Some("SET refunded = :less"),
                values: json!({":less": number(3979)}),
                found: [
                    "closed_is_not_charged",
                    "ledger_is_payment",
                    "log_is_row",
                    "refunds_are_payment",
                ]
                .map(|check| format!("order:{cancelled}#{check}"))
                .into(),
            },
        )
        .await;
    });
}

#[test]
fn a_ledger_that_differs_from_its_payment_is_found() {
    run_local(async {
        let shop = shop().await;
        let (order, cancelled, _) = two_orders(&shop).await;
        assert_eq!(audit(&shop).await["open_findings"], 0);
        let captured = shop.books_of(&order).await.payment;
        let returned = shop.books_of(&cancelled).await.payment;
        let entry = |payment: &Value, change: &str| {
            let payment = text(&payment["payment_id"]);
            json!({"pk": {"S": format!("payment#{payment}")}, "sk": {"S": change}})
        };
        let of = |order: &str, check: &str| vec![format!("order:{order}#{check}")];
        for (key, order) in [
            (entry(&captured, "000000000001#captured"), &order),
            (entry(&captured, "000000000001#authorised"), &order),
            (entry(&returned, "000000000002#refunded"), &cancelled),
        ] {
            for (update, values) in [
                (None, Value::Null),
                (Some("SET amount = :other"), json!({":other": number(1)})),
            ] {
                let wrong = Break {
                    table: "LedgerTable",
                    key: key.clone(),
                    update,
                    values,
                    found: of(order, "ledger_is_payment"),
                };
                check_found(&shop, wrong).await;
            }
        }
        let refunds = shop.items("RefundsTable").await;
        check_found(
            &shop,
            Break {
                table: "RefundsTable",
                key: json!({"refund_id": {"S": refunds[0]["refund_id"]}}),
                update: None,
                values: Value::Null,
                found: of(&cancelled, "refunds_are_payment"),
            },
        )
        .await;
    });
}

#[test]
fn a_gift_card_that_differs_from_its_orders_is_found() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let card = shop.gift_card("30.00").await;
        let mut order = order_of(&[(&product, 1)], "tok_ok");
        order["payment"]["gift_card_codes"] = json!([card["code"]]);
        let mut ids = Vec::new();
        for _ in 0..2 {
            let placed = shop.place(&customer, &order).await.expect(202).json();
            let id = text(&placed["id"]).to_owned();
            shop.run_until_settled(&id).await;
            ids.push(id);
        }
        shop.cancel(&customer, &ids[1]).await.expect(200);
        shop.run_until_settled(&ids[1]).await;
        assert_eq!(audit(&shop).await["open_findings"], 0);
        let found = |orders: &[&String]| {
            let found = orders
                .iter()
                .map(|order| format!("order:{order}#gift_cards_follow_order"));
            found.collect::<Vec<_>>()
        };
        let key = |part: &str| json!({"gift_card_id": {"S": card["id"]}, "part": {"S": part}});
        let kept = format!("order#{}", ids[0]);
        let returned = format!("order#{}", ids[1]);
        let both = found(&[&ids[0], &ids[1]]);
        for (part, update, found) in [
            ("card", Some("SET balance = :other"), both.clone()),
            ("card", None, both.clone()),
            (&kept, None, both.clone()),
            (&returned, Some("SET returned = :other"), both),
        ] {
            let values = if update.is_some() {
                json!({":other": number(1)})
            } else {
                Value::Null
            };
            let wrong = Break {
                table: "GiftCardsTable",
                key: key(part),
                update,
                values,
                found,
            };
            check_found(&shop, wrong).await;
        }
    });
}

#[test]
fn events_that_are_missing_or_contradict_the_tables_are_found() {
    run_local(async {
        let shop = shop().await;
        let (order, cancelled, product) = two_orders(&shop).await;
        let payment = text(&shop.books_of(&order).await.payment["payment_id"]).to_owned();
        check_found(
            &shop,
            Break {
                table: "EventLogTable",
                key: event_key(&cancelled, 2),
                update: None,
                values: Value::Null,
                found: vec![format!("order:{cancelled}#versions_follow")],
            },
        )
        .await;
        check_found(
            &shop,
            Break {
                table: "EventLogTable",
                key: event_key(&payment, 1),
                update: Some("SET #data.amount.amount = :other"),
                values: json!({":other": {"S": amount("39.79")}}),
                found: vec![format!("order:{order}#log_is_row")],
            },
        )
        .await;
        let aggregate = format!("reservation#{order}");
        check_found(
            &shop,
            Break {
                table: "EventLogTable",
                key: event_key(&aggregate, 2),
                update: None,
                values: Value::Null,
                found: vec![
                    format!("order:{order}#log_is_row"),
                    format!("order:{order}#versions_follow"),
                ],
            },
        )
        .await;
        // The numbering is checked for aggregates without further checks, too.
        shop.reprice(&product, "20.90").await;
        check_found(
            &shop,
            Break {
                table: "EventLogTable",
                key: event_key(&product, 1),
                update: None,
                values: Value::Null,
                found: vec![format!("aggregate:{product}#versions_follow")],
            },
        )
        .await;
    });
}

#[test]
fn a_finding_has_an_event_when_it_is_found_and_when_it_is_resolved() {
    run_local(async {
        let shop = shop().await;
        let (_, _, product) = two_orders(&shop).await;
        let change = async |by: i64| {
            let update = json!({
                "TableName": physical("InventoryTable"),
                "Key": stock_key(&product),
                "UpdateExpression": "SET available = available + :by",
                "ExpressionAttributeValues": {":by": number(by)},
            });
            shop.dynamodb("UpdateItem", &update).await;
        };
        change(1).await;
        audit(&shop).await;
        audit(&shop).await;
        change(-1).await;
        audit(&shop).await;
        let subject = format!("stock:{product}");
        let listed = findings(&shop).await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0]["subject"], subject);
        assert!(listed[0]["resolved_at"].is_string(), "{listed:?}");
        let aggregate = format!("finding#{subject}#on_hand_is_available_and_reserved");
        until("both events in the log", async || {
            let logged = shop.items("EventLogTable").await;
            let mut of_finding: Vec<&Value> = logged
                .iter()
                .filter(|event| event["aggregate_id"] == aggregate.as_str())
                .collect();
            of_finding.sort_by_key(|event| text(&event["version"]));
            let types: Vec<&str> = of_finding
                .iter()
                .map(|event| text(&event["event_type"]))
                .collect();
            let both = types == ["IntegrityViolated", "IntegrityRestored"];
            both.then_some(()).ok_or(format!("{types:?}"))
        })
        .await;
    });
}

#[test]
fn an_order_that_is_still_being_worked_on_is_checked_again() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.run_until_settled(&order).await;
        // The order is cancelled, but its stock is not released and its payment not refunded yet.
        shop.fault("states:StartExecution@*=error").await;
        shop.cancel(&customer, &order).await.expect(200);
        let outcome = shop.audit().await;
        assert_eq!(outcome["unsettled"], 1, "{outcome}");
        assert_eq!(outcome["open_findings"], 0, "{outcome}");
        shop.no_faults().await;
        shop.run_until_settled(&order).await;
        // The next audit sees no event since, but checks the order all the same.
        shop.advance_in_steps(300).await;
        let event = json!({"time": shop.now().await, "since": shop.now().await});
        let outcome = shop.invoke("audit-integrity", &event).await.unwrap();
        assert_eq!(outcome["unsettled"], 0, "{outcome}");
        assert!(outcome["checked"].as_u64().unwrap() > 0, "{outcome}");
        assert_eq!(outcome["open_findings"], 0, "{outcome}");
    });
}

#[test]
fn a_shop_with_faults_has_no_findings() {
    run_local(async {
        let shop = shop().await;
        let faults =
            "dynamodb:TransactWriteItems@*=conflict:0.1, dynamodb:PutItem@*=lost-answer:0.1";
        let customer = shop.customer().await;
        let mut products = Vec::new();
        for on_hand in [3, 20, 50] {
            products.push(shop.product("12.50", on_hand).await);
        }
        shop.quiet().await;
        shop.fault(faults).await;
        let tokens = ["tok_ok", "tok_declined", "tok_unknown", "tok_ok", "tok_ok"];
        let orders = (0..40).map(async |number| {
            let [first, second] = [number, number + 1].map(|at| products[at % 3].as_str());
            let body = order_of(&[(first, 1), (second, 2)], tokens[number % tokens.len()]);
            let placed = shop.place(&customer, &body).await;
            if placed.status == 409 {
                // Others have taken what was there of the first product.
                return None;
            }
            let order = text(&placed.expect(202).json()["id"]).to_owned();
            if number % 7 == 0 {
                // The request is refused if the order has failed already.
                shop.cancel(&customer, &order).await;
            }
            Some(order)
        });
        let orders = futures::future::join_all(orders).await.into_iter();
        let orders: Vec<String> = orders.flatten().collect();
        // Every third order has nothing of the first product, and there is enough of the others.
        assert!(orders.len() >= 13, "{orders:?}");
        shop.no_faults().await;
        for order in &orders {
            shop.run_until_settled(order).await;
        }
        shop.run_until_quiet().await;
        shop.balanced().await.unwrap();
        let outcome = audit(&shop).await;
        assert_eq!(outcome["open_findings"], 0, "{:#?}", findings(&shop).await);
        let checked = outcome["checked"].as_u64().unwrap();
        let least = orders.len() + products.len();
        assert!(checked >= u64::try_from(least).unwrap(), "{outcome}");
    });
}
