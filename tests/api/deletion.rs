//! Deleting an account, and what happens to its orders.

use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person, order_of};
use crate::support::shop::{Setup, Shop, physical, shared};
use crate::support::{root, run_local};

/// A day, in seconds.
const A_DAY: u64 = 24 * 60 * 60;

/// Reads an item of the order as it is stored.
async fn part(shop: &Shop, order: &str, part: &str) -> Value {
    let key = json!({"order_id": {"S": order}, "part": {"S": part}});
    let read = json!({"TableName": physical("OrdersTable"), "Key": key, "ConsistentRead": true});
    shop.dynamodb("GetItem", &read).await["Item"].clone()
}

/// Reads the recipient of the order as it is stored.
async fn recipient(shop: &Shop, order: &str) -> String {
    let lines = part(shop, order, "lines").await;
    let recipient = lines["address"]["M"]["recipient"]["S"].as_str();
    recipient.unwrap().to_owned()
}

async fn run_until_erased(shop: &Shop, order: &str) {
    shop.run_until("the address is erased", async || {
        match recipient(shop, order).await {
            erased if erased.is_empty() => Ok(()),
            kept => Err(kept),
        }
    })
    .await;
}

/// Returns the number of entries in the index of due orders.
async fn due(shop: &Shop) -> u64 {
    let scan = json!({"TableName": physical("OrdersTable"), "IndexName": "by-due"});
    let found = shop.dynamodb("Scan", &scan).await;
    found["Count"].as_u64().unwrap()
}

/// Returns how often an order was run because it was due.
fn due_runs(shop: &Shop) -> usize {
    shop.logs().matches("open_seconds").count()
}

async fn delete(shop: &Shop, person: &Person, password: &str) -> u16 {
    let call = shop.delete("/customers/me").bearer(&person.token);
    call.json(&json!({"password": password}))
        .send()
        .await
        .status
}

/// Signs `person` in again.
async fn sign_in_again(shop: &Shop, person: &Person) -> Person {
    Person {
        token: shop.login(&person.email).await,
        ..person.clone()
    }
}

fn standing_still(parameters: &'static [(&'static str, &'static str)]) -> Setup {
    Setup {
        manual_clock: true,
        parameters,
        ..Setup::default()
    }
}

#[test]
fn deleting_an_account_erases_the_addresses_of_its_orders() {
    run_local(async {
        let shop = Shop::start(standing_still(&[])).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let failed = shop.order(&customer, &product, "tok_declined").await;
        let cancelled = shop.order(&customer, &product, "tok_ok").await;
        let confirmed = shop.order(&customer, &product, "tok_ok").await;
        for order in [&failed, &cancelled, &confirmed] {
            shop.run_until_settled(order).await;
        }
        let book = shop.post("/customers/me/addresses").bearer(&customer.token);
        let home = json!({
            "recipient": "Erika Mustermann", "line1": "Heidestraße 17", "city": "Köln",
            "postal_code": "51147", "country": "DE",
        });
        book.json(&home).send().await.expect(201);
        let before = shop.read(&customer, &confirmed).await;
        let header = part(&shop, &confirmed, "header").await;
        assert_eq!(delete(&shop, &customer, "let me in").await, 422);
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        let credentials = json!({"email": customer.email, "password": PASSWORD});
        let login = shop.post("/auth/login").json(&credentials).send().await;
        login.expect(401);
        run_until_erased(&shop, &failed).await;
        for order in [&cancelled, &confirmed] {
            assert_eq!(recipient(&shop, order).await, "Erika Mustermann");
        }
        assert_eq!(due(&shop).await, 2);
        // An admin cancels one: no parcel needs its address any more.
        let cancel = shop.cancel(shop.admin().await, &cancelled).await;
        cancel.expect(200);
        run_until_erased(&shop, &cancelled).await;
        // The other one keeps its address for as long as a parcel may take.
        let runs = due_runs(&shop);
        shop.advance(29 * A_DAY).await;
        shop.advance_in_steps(60).await;
        assert_eq!(recipient(&shop, &confirmed).await, "Erika Mustermann");
        shop.advance(A_DAY).await;
        run_until_erased(&shop, &confirmed).await;
        let admin = sign_in_again(&shop, shop.admin().await).await;
        for order in [&failed, &cancelled, &confirmed] {
            // The test client also compares the response with the OpenAPI document.
            let address = shop.read(&admin, order).await["shipping_address"].clone();
            let left = json!({
                "recipient": "", "company": null, "line1": "", "line2": null, "city": "", "region": null,
                "postal_code": null, "country": "DE", "phone": null, "tax_number": null,
            });
            assert_eq!(address, left);
        }
        let mut after = shop.read(&admin, &confirmed).await;
        after["shipping_address"] = before["shipping_address"].clone();
        assert_eq!(after, before);
        let mut done = part(&shop, &confirmed, "header").await;
        done["revision"] = header["revision"].clone();
        assert_eq!(done, header);
        assert_eq!(due(&shop).await, 0);
        assert_eq!(
            due_runs(&shop),
            runs,
            "the order is not run, and not reported as open"
        );
        shop.register(&customer.email).await;
    });
}

