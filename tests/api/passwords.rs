//! Changing and resetting passwords, and confirming email addresses, with mailed links.

use expect_test::expect;
use serde_json::{Value, json};

use super::check;
use crate::support::client::Answer;
use crate::support::people::{PASSWORD, Person};
use crate::support::run_local;
use crate::support::shop::{Shop, shared};
use crate::support::until;

const NEW: &str = "another horse, another battery";

/// Waits for the latest mail to `person` whose subject contains `subject`.
pub(super) async fn mail(shop: &Shop, person: &Person, subject: &str) -> Value {
    until(subject, async || {
        let mails = shop.mail().await;
        let found = mails.iter().rfind(|mail| {
            let fits = mail["subject"].as_str().unwrap().contains(subject);
            fits && mail["to"].to_string().contains(&person.email)
        });
        found.cloned().ok_or_else(|| format!("{mails:?}"))
    })
    .await
}

/// Returns the token of the link to `page` in `mail`.
pub(super) fn token(mail: &Value, page: &str) -> String {
    let text = mail["text"].as_str().unwrap();
    let start = format!("http://localhost:5173/{page}?token=");
    let (_, rest) = text.split_once(&start).unwrap();
    let token = rest.split_whitespace().next().unwrap();
    assert!(mail["html"].as_str().unwrap().contains(token));
    token.to_owned()
}

async fn post(shop: &Shop, path: &str, body: Value) -> Answer {
    shop.post(path).json(&body).send().await
}

async fn sign_in(shop: &Shop, person: &Person, password: &str) -> Answer {
    let body = json!({"email": person.email, "password": password});
    post(shop, "/auth/login", body).await
}

#[test]
fn a_new_customer_confirms_the_email_address_with_a_mailed_link() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let me = || shop.get("/customers/me").bearer(&customer.token).send();
        assert_eq!(me().await.json()["email_confirmed"], false);
        let first = mail(shop, &customer, "confirm your email address").await;
        let token = token(&first, "confirm");
        let resend = || {
            let call = shop.post("/customers/me/confirmation");
            call.bearer(&customer.token).send()
        };
        resend().await.expect(202);
        let body = json!({"token": token, "password": "let me in"});
        let guessed = post(shop, "/auth/confirm", body).await.expect(422);
        assert_eq!(guessed.json()["errors"][0]["pointer"], "/password");
        assert_eq!(me().await.json()["email_confirmed"], false);
        for _ in 0..2 {
            let body = json!({"token": token, "password": PASSWORD});
            let answer = post(shop, "/auth/confirm", body).await;
            check(
                &answer,
                expect![[r"
                    204
                "]],
            );
        }
        assert_eq!(me().await.json()["email_confirmed"], true);
        resend().await.expect(202);
        let last = if token.ends_with('A') { 'Q' } else { 'A' };
        let forged = format!("{}{last}", &token[..token.len() - 1]);
        for wrong in ["nonsense", &forged, &customer.token] {
            let body = json!({"token": wrong, "password": PASSWORD});
            let answer = post(shop, "/auth/confirm", body).await;
            check(
                &answer,
                expect![[r#"
                    422
                    content-type: application/problem+json
                    {
                      "detail": "the request body is not valid",
                      "errors": [
                        {
                          "code": "bad_link",
                          "detail": "this link has expired or has been used: request a new one",
                          "pointer": "/token"
                        }
                      ],
                      "instance": "urn:oxcart:request:<id>",
                      "status": 422,
                      "title": "Invalid body",
                      "type": "urn:oxcart:problem:invalid-body"
                    }
                "#]],
            );
        }
    });
}

#[test]
fn a_forgotten_password_is_reset_once_with_a_mailed_link() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let session = sign_in(shop, &customer, PASSWORD).await.expect(200).json();
        let me = || shop.get("/customers/me").bearer(&customer.token).send();
        me().await.expect(200);
        for email in [customer.email.as_str(), "nobody@example.com"] {
            let forgotten = post(shop, "/auth/password/forgot", json!({"email": email})).await;
            check(
                &forgotten,
                expect![[r"
                    202
                "]],
            );
        }
        let link = mail(shop, &customer, "Reset your password").await;
        let token = token(&link, "reset");
        let body = json!({"token": token, "password": NEW});
        let reset = post(shop, "/auth/password/reset", body.clone()).await;
        reset.expect(204);
        let again = post(shop, "/auth/password/reset", body).await;
        again.expect(422);
        // An access token from before is over, too.
        me().await.expect(403);
        sign_in(shop, &customer, PASSWORD).await.expect(401);
        sign_in(shop, &customer, NEW).await.expect(200);
        let body = json!({"refresh_token": session["refresh_token"]});
        post(shop, "/auth/refresh", body).await.expect(401);
        mail(shop, &customer, "has been changed").await;
        let nobody = shop.mail().await;
        assert!(
            !nobody
                .iter()
                .any(|mail| mail["to"].to_string().contains("nobody@"))
        );
    });
}

