//! The caller's address book: `/customers/me/addresses`.

use expect_test::expect;
use serde_json::{Value, json};

use super::check;
use crate::support::run;
use crate::support::shop::shared;

fn home() -> Value {
    json!({
        "recipient": "Erika Mustermann",
        "line1": "Heidestraße 17",
        "city": "Köln",
        "postal_code": "51147",
        "country": "DE",
        "phone": "0221 9123456",
    })
}

#[test]
fn a_customer_keeps_an_address_book() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let path = "/customers/me/addresses";
        let add = || {
            let call = shop.post(path).bearer(&customer.token).key("home");
            call.json(&home()).send()
        };
        let made = add().await;
        check(
            &made,
            expect![[r#"
                201
                content-type: application/json
                location: /customers/me/addresses/<id-1>
                etag: "1"
                {
                  "city": "Köln",
                  "company": null,
                  "country": "DE",
                  "created_at": "<time>",
                  "id": "<id-1>",
                  "line1": "Heidestraße 17",
                  "line2": null,
                  "phone": "+492219123456",
                  "postal_code": "51147",
                  "recipient": "Erika Mustermann",
                  "region": null,
                  "tax_number": null,
                  "updated_at": "<time>",
                  "version": 1
                }
            "#]],
        );
        let again = add().await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.json(), made.json());
        let one = made.header("location").unwrap().to_owned();
        let read = shop.get(&one).bearer(&customer.token).send().await;
        assert_eq!(read.expect(200).json(), made.json());
        let stranger = shop.customer().await;
        let foreign = shop.get(&one).bearer(&stranger.token).send().await;
        foreign.expect(404);

        let mut moved = home();
        moved["line1"] = json!("Heidestraße 18");
        let replace = |tag: &str| {
            let call = shop.put(&one).bearer(&customer.token);
            call.header("if-match", tag).json(&moved).send()
        };
        replace("\"9\"").await.expect(412);
        let replaced = replace("\"1\"").await.expect(200);
        assert_eq!(replaced.header("etag"), Some("\"2\""));
        let list = || shop.get(path).bearer(&customer.token).send();
        let listed = list().await.expect(200).json();
        assert_eq!(listed["items"], json!([replaced.json()]));
        for status in [204, 404] {
            let gone = shop.delete(&one).bearer(&customer.token).send().await;
            gone.expect(status);
        }
        assert_eq!(list().await.json()["items"], json!([]));
    });
}
