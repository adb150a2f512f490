//! Renewing, listing and ending sessions.

use expect_test::expect;
use serde_json::{Value, json};

use super::check;
use crate::support::client::Answer;
use crate::support::people::PASSWORD;
use crate::support::run;
use crate::support::shop::{Shop, shared};

/// Returns the email address of a new customer, and the tokens of a sign-in.
async fn signed_in(shop: &Shop) -> (String, Value) {
    let email = shop.customer().await.email;
    let tokens = login(shop, &email).await;
    (email, tokens)
}

async fn login(shop: &Shop, email: &str) -> Value {
    let body = json!({"email": email, "password": PASSWORD});
    let answer = shop.post("/auth/login").json(&body).send().await;
    answer.expect(200).json()
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap().to_owned()
}

async fn refresh(shop: &Shop, token: &str) -> Answer {
    let body = json!({"refresh_token": token});
    shop.post("/auth/refresh").json(&body).send().await
}

#[test]
fn a_session_is_renewed_and_a_refresh_token_works_once() {
    run(async {
        let shop = shared().await;
        let (_, tokens) = signed_in(shop).await;
        let first = text(&tokens, "refresh_token");
        let renewed = refresh(shop, &first).await;
        check(
            &renewed,
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
        let renewed = renewed.json();
        let orders = shop.get("/orders").bearer(&text(&renewed, "access_token"));
        orders.send().await.expect(200);
        // A client that repeats itself at once gets the same token again.
        let second = text(&renewed, "refresh_token");
        let again = refresh(shop, &first).await.expect(200).json();
        assert_eq!(text(&again, "refresh_token"), second);
        let third = refresh(shop, &second).await.expect(200).json();
        check(
            &refresh(shop, &first).await,
            expect![[r#"
                401
                content-type: application/problem+json
                www-authenticate: Bearer error="invalid_token"
                {
                  "detail": "The session has ended. Sign in again.",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 401,
                  "title": "Not signed in",
                  "type": "urn:oxcart:problem:unauthenticated"
                }
            "#]],
        );
        let latest = refresh(shop, &text(&third, "refresh_token")).await;
        latest.expect(401);
    });
}

#[test]
fn a_refresh_token_sent_eight_times_at_once_by_one_client_is_renewed_once() {
    run(async {
        let shop = shared().await;
        let (_, tokens) = signed_in(shop).await;
        let first = text(&tokens, "refresh_token");
        let sent = (0..8).map(|_| refresh(shop, &first));
        let answers = futures::future::join_all(sent).await;
        let mut latest: Vec<String> = answers
            .into_iter()
            .map(|answer| text(&answer.expect(200).json(), "refresh_token"))
            .collect();
        latest.dedup();
        assert_eq!(latest.len(), 1, "{latest:?}");
        refresh(shop, &latest[0]).await.expect(200);
    });
}

#[test]
fn a_refresh_token_that_another_client_repeats_ends_its_session() {
    run(async {
        let shop = shared().await;
        let (_, tokens) = signed_in(shop).await;
        let first = text(&tokens, "refresh_token");
        let second = refresh(shop, &first).await.expect(200).json();
        let body = json!({"refresh_token": first});
        let stolen = shop.post("/auth/refresh").json(&body);
        let stolen = stolen.header("user-agent", "Thief/1").send().await;
        stolen.expect(401);
        let latest = text(&second, "refresh_token");
        refresh(shop, &latest).await.expect(401);
    });
}

#[test]
fn a_refresh_token_only_renews_its_session() {
    run(async {
        let shop = shared().await;
        let (_, tokens) = signed_in(shop).await;
        let token = text(&tokens, "refresh_token");
        let refused = shop.get("/customers/me").bearer(&token).send().await;
        check(
            &refused,
            expect![[r#"
                403
                content-type: application/json
                {
                  "message": "Forbidden"
                }
            "#]],
        );
        let access_token = text(&tokens, "access_token");
        refresh(shop, &access_token).await.expect(401);
        refresh(shop, "nonsense").await.expect(401);
    });
}

#[test]
fn signing_out_succeeds_however_often() {
    run(async {
        let shop = shared().await;
        let (_, tokens) = signed_in(shop).await;
        let body = json!({"refresh_token": tokens["refresh_token"]});
        for _ in 0..2 {
            let answer = shop.post("/auth/logout").json(&body).send().await;
            check(
                &answer,
                expect![[r"
                    204
                "]],
            );
        }
        refresh(shop, &text(&tokens, "refresh_token"))
            .await
            .expect(401);
    });
}

#[test]
fn a_customer_sees_and_ends_sessions() {
    run(async {
        let shop = shared().await;
        let (email, first) = signed_in(shop).await;
        let second = login(shop, &email).await;
        let token = text(&second, "access_token");
        let list = || shop.get("/customers/me/sessions").bearer(&token).send();
        let listed = list().await.expect(200).json();
        let sessions = listed["items"].as_array().unwrap();
        // The third session is of the sign-in at the registration.
        assert_eq!(sessions.len(), 3, "{listed}");
        let id = sessions[0]["id"].as_str().unwrap();
        let path = format!("/customers/me/sessions/{id}");
        let stranger = shop.customer().await.token;
        let foreign = shop.delete(&path).bearer(&stranger).send().await;
        foreign.expect(404);
        shop.delete(&path).bearer(&token).send().await.expect(204);
        shop.delete(&path).bearer(&token).send().await.expect(404);
        assert_eq!(list().await.json()["items"].as_array().unwrap().len(), 2);
        let all = shop.delete("/customers/me/sessions").bearer(&token);
        all.send().await.expect(204);
        for tokens in [first, second] {
            refresh(shop, &text(&tokens, "refresh_token"))
                .await
                .expect(401);
        }
        // An access token that was issued works until it expires.
        assert_eq!(list().await.expect(200).json()["items"], json!([]));
    });
}