#[test]
fn changing_a_password_needs_the_current_one() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let session = sign_in(shop, &customer, PASSWORD).await.expect(200).json();
        let change = |current: &str| {
            let body = json!({"current_password": current, "new_password": NEW});
            let call = shop.post("/customers/me/password").bearer(&customer.token);
            call.json(&body).send()
        };
        change("let me in").await.expect(422);
        change(PASSWORD).await.expect(204);
        sign_in(shop, &customer, PASSWORD).await.expect(401);
        sign_in(shop, &customer, NEW).await.expect(200);
        let body = json!({"refresh_token": session["refresh_token"]});
        post(shop, "/auth/refresh", body).await.expect(401);
        mail(shop, &customer, "has been changed").await;
    });
}

#[test]
fn guessing_passwords_becomes_slow() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        for _ in 0..5 {
            sign_in(shop, &customer, "let me in").await.expect(401);
        }
        let mut slow = sign_in(shop, &customer, "let me in").await;
        // On a busy machine, the wait of one second may already be over.
        while slow.status == 401 {
            slow = sign_in(shop, &customer, "let me in").await;
        }
        let slow = slow.expect(429);
        let wait: u64 = slow.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
    });
}

#[test]
fn an_imported_bcrypt_hash_is_replaced_by_argon2id_at_the_first_sign_in() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let table = crate::support::shop::physical("CustomersTable");
        let key = json!({"pk": {"S": format!("customer#{}", customer.id)}});
        // "secret", as Python's passlib hashes it.
        let hash = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
        let import = json!({
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET password_hash = :hash",
            "ExpressionAttributeValues": {":hash": {"S": hash}},
        });
        shop.dynamodb("UpdateItem", &import).await;
        sign_in(shop, &customer, PASSWORD).await.expect(401);
        sign_in(shop, &customer, "secret").await.expect(200);
        let read = json!({"TableName": table, "Key": key, "ConsistentRead": true});
        let stored = shop.dynamodb("GetItem", &read).await;
        let renewed = stored["Item"]["password_hash"]["S"].as_str().unwrap();
        assert!(
            renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{renewed}"
        );
        sign_in(shop, &customer, "secret").await.expect(200);
    });
}

#[test]
fn an_email_address_is_changed_with_links_to_both_mailboxes() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let confirm = async |path: &str, token: String| {
            post(shop, path, json!({"token": token, "password": PASSWORD})).await
        };
        let first = mail(shop, &customer, "confirm your email address").await;
        confirm("/auth/confirm", token(&first, "confirm"))
            .await
            .expect(204);
        let renewed = Person {
            email: format!("new-{}", customer.email),
            ..customer.clone()
        };
        let ask = |password: &str| {
            let call = shop.post("/customers/me/email").bearer(&customer.token);
            call.json(&json!({"email": renewed.email, "password": password}))
        };
        ask("let me in").send().await.expect(422);
        ask(PASSWORD).send().await.expect(202);
        let new = mail(shop, &renewed, "confirm your new email address").await;
        let present = mail(shop, &customer, "Another email address").await;
        let wrong = json!({"token": token(&new, "email"), "password": "let me in"});
        post(shop, "/auth/email", wrong).await.expect(422);
        confirm("/auth/email", token(&new, "email"))
            .await
            .expect(204);
        let me = || shop.get("/customers/me").bearer(&customer.token).send();
        assert_eq!(me().await.json()["email"], json!(customer.email));
        confirm("/auth/email", token(&present, "email"))
            .await
            .expect(204);
        let changed = me().await.json();
        assert_eq!(changed["email"], json!(renewed.email));
        assert_eq!(changed["email_confirmed"], true);
        sign_in(shop, &renewed, PASSWORD).await.expect(200);
        sign_in(shop, &customer, PASSWORD).await.expect(401);
        confirm("/auth/email", token(&present, "email"))
            .await
            .expect(422);
    });
}