#[test]
fn a_confirmation_that_comes_after_the_deletion_erases_what_the_account_has() {
    run_local(async {
        let shop = Shop::start(standing_still(&[])).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop.order(&customer, &product, "tok_declined").await;
        shop.run_until_settled(&order).await;
        // Nothing else erases the order.
        shop.fault("dynamodb:Query@on-customer-deleted=error").await;
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        assert_eq!(recipient(&shop, &order).await, "Erika Mustermann");
        let event = std::fs::read_to_string(root().join("events/on-email-confirmed.json")).unwrap();
        let event = event.replace("0195a1c1-0a10-7e21-b3f8-2d4c6e8fc001", &customer.id);
        let event = serde_json::from_str(&event).unwrap();
        let outcome = shop.invoke("on-email-confirmed", &event).await.unwrap();
        assert_eq!(outcome, json!({"batchItemFailures": []}));
        assert_eq!(recipient(&shop, &order).await, "");
    });
}

/// More orders than are erased when the account is deleted.
const MANY_ORDERS: usize = 510;

#[test]
fn the_orders_of_a_large_account_are_erased_in_pieces() {
    run_local(async {
        let shop = Shop::start(standing_still(&[])).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let first = shop.order(&customer, &product, "tok_declined").await;
        shop.run_until_settled(&first).await;
        let mut header = part(&shop, &first, "header").await;
        let mut lines = part(&shop, &first, "lines").await;
        // An event that nobody consumes.
        header["event"]["M"]["type"] = json!({"S": "OrderReviewed"});
        let mut last = first;
        for _ in 0..MANY_ORDERS {
            last = uuid::Uuid::now_v7().to_string();
            let created_at = header["created_at"]["S"].as_str().unwrap();
            header["position"] = json!({"S": format!("{created_at}#{last}")});
            for item in [&mut header, &mut lines] {
                item["order_id"] = json!({"S": last});
                let put = json!({"TableName": physical("OrdersTable"), "Item": item});
                shop.dynamodb("PutItem", &put).await;
            }
        }
        assert_eq!(recipient(&shop, &last).await, "Erika Mustermann");
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        let kept = json!({
            "TableName": physical("OrdersTable"),
            "FilterExpression": "address.recipient = :name",
            "ExpressionAttributeValues": {":name": {"S": "Erika Mustermann"}},
        });
        shop.run_until("all addresses are erased", async || {
            let found = shop.dynamodb("Scan", &kept).await;
            match found["Count"].as_u64() {
                Some(0) if found["LastEvaluatedKey"].is_null() => Ok(()),
                count => Err(format!("{count:?}")),
            }
        })
        .await;
        assert_eq!(due(&shop).await, 0);
    });
}

#[test]
fn a_shop_may_erase_addresses_at_once() {
    run_local(async {
        let shop = Shop::start(standing_still(&[("ErasureDays", "0")])).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let confirmed = shop.order(&customer, &product, "tok_ok").await;
        shop.run_until_settled(&confirmed).await;
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        run_until_erased(&shop, &confirmed).await;
        assert_eq!(due(&shop).await, 0);
    });
}

#[test]
fn a_deleted_account_places_no_order_with_a_token_that_is_left() {
    run_local(async {
        let shop = Shop::start(standing_still(&[("ErasureDays", "0")])).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let last = shop.order(&customer, &product, "tok_ok").await;
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        let order = order_of(&[(&product, 1)], "tok_ok");
        shop.place(&customer, &order).await.expect(403);
        // An order that was placed at the last moment is erased like the others.
        run_until_erased(&shop, &last).await;
    });
}

#[test]
fn a_customer_exports_all_that_the_shop_knows() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 5).await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        let address = order_of(&[], "tok_ok")["shipping_address"].clone();
        let address = shop.post("/customers/me/addresses").json(&address);
        address.bearer(&customer.token).send().await.expect(201);
        let export = shop.get("/customers/me/export").bearer(&customer.token);
        let export = export.send().await.expect(200);
        assert_eq!(export.header("cache-control"), Some("no-store"));
        let export = export.json();
        assert_eq!(export["account"]["email"], customer.email);
        assert_eq!(export["addresses"].as_array().unwrap().len(), 1);
        assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(export["items"][0]["id"], order);
        shop.get("/customers/me/export").send().await.expect(401);
    });
}

#[test]
fn a_deleted_account_takes_along_what_was_ordered_with_its_address() {
    run_local(async {
        let shop = Shop::start(standing_still(&[])).await;
        let customer = shop.customer().await;
        let link = "/confirm?token=";
        let mail = shop.run_until("the mail with the link", async || {
            let mut mails = shop.mail().await.into_iter();
            let found = mails.find(|mail| {
                let text = mail["text"].as_str().unwrap();
                mail["to"] == customer.email.as_str() && text.contains(link)
            });
            found.ok_or_else(|| "no mail yet".to_owned())
        });
        let mail = mail.await;
        let (_, rest) = mail["text"].as_str().unwrap().split_once(link).unwrap();
        let token = rest.split_whitespace().next().unwrap();
        let confirm = json!({"token": token, "password": PASSWORD});
        let confirm = shop.post("/auth/confirm").json(&confirm).send().await;
        confirm.expect(204);
        let product = shop.product("19.90", 10).await;
        let mut order = order_of(&[(&product, 1)], "tok_declined");
        order["email"] = json!(customer.email);
        let call = shop.post("/guest/orders").key("click-1");
        let placed = call.json(&order).send().await.expect(202).json();
        let id = placed["id"].as_str().unwrap();
        shop.run_until_settled(id).await;
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        run_until_erased(&shop, id).await;
        shop.run_until("the guest is forgotten", async || {
            let header = part(&shop, id, "header").await;
            let forgotten = header["guest"].is_null() && header["guest_email"].is_null();
            forgotten.then_some(()).ok_or(header.to_string())
        })
        .await;
    });
}
