//! What a request of each route costs, as the README says: how many AWS calls it waits for one after another, and the
//! units of DynamoDB that it reads and writes.

use std::fmt;

use oxcart_local::calls::{CallLog, in_a_row};
use serde_json::{Value, json};

use super::authorisation::{Scene, Who, operations};
use super::passwords::{mail, token};
use crate::support::client::Call;
use crate::support::contract::Operation;
use crate::support::control::halves;
use crate::support::people::{PASSWORD, Person, order_of, unique};
use crate::support::prices::percentage;
use crate::support::shop::Setup;
use crate::support::{root, run_in_euros, until};

/// How long each AWS call takes at least: otherwise one could end before another one has begun that does not wait for
/// it.
const DELAY: &str = "*:*@*=delay:40";

/// How often a request is sent. The least counts: the first one of a process also reads what the process keeps.
const TIMES: usize = 2;

/// What a request costs.
#[derive(Clone, PartialEq)]
struct Cost {
    calls_in_a_row: usize,
    read_half_units: u64,
    write_half_units: u64,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = |halves: u64| match halves % 2 {
            0 => (halves / 2).to_string(),
            _ => format!("{}.5", halves / 2),
        };
        let (reads, writes) = (units(self.read_half_units), units(self.write_half_units));
        write!(f, "| {} | {reads} | {writes} |", self.calls_in_a_row)
    }
}

#[test]
fn the_readme_says_what_a_request_of_each_route_costs() {
    run_in_euros(async {
        let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
        let log = CallLog::default();
        let setup = Setup {
            calls: Some(log.clone()),
            // What the cache responds costs nothing, or asks whether something changed.
            parameters: &[("CategoryCacheSeconds", "0"), ("ProductCacheSeconds", "0")],
            ..Setup::default()
        };
        let scene = Scene::new(setup).await;
        // Each request that costs something may order a piece.
        scene.shop.set_stock(&scene.product, 500).await.expect(200);
        scene.shop.quiet().await;
        let mut wrong = String::new();
        let mut operations = operations();
        // Later requests would have to name a method of shipping, or find nothing any more.
        operations
            .sort_by_key(|operation| (operation.method == "delete", operation.method == "put"));
        for operation in operations {
            let cost = if operation.value["operationId"] == "create_capture" {
                capture_cost(operation).await
            } else {
                cost(&scene, &log, operation).await
            };
            let route = format!("{} {}", operation.method.to_uppercase(), operation.path);
            let starts = [format!("| `{route}` |"), format!("| `{route}?")];
            let mut rows = readme.lines();
            let row = rows.find(|row| starts.iter().any(|start| row.starts_with(start)));
            if !row.is_some_and(|row| row.ends_with(&cost.to_string())) {
                wrong += &format!("{route} {cost}\n");
            }
        }
        assert!(
            wrong.is_empty(),
            "the README's table of routes says something else:\n{wrong}"
        );
    });
}

/// Returns what a capture costs, in a shop that captures at shipment.
async fn capture_cost(operation: Operation<'_>) -> Cost {
    let log = CallLog::default();
    let setup = Setup {
        calls: Some(log.clone()),
        parameters: &[("PaymentCapture", "at_shipment")],
        ..Setup::default()
    };
    let scene = Scene::new(setup).await;
    scene.shop.set_stock(&scene.product, 500).await.expect(200);
    scene.shop.quiet().await;
    cost(&scene, &log, operation).await
}

