//! Orders without an account.

use serde_json::json;

use crate::support::people::{PASSWORD, order_of, unique};
use crate::support::prices::percentage;
use crate::support::shop::{Setup, Shop, shared};
use crate::support::{run, run_local, until};

#[test]
fn a_guest_orders_and_reads_the_order_with_the_mailed_link() {
    run_local(async {
        let shop = shared().await;
        let product = shop.product("20.00", 5).await;
        let email = format!("{}@example.com", unique("guest"));
        let code = unique("GUEST");
        shop.discount(percentage("A tenth", "0.10"), json!({"code": code}))
            .await;
        let mut order = order_of(&[(&product, 2)], "tok_ok");
        order["email"] = json!(email);
        order["discount_code"] = json!(code);
        let call = shop.post("/guest/orders").key(&unique("click"));
        let placed = call.header("prefer", "wait=20").json(&order).send().await;
        let placed = placed.expect(201);
        assert_eq!(placed.json()["status"], "confirmed");
        let id = placed.json()["id"].as_str().unwrap().to_owned();

        let location = placed.headers["location"].to_str().unwrap().to_owned();
        let read = shop.get(&location).send().await.expect(200);
        assert_eq!(read.json()["id"], json!(id));
        let path = format!("/guest/orders/{id}");
        shop.get(&path).send().await.expect(404);
        shop.get(&format!("{path}?token=x"))
            .send()
            .await
            .expect(404);
        // On the route for customers, other customers do not find it.
        let other = shop.customer().await;
        let path = format!("/orders/{id}");
        shop.get(&path)
            .bearer(&other.token)
            .send()
            .await
            .expect(404);

        let mail = until("the guest's message", async || {
            let mails = shop.mail().await;
            let found = mails.into_iter().find(|mail| mail["to"] == json!(email));
            found.ok_or_else(|| "no message yet".to_owned())
        })
        .await;
        let text = mail["text"].as_str().unwrap();
        let link = format!("http://localhost:5173/orders/{id}?token=");
        let token = text
            .split_once(&link)
            .unwrap()
            .1
            .split_whitespace()
            .next()
            .unwrap();
        let path = format!("/guest/orders/{id}?token={token}");
        shop.get(&path).send().await.expect(200);
        // The number in the mail is that of the order.
        assert!(text.contains(placed.json()["number"].as_str().unwrap()));
        let cancel = format!("/guest/orders/{id}/cancel");
        shop.post(&cancel).send().await.expect(404);
        let cancel = shop.post(&format!("{cancel}?token={token}"));
        let cancelled = cancel.send().await.expect(200);
        assert_eq!(cancelled.json()["status"], "cancelled");
        shop.until_settled(&id).await;
        let read = shop.get(&path).send().await.expect(200);
        assert_eq!(read.json()["payment_status"], "refunded");
    });
}

#[test]
fn a_guest_without_an_address_or_a_key_is_refused() {
    run(async {
        let shop = shared().await;
        let product = shop.product("20.00", 5).await;
        let mut order = order_of(&[(&product, 1)], "tok_ok");
        let place = async |order: &serde_json::Value, key: bool| {
            let call = shop.post("/guest/orders").json(order);
            let call = if key {
                call.key(&unique("click"))
            } else {
                call
            };
            call.send().await
        };
        let answer = place(&order, true).await.expect(422);
        assert_eq!(answer.json()["errors"][0]["pointer"], "/email");
        order["email"] = json!(format!("{}@example.com", unique("guest")));
        place(&order, false).await.expect(400);
        order["payment"]["token"] = json!("tok_declined");
        let id = place(&order, true).await.expect(202).json()["id"].clone();
        assert!(id.is_string());
    });
}

