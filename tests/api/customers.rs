use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::check;
use crate::support::client::Answer;
use crate::support::people::{PASSWORD, unique};
use crate::support::shop::{Setup, Shop, physical, shared};
use crate::support::{run, run_local};

fn erika(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "name": "Erika Mustermann", "locale": "de"})
}

async fn register(shop: &Shop, body: &Value) -> Answer {
    shop.post("/customers").json(body).send().await
}

/// Checks the response to signing in as a customer whose password is [`PASSWORD`].
fn check_login(credentials: impl FnOnce(&str) -> Value, expected: Expect) {
    run(async {
        let shop = shared().await;
        let email = shop.customer().await.email;
        let body = credentials(&email);
        check(&shop.post("/auth/login").json(&body).send().await, expected);
    });
}

#[test]
fn a_customer_registers() {
    run(async {
        let shop = shared().await;
        let email = format!("{}@example.com", unique("erika"));
        let mut made = register(shop, &erika(&email)).await;
        made.text = made.text.replace(&email, "<email>");
        check(
            &made,
            expect![[r#"
                201
                content-type: application/json
                location: /customers/me
                etag: "1"
                {
                  "created_at": "<time>",
                  "disabled": false,
                  "email": "<email>",
                  "email_confirmed": false,
                  "group": null,
                  "id": "<id-1>",
                  "locale": "de",
                  "name": "Erika Mustermann",
                  "phone": null,
                  "roles": [
                    "customer"
                  ],
                  "updated_at": "<time>",
                  "version": 1
                }
            "#]],
        );
    });
}

#[test]
fn an_email_address_belongs_to_one_account_in_any_case() {
    run(async {
        let shop = shared().await;
        let email = format!("{}@example.com", unique("erika"));
        register(shop, &erika(&email)).await.expect(201);
        let shouted = json!({"email": email.to_uppercase(), "password": PASSWORD, "name": "Eve"});
        let mut refused = register(shop, &shouted).await;
        refused.text = refused.text.replace(&email.to_uppercase(), "<email>");
        check(
            &refused,
            expect![[r#"
                409
                content-type: application/problem+json
                {
                  "detail": "There is already an account with this email address. Sign in, or reset its password.",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 409,
                  "title": "Conflict",
                  "type": "urn:oxcart:problem:conflict"
                }
            "#]],
        );
    });
}

#[test]
fn twenty_registrations_at_once_make_one_account() {
    run(async {
        let shop = shared().await;
        let email = format!("{}@example.com", unique("erika"));
        let tries = (0..20).map(|number| {
            let body =
                json!({"email": email, "password": PASSWORD, "name": format!("Erika {number}")});
            async move { register(shop, &body).await.status }
        });
        let mut answers = futures::future::join_all(tries).await;
        answers.sort_unstable();
        assert_eq!(answers[0], 201);
        assert_eq!(answers[1..], [409; 19]);
    });
}

#[test]
fn registering_again_with_a_key_compares_the_password_and_counts() {
    run(async {
        let shop = shared().await;
        let email = format!("{}@example.com", unique("erika"));
        let key = unique("register");
        let again = async |password: &str| {
            let mut body = erika(&email);
            body["password"] = json!(password);
            shop.post("/customers").key(&key).json(&body).send().await
        };
        again(PASSWORD).await.expect(201);
        again("let me in").await.expect(422);
        let same = again(PASSWORD).await.expect(201);
        assert_eq!(same.header("idempotent-replayed"), Some("true"));
        let mut slow = again("let me in").await;
        // On a busy machine, the wait of one second may already be over.
        while slow.status == 422 {
            slow = again("let me in").await;
        }
        slow.expect(429);
    });
}

#[test]
fn a_customer_signs_in() {
    check_login(
        |email| json!({"email": email, "password": PASSWORD}),
        expect![[r#"
            200
            content-type: application/json
            {
              "access_token": "<access_token>",
              "expires_in": 900,
              "refresh_token": "<refresh_token>",
              "token_type": "Bearer"
            }
        "#]],
    );
}

#[test]
fn a_wrong_password_is_refused() {
    check_login(
        |email| json!({"email": email, "password": "let me in"}),
        expect![[r#"
            401
            content-type: application/problem+json
            www-authenticate: Bearer error="invalid_token"
            {
              "detail": "The email address or the password is wrong.",
              "instance": "urn:oxcart:request:<id>",
              "status": 401,
              "title": "Not signed in",
              "type": "urn:oxcart:problem:unauthenticated"
            }
        "#]],
    );
}

#[test]
fn an_unknown_address_gets_the_same_response() {
    check_login(
        |_| json!({"email": "nobody@example.com", "password": PASSWORD}),
        expect![[r#"
            401
            content-type: application/problem+json
            www-authenticate: Bearer error="invalid_token"
            {
              "detail": "The email address or the password is wrong.",
              "instance": "urn:oxcart:request:<id>",
              "status": 401,
              "title": "Not signed in",
              "type": "urn:oxcart:problem:unauthenticated"
            }
        "#]],
    );
}

#[test]
fn a_token_expires_after_900_seconds() {
    run_local(async {
        let setup = Setup {
            manual_clock: true,
            short_tokens: true,
            ..Setup::default()
        };
        let shop = Shop::start(setup).await;
        let customer = shop.customer().await;
        let list = || shop.get("/orders").bearer(&customer.token).send();
        shop.advance(899).await;
        list().await.expect(200);
        shop.advance(1).await;
        check(
            &list().await,
            expect![[r#"
                401
                content-type: application/problem+json
                www-authenticate: Bearer error="invalid_token"
                {
                  "detail": "the access token has expired",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 401,
                  "title": "Not signed in",
                  "type": "urn:oxcart:problem:unauthenticated"
                }
            "#]],
        );
    });
}

#[test]
fn a_forged_token_is_refused_by_the_gateway() {
    run(async {
        let shop = shared().await;
        let token = shop.customer().await.token;
        let (head, signature) = token.rsplit_once('.').unwrap();
        let other: String = signature.chars().rev().collect();
        let forged = shop
            .get("/orders")
            .bearer(&format!("{head}.{other}"))
            .send()
            .await;
        check(
            &forged,
            expect![[r#"
            403
            content-type: application/json
            {
              "message": "Forbidden"
            }
        "#]],
        );
    });
}

/// [`PASSWORD`](crate::support::people::PASSWORD) as another shop's software hashed it.
const IMPORTED: &str = "$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W";

#[test]
fn a_hash_from_an_import_is_renewed_at_the_first_sign_in() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let key = json!({"pk": {"S": format!("customer#{}", customer.id)}});
        let table = physical("CustomersTable");
        let import = json!({
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET password_hash = :imported",
            "ExpressionAttributeValues": {":imported": {"S": IMPORTED}},
        });
        shop.dynamodb("UpdateItem", &import).await;
        shop.login(&customer.email).await;
        let read = json!({"TableName": table, "Key": key, "ConsistentRead": true});
        let item = shop.dynamodb("GetItem", &read).await["Item"].clone();
        let hash = item["password_hash"]["S"].as_str().unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        shop.login(&customer.email).await;
    });
}
