//! The caller's own account, and the routes with which admins manage customers.

use expect_test::expect;
use serde_json::json;

use super::check;
use crate::support::client::Call;
use crate::support::people::{PASSWORD, Person, product};
use crate::support::shop::{Shop, shared};
use crate::support::{run, run_local};

/// Signs in, and returns the status of the response.
async fn login_status(shop: &Shop, person: &Person) -> u16 {
    let body = json!({"email": person.email, "password": PASSWORD});
    shop.post("/auth/login").json(&body).send().await.status
}

#[test]
fn changing_an_account_needs_its_latest_version() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let me = || shop.get("/customers/me").bearer(&customer.token).send();
        let tag = me().await.expect(200).header("etag").unwrap().to_owned();
        let patch = |tag: &str| {
            let call = shop.patch("/customers/me").bearer(&customer.token);
            call.header("if-match", tag)
                .json(&json!({"name": "Erika Gabler", "phone": "+49 221 91234567"}))
                .send()
        };
        let mut changed = patch(&tag).await;
        changed.text = changed.text.replace(&customer.email, "<email>");
        check(
            &changed,
            expect![[r#"
                200
                content-type: application/json
                etag: "2"
                {
                  "created_at": "<time>",
                  "disabled": false,
                  "email": "<email>",
                  "email_confirmed": false,
                  "group": null,
                  "id": "<id-1>",
                  "locale": "en",
                  "name": "Erika Gabler",
                  "phone": "+4922191234567",
                  "roles": [
                    "customer"
                  ],
                  "updated_at": "<time>",
                  "version": 2
                }
            "#]],
        );
        patch(&tag).await.expect(412);
        let blind = shop.patch("/customers/me").bearer(&customer.token);
        blind
            .json(&json!({"name": "Erika"}))
            .send()
            .await
            .expect(428);
        let role = shop.patch("/customers/me").bearer(&customer.token);
        let role = role
            .header("if-match", "*")
            .json(&json!({"roles": ["admin"]}));
        role.send().await.expect(422);
        assert_eq!(
            me().await.json(),
            with_email(&changed.text, &customer.email)
        );
    });
}

fn with_email(text: &str, email: &str) -> serde_json::Value {
    serde_json::from_str(&text.replace("<email>", email)).unwrap()
}

#[test]
fn an_admin_finds_disables_and_enables_an_account() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let admin = shop.admin().await;
        let query = [("email", customer.email.to_uppercase())];
        let found = shop.get(&format!("/customers?email={}", query[0].1));
        let found = found.bearer(&admin.token).send().await.expect(200).json();
        assert_eq!(found["items"][0]["id"], customer.id.as_str());
        let path = format!("/customers/{}", customer.id);
        let read = || shop.get(&path).bearer(&admin.token).send();
        assert_eq!(read().await.expect(200).json(), found["items"][0]);
        let list = shop.get("/customers?limit=100").bearer(&admin.token);
        let list = list.send().await.expect(200).json();
        let listed = list["items"].as_array().unwrap();
        assert!(listed.len() > 1, "{list}");

        let act = |action: &str| {
            let call = shop.post(&format!("{path}/{action}"));
            call.bearer(&admin.token).send()
        };
        for _ in 0..2 {
            let shut = act("disable").await.expect(200).json();
            assert_eq!(shut["disabled"], true);
        }
        assert_eq!(login_status(shop, &customer).await, 401);
        assert_eq!(act("enable").await.expect(200).json()["disabled"], false);
        assert_eq!(login_status(shop, &customer).await, 200);
    });
}

#[test]
fn an_admin_gives_and_takes_roles_except_their_own() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let admin = shop.new_admin().await;
        let set = |id: &str, roles: &[&str], token: &str| {
            let call = shop.put(&format!("/customers/{id}/roles")).bearer(token);
            let call = call.header("if-match", "*");
            call.json(&json!({"roles": roles})).send()
        };
        let made = set(&customer.id, &["admin"], &admin.token).await;
        assert_eq!(
            made.expect(200).json()["roles"],
            json!(["customer", "admin"])
        );
        let token = shop.login(&customer.email).await;
        set(&admin.id, &["customer"], &token).await.expect(200);
        let own = set(&customer.id, &["customer"], &token).await;
        check(
            &own,
            expect![[r#"
                409
                content-type: application/problem+json
                {
                  "detail": "You cannot take the role admin from yourself. Ask another admin to do it.",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 409,
                  "title": "Conflict",
                  "type": "urn:oxcart:problem:conflict"
                }
            "#]],
        );
        let own = shop.post(&format!("/customers/{}/disable", customer.id));
        own.bearer(&token).send().await.expect(409);
    });
}

#[test]
fn an_admin_who_was_demoted_or_disabled_changes_nothing_with_an_earlier_token() {
    run_local(async {
        let shop = shared().await;
        let [admin, other] = [shop.new_admin().await, shop.new_admin().await];
        let own = format!("/customers/{}", other.id);
        let by = |call: Call, who: &Person| call.bearer(&who.token).header("if-match", "*");
        let roles = |roles: &[&str]| {
            let call = shop.put(&format!("{own}/roles"));
            call.json(&json!({"roles": roles}))
        };
        let read = || by(shop.get("/customers?limit=1"), &other).send();
        let change = async || {
            let calls = [
                roles(&["customer", "admin"]),
                shop.post(&format!("{own}/enable")),
                shop.post(&format!("/customers/{}/disable", admin.id)),
                shop.put("/tax-rates").json(&json!({"items": []})),
                shop.post("/products").json(&product("Teapot", "9.90")),
            ];
            for call in calls {
                by(call, &other).send().await.expect(403);
            }
        };
        read().await.expect(200);
        by(roles(&["customer"]), &admin).send().await.expect(200);
        change().await;
        read().await.expect(403);
        // The roles that are stored decide, so the same token is an admin's again.
        by(roles(&["admin"]), &admin).send().await.expect(200);
        read().await.expect(200);
        let disable = shop.post(&format!("{own}/disable"));
        by(disable, &admin).send().await.expect(200);
        change().await;
        read().await.expect(403);
        let stored = by(shop.get(&own), &admin).send().await.expect(200).json();
        assert_eq!(stored["disabled"], true);
    });
}

#[test]
fn customers_cannot_see_or_manage_each_other() {
    run(async {
        let shop = shared().await;
        let [customer, stranger] = [shop.customer().await, shop.customer().await];
        let path = format!("/customers/{}", customer.id);
        let calls = [
            shop.get("/customers"),
            shop.get(&path),
            shop.post(&format!("{path}/disable")),
            shop.post(&format!("{path}/enable")),
            shop.put(&format!("{path}/roles"))
                .json(&json!({"roles": ["customer"]})),
        ];
        for call in calls {
            let call = call.bearer(&stranger.token).header("if-match", "*");
            call.send().await.expect(403);
        }
        assert_eq!(login_status(shop, &customer).await, 200);
    });
}
