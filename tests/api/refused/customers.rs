//! Invalid registrations and sign-ins.

use expect_test::expect;
use serde_json::{Value, json};

use super::{Scene, and, with};
use crate::support::people::PASSWORD;
use crate::support::run_local;

#[test]
fn bad_registrations_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let erika = || json!({"email": "erika@example.com", "password": PASSWORD, "name": "Erika"});
        let register = |body: Value| scene.shop.post("/customers").json(&body);
        let login = |body: Value| scene.shop.post("/auth/login").json(&body);
        let calls = vec![
            ("nothing", register(json!({}))),
            (
                "no address",
                register(with(erika(), "/email", json!("erika"))),
            ),
            (
                "an address of a wrong type",
                register(with(erika(), "/email", json!(["erika@example.com"]))),
            ),
            (
                "a huge address",
                register(with(
                    erika(),
                    "/email",
                    json!(format!("{}@example.com", "e".repeat(300))),
                )),
            ),
            (
                "a short password",
                register(with(erika(), "/password", json!("1234567"))),
            ),
            (
                "a huge password",
                register(with(erika(), "/password", json!("p".repeat(5000)))),
            ),
            (
                "a name of two lines",
                register(with(erika(), "/name", json!("Erika\nBcc: all"))),
            ),
            ("a role", register(and(erika(), "roles", json!(["admin"])))),
            (
                "no language",
                register(and(erika(), "locale", json!("klingonisch bitte"))),
            ),
            (
                "an address that is taken",
                register(with(erika(), "/email", json!(scene.customer.email))),
            ),
            (
                "a login without a password",
                login(json!({"email": "erika@example.com"})),
            ),
            (
                "a login without an account",
                login(json!({"email": "erika@example.com", "password": PASSWORD})),
            ),
            ("a login that is a list", login(json!([]))),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /email required /password required /name required
            no address: 422 invalid-body /email invalid
            an address of a wrong type: 422 invalid-body /email type
            a huge address: 422 invalid-body /email invalid
            a short password: 422 invalid-body /password length
            a huge password: 422 invalid-body /password length
            a name of two lines: 422 invalid-body /name control_character
            a role: 422 invalid-body /roles unknown_field
            no language: 422 invalid-body /locale invalid
            an address that is taken: 409 conflict
            a login without a password: 422 invalid-body /password required
            a login without an account: 401 unauthenticated
            a login that is a list: 400 malformed-request
        "#]],
            )
            .await;
    });
}