/// Waits for the mail that asks `email` to confirm the address, and returns the token of its link.
async fn confirmation(shop: &Shop, email: &str) -> String {
    let text = until("the message that asks to confirm", async || {
        let mails = shop.mail().await.into_iter();
        let mut texts = mails.filter(|mail| mail["to"] == json!(email));
        let found = texts.find_map(|mail| {
            let text = mail["text"].as_str()?;
            text.contains("/confirm?token=").then(|| text.to_owned())
        });
        found.ok_or_else(|| "no message yet".to_owned())
    })
    .await;
    let token = text.split_once("/confirm?token=").unwrap().1;
    token.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn an_account_that_a_stranger_opened_gets_no_guest_orders() {
    run_local(async {
        let shop = shared().await;
        let product = shop.product("20.00", 5).await;
        let email = format!("{}@example.com", unique("guest"));
        let stranger = shop.register(&email).await;
        let mut order = order_of(&[(&product, 1)], "tok_ok");
        order["email"] = json!(email);
        let call = shop.post("/guest/orders").key(&unique("click"));
        let placed = call.header("prefer", "wait=20").json(&order).send().await;
        let placed = placed.expect(201);
        // The guest follows the link that the shop has mailed, and does not know the stranger's password.
        let token = confirmation(shop, &email).await;
        let body = json!({"token": token, "password": "the password of the guest"});
        let confirm = shop.post("/auth/confirm").json(&body).send().await;
        let fault = confirm.expect(422).json()["errors"][0].clone();
        assert_eq!(fault["pointer"], "/password");
        shop.quiet().await;
        let id = placed.json()["id"].as_str().unwrap().to_owned();
        let order = shop.get(&format!("/orders/{id}")).bearer(&stranger.token);
        order.send().await.expect(404);
        let cancel = shop.post(&format!("/orders/{id}/cancel"));
        cancel.bearer(&stranger.token).send().await.expect(404);
        let location = placed.headers["location"].to_str().unwrap().to_owned();
        shop.get(&location).send().await.expect(200);
    });
}

#[test]
fn a_stranger_cannot_flood_a_mailbox_with_orders_that_fail() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let product = shop.product("20.00", 5).await;
        let mut order = order_of(&[(&product, 1)], "tok_declined");
        order["shipping_address"]["recipient"] = json!("Win 500 EUR: https://evil.example");
        for number in 0..12 {
            order["email"] = json!(format!("vic.tim+{number}@example.com"));
            let call = shop.post("/guest/orders").key(&unique("click"));
            let placed = call.header("prefer", "wait=20").json(&order).send().await;
            assert_eq!(placed.expect(201).json()["status"], "failed");
        }
        shop.quiet().await;
        let mails = shop.order_mail().await;
        assert_eq!(mails.len(), 10);
        for mail in mails {
            let said = mail.to_string();
            assert!(
                !said.contains("Win 500") && !said.contains("evil"),
                "{said}"
            );
            assert!(mail["text"].as_str().unwrap().starts_with("Hello,\n"));
        }
    });
}

#[test]
fn an_account_that_confirms_its_address_gets_the_guest_orders_with_it() {
    run_local(async {
        let shop = shared().await;
        let product = shop.product("20.00", 5).await;
        let email = format!("{}@example.com", unique("guest"));
        let mut order = order_of(&[(&product, 1)], "tok_ok");
        order["email"] = json!(email.to_uppercase());
        let call = shop.post("/guest/orders").key(&unique("click"));
        let placed = call.header("prefer", "wait=20").json(&order).send().await;
        let placed = placed.expect(201);
        let path = format!("/orders/{}", placed.json()["id"].as_str().unwrap());

        let customer = shop.register(&email).await;
        shop.get(&path)
            .bearer(&customer.token)
            .send()
            .await
            .expect(404);
        let token = confirmation(shop, &email).await;
        let body = json!({"token": token, "password": PASSWORD});
        let confirm = shop.post("/auth/confirm").json(&body);
        confirm.send().await.expect(204);
        let owned = until("the claimed order", async || {
            let answer = shop.get(&path).bearer(&customer.token).send().await;
            if answer.status == 200 {
                Ok(answer.json())
            } else {
                Err(answer.text)
            }
        })
        .await;
        assert_eq!(owned["customer_id"], json!(customer.id));
        let location = placed.headers["location"].to_str().unwrap().to_owned();
        shop.get(&location).send().await.expect(404);
    });
}

#[test]
fn a_guest_sees_what_the_shop_knows_and_has_it_erased() {
    run_local(async {
        let shop = shared().await;
        let product = shop.product("20.00", 5).await;
        let email = format!("{}@example.com", unique("guest"));
        let mut order = order_of(&[(&product, 1)], "tok_declined");
        order["email"] = json!(email);
        order["note"] = json!("Klingel defekt");
        let call = shop.post("/guest/orders").key(&unique("click"));
        let placed = call.header("prefer", "wait=20").json(&order).send().await;
        let id = placed.expect(201).json()["id"].as_str().unwrap().to_owned();
        shop.until_settled(&id).await;

        for address in [&email, "nobody@example.com"] {
            let asked = shop.post("/guest/access").json(&json!({"email": address}));
            asked.send().await.expect(202);
        }
        let mail = until("the mail with the link", async || {
            let mut mails = shop.mail().await.into_iter();
            let found = mails.find(|mail| {
                let text = mail["text"].as_str().unwrap();
                mail["to"] == json!(email) && text.contains("/privacy?token=")
            });
            found.ok_or_else(|| "no message yet".to_owned())
        })
        .await;
        let text = mail["text"].as_str().unwrap();
        let token = text.split_once("/privacy?token=").unwrap().1;
        let token = token.split_whitespace().next().unwrap();
        let known = shop.get(&format!("/guest/access?token={token}"));
        let known = known.send().await.expect(200).json();
        assert_eq!(known["items"][0]["id"], json!(id));
        assert_eq!(known["items"][0]["note"], "Klingel defekt");
        shop.get("/guest/access?token=x").send().await.expect(404);
        shop.post("/guest/erasure").send().await.expect(404);
        let erase = format!("/guest/erasure?token={token}");
        let erased = shop.post(&erase).send().await.expect(200).json();
        assert_eq!(erased, json!({"erased": 1, "kept": 0, "more": false}));
        shop.post(&erase).send().await.expect(404);
        let admin = &shop.admin().await.token;
        let left = shop.get(&format!("/orders/{id}")).bearer(admin);
        let left = left.send().await.expect(200).json();
        assert_eq!(
            (&left["note"], &left["shipping_address"]["line1"]),
            (&json!(null), &json!(""))
        );
    });
}