/// Returns what a successful request of `operation` costs.
async fn cost(scene: &Scene, log: &CallLog, operation: Operation<'_>) -> Cost {
    let mut least: Option<Cost> = None;
    for _ in 0..TIMES {
        let request = prepared(scene, operation).await;
        // What follows from the requests before would disturb this one.
        scene.shop.until_streams_idle().await;
        scene.shop.fault(DELAY).await;
        scene.shop.reset_bill().await;
        drop(log.take());
        let answer = request.send().await;
        scene.shop.no_faults().await;
        if answer.status >= 400 {
            // What it removes is gone.
            assert!(least.is_some(), "{answer:?}");
            break;
        }
        let (calls, bill) = (log.take(), scene.shop.bill().await);
        if answer.status == 202 {
            // What it has set off would disturb the next one.
            scene.shop.quiet().await;
        }
        let name = operation.value["operationId"]
            .as_str()
            .unwrap()
            .replace('_', "-");
        let id: String = name.split('-').map(capitalised).collect();
        let calls = calls
            .iter()
            .filter(|call| call.function == id && call.invocation.is_some());
        let calls = calls.map(|call| (call.started, call.ended)).collect();
        let units = |kind: &str| halves(&bill["functions"][&name][kind]);
        let cost = Cost {
            calls_in_a_row: in_a_row(calls),
            read_half_units: units("read_units"),
            write_half_units: units("write_units"),
        };
        least = Some(match least {
            None => cost,
            Some(least) => Cost {
                calls_in_a_row: least.calls_in_a_row.min(cost.calls_in_a_row),
                read_half_units: least.read_half_units.min(cost.read_half_units),
                write_half_units: least.write_half_units.min(cost.write_half_units),
            },
        });
    }
    least.unwrap()
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// Makes what a request of `operation` needs, and returns the request.
async fn prepared(scene: &Scene, operation: Operation<'_>) -> Call {
    let (shop, owner) = (&scene.shop, &scene.owner);
    let order = order_of(&[(&scene.product, 1)], "tok_ok");
    let quote = json!({"items": order["items"], "shipping_address": order["shipping_address"]});
    let sign_in = json!({"email": owner.email, "password": PASSWORD});
    let sign_in = shop.post("/auth/login").json(&sign_in);
    let new = "another horse, another battery";
    match operation.value["operationId"].as_str().unwrap() {
        "login" => sign_in,
        "refresh_session" | "logout" => {
            let session = sign_in.send().await.expect(200).json();
            let body = json!({"refresh_token": session["refresh_token"]});
            shop.post(operation.path).json(&body)
        }
        "register_customer" => {
            let email = format!("{}@example.com", unique("new"));
            let body = json!({"email": email, "password": PASSWORD, "name": "Ada Example"});
            shop.post("/customers").json(&body)
        }
        "confirm_email" => {
            let mail = mail(shop, &shop.customer().await, "confirm your email address").await;
            let body = json!({"token": token(&mail, "confirm"), "password": PASSWORD});
            shop.post("/auth/confirm").json(&body)
        }
        "reset_password" => {
            let person = shop.customer().await;
            let body = json!({"email": person.email});
            let forgotten = shop.post("/auth/password/forgot").json(&body);
            forgotten.send().await.expect(202);
            let mail = mail(shop, &person, "Reset your password").await;
            let body = json!({"token": token(&mail, "reset"), "password": new});
            shop.post("/auth/password/reset").json(&body)
        }
        "change_password" => {
            let body = json!({"current_password": PASSWORD, "new_password": new});
            let call = shop.post("/customers/me/password").json(&body);
            call.bearer(&shop.customer().await.token)
        }
        "delete_account" => {
            let password = json!({"password": PASSWORD});
            let call = shop.delete("/customers/me").json(&password);
            call.bearer(&shop.customer().await.token)
        }
        "create_quote" => shop.post("/quotes").bearer(&owner.token).json(&quote),
        "create_guest_quote" => shop.post("/guest/quotes").json(&quote),
        "get_guest_order" => shop.get(&guests_order(scene, order).await.1),
        "cancel_order" | "cancel_guest_order" => confirmed_order(scene, operation).await,
        name @ ("get_guest_access" | "erase_guest") => {
            let token = guests_token(scene, order).await;
            match name {
                "erase_guest" => shop.post(&format!("/guest/erasure?token={token}")),
                _ => shop.get(&format!("/guest/access?token={token}")),
            }
        }
        "request_email_change" | "confirm_email_change" => email_change(scene, operation).await,
        "correct_address" => {
            let product = shop.product("19.90", 2).await;
            let id = shop.order(owner, &product, "tok_ok").await;
            shop.until_settled(&id).await;
            let mut address = order["shipping_address"].clone();
            address["line2"] = json!("Second floor");
            let call = shop.put(&operation.path.replace("{order_id}", &id));
            call.bearer(&owner.token)
                .header("if-match", "*")
                .json(&address)
        }
        "create_discount_codes" | "list_discount_codes" => codes(scene, operation).await,
        "set_stock" => {
            let on_hand = shop.stock(&scene.product).await.0 + 1;
            let call = scene.call(operation, Who::Admin);
            call.json(&json!({"on_hand": on_hand}))
        }
        "put_category" | "put_collection" => {
            let call = scene.call(operation, Who::Admin).header("if-match", "*");
            let mut body = scene.body(operation).unwrap();
            body["name"] = json!(unique("name"));
            call.json(&body)
        }
        "put_rule" => scene
            .call(operation, Who::Admin)
            .header("if-match", "*")
            .json(&scene.body(operation).unwrap()),
        "retry_payment" | "retry_guest_payment" => declined_order(scene, operation).await,
        "receive_payment_event" => payment_event(scene).await,
        "create_capture" => authorized_order(scene, operation).await,
        // One day, which has no entries: how many there are today depends on what else is tested.
        "list_ledger" => {
            let call = shop.get("/ledger?from=2020-02-01T00:00:00Z&to=2020-02-02T00:00:00Z");
            call.bearer(&shop.admin().await.token)
        }
        "list_ledger_differences" => {
            let path = "/ledger/differences?from=2020-02-01T00:00:00Z&to=2020-02-02T00:00:00Z";
            shop.get(path).bearer(&shop.admin().await.token)
        }
        "review_order" => held_order(scene, operation).await,
        _ => scene.request(operation, Scene::sender(operation)),
    }
}

/// Places `order` as a guest, and returns its identifier and the path of its link.
async fn guests_order(scene: &Scene, mut order: Value) -> (String, String) {
    order["email"] = json!("guest@example.com");
    let call = scene.shop.post("/guest/orders").key(&unique("guest"));
    let placed = call.json(&order).send().await.expect(202);
    let location = placed.header("location").unwrap().to_owned();
    (placed.json()["id"].as_str().unwrap().to_owned(), location)
}

/// Returns the request of `operation`, which asks for another email address or confirms it.
async fn email_change(scene: &Scene, operation: Operation<'_>) -> Call {
    let shop = &scene.shop;
    let person = shop.customer().await;
    let renewed = Person {
        email: format!("{}@example.com", unique("new")),
        ..person.clone()
    };
    let ask = shop.post("/customers/me/email").bearer(&person.token);
    let ask = ask.json(&json!({"email": renewed.email, "password": PASSWORD}));
    if operation.path == "/customers/me/email" {
        return ask;
    }
    ask.send().await.expect(202);
    let mail = mail(shop, &renewed, "confirm your new email address").await;
    let body = json!({"token": token(&mail, "email"), "password": PASSWORD});
    shop.post(operation.path).json(&body)
}

/// Places `order` as a guest, and returns the token of the mailed link to what the shop knows about this guest.
async fn guests_token(scene: &Scene, mut order: Value) -> String {
    let shop = &scene.shop;
    let guest = Person {
        email: format!("{}@example.com", unique("guest")),
        ..scene.owner.clone()
    };
    order["email"] = json!(guest.email);
    let call = shop.post("/guest/orders").key(&unique("guest"));
    let placed = call.json(&order).send().await.expect(202).json();
    shop.until_settled(placed["id"].as_str().unwrap()).await;
    let asked = shop.post("/guest/access");
    let asked = asked.json(&json!({"email": guest.email})).send().await;
    asked.expect(202);
    let mail = mail(shop, &guest, "knows about you").await;
    token(&mail, "privacy")
}

/// Adds a discount with a hundred codes, and returns the request of `operation` about it.
async fn codes(scene: &Scene, operation: Operation<'_>) -> Call {
    let shop = &scene.shop;
    let single = json!({"single_use_codes": true});
    let discount = shop.discount(percentage("Spring", "0.1"), single).await;
    let path = format!("{discount}/codes");
    let token = &shop.admin().await.token;
    let make = || {
        let make = shop.post(&path).bearer(token).key(&unique("codes"));
        make.json(&scene.body(operation).unwrap_or(json!({"count": 100})))
    };
    if operation.method == "post" {
        return make();
    }
    make().send().await.expect(201);
    shop.get(&path).bearer(token)
}

/// Places an order whose shopper has to confirm the payment, and returns the event that they have.
async fn payment_event(scene: &Scene) -> Call {
    let (shop, customer) = (&scene.shop, &scene.subject);
    let order = order_of(&[(&scene.product, 1)], "tok_requires_action");
    let placed = shop.place(customer, &order).await.expect(202).json();
    let id = placed["id"].as_str().unwrap();
    shop.until_payment_status(customer, id, "requires_action")
        .await;
    shop.payment_event("charge.confirmed", id).await
}

/// Places an order whose payment is authorised, and returns the request that captures a part of it.
async fn authorized_order(scene: &Scene, operation: Operation<'_>) -> Call {
    let shop = &scene.shop;
    let id = shop.order(&scene.owner, &scene.product, "tok_ok").await;
    shop.until_settled(&id).await;
    let payment = shop.payment_of(&id).await;
    let call = shop.post(&operation.path.replace("{payment_id}", &payment));
    let call = call
        .bearer(&shop.admin().await.token)
        .key(&unique("parcel"));
    call.json(&json!({"amount": {"amount": "1.00", "currency": "EUR"}}))
}

/// Places an order, and returns the request of `operation` about it once it is confirmed.
async fn confirmed_order(scene: &Scene, operation: Operation<'_>) -> Call {
    let shop = &scene.shop;
    if operation.path.starts_with("/guest") {
        let order = order_of(&[(&scene.product, 1)], "tok_ok");
        let (id, location) = guests_order(scene, order).await;
        shop.until_run_ended(&id).await;
        return shop.post(&location.replace('?', "/cancel?"));
    }
    // Not by the owner, whose orders are listed.
    let customer = &scene.subject;
    let id = shop.order(customer, &scene.product, "tok_ok").await;
    shop.until_run_ended(&id).await;
    let call = shop.post(&operation.path.replace("{order_id}", &id));
    call.bearer(&customer.token)
}

/// Places an order whose payment is declined, and returns the request that pays it with another token.
async fn declined_order(scene: &Scene, operation: Operation<'_>) -> Call {
    let shop = &scene.shop;
    let mut order = order_of(&[(&scene.product, 1)], "tok_declined");
    order["payment"]["retryable"] = json!(true);
    let retry = if operation.path.starts_with("/guest") {
        let (_, location) = guests_order(scene, order).await;
        until("the payment is declined", async || {
            let order = shop.get(&location).send().await.expect(200).json();
            let declined = order["payment_status"] == "failed";
            declined.then_some(()).ok_or(order.to_string())
        })
        .await;
        shop.post(&location.replace('?', "/payments?"))
    } else {
        // Not by the owner, whose orders are listed.
        let customer = &scene.subject;
        let placed = shop.place(customer, &order).await.expect(202).json();
        let id = placed["id"].as_str().unwrap();
        shop.until_payment_status(customer, id, "failed").await;
        let retry = shop.post(&operation.path.replace("{order_id}", id));
        retry.bearer(&customer.token)
    };
    let retry = retry.key(&unique("retry"));
    retry.json(&json!({"payment": {"token": "tok_ok"}}))
}

/// Places an order that waits for a review, and returns the request that approves it.
async fn held_order(scene: &Scene, operation: Operation<'_>) -> Call {
    let shop = &scene.shop;
    let rule = json!({
        "expression": "!order.lines.exists(line, line.quantity == 3)",
        "message": "Three?",
        "code": "three",
        "severity": "review",
    });
    let put = shop.put("/rules/three").bearer(&shop.admin().await.token);
    put.json(&rule).send().await;
    let order = order_of(&[(&scene.product, 3)], "tok_ok");
    let placed = shop.place(&scene.owner, &order).await.expect(202).json();
    let id = placed["id"].as_str().unwrap();
    // The run holds the order and then says when the order is due.
    shop.until_run_ended(id).await;
    let approve = shop.post(&operation.path.replace("{order_id}", id));
    let approve = approve.bearer(&shop.admin().await.token);
    approve.json(&json!({"decision": "approve"}))
}
