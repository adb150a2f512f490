//! Gift cards.

use serde_json::{Value, json};

use crate::support::people::unique;
use crate::support::prices::money;
use crate::support::run;
use crate::support::shop::shared;

#[test]
fn a_gift_card_is_issued_once_and_shown_to_whom_has_its_code() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let key = unique("gift-card");
        let issue = async || {
            let call = shop.post("/gift-cards").bearer(&admin.token).key(&key);
            let call = call.json(&json!({"amount": money("50.00")}));
            call.send().await.expect(201)
        };
        let (issued, again) = (issue().await, issue().await);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let (issued, again) = (issued.json(), again.json());
        assert_eq!(
            (&again["id"], &again["code"]),
            (&issued["id"], &Value::Null)
        );
        let path = format!("/gift-cards/{}", issued["id"].as_str().unwrap());
        let shown = shop.get(&path).bearer(&admin.token).send().await;
        assert_eq!(shown.expect(200).json()["balance"], money("50.00"));
        let balance = shop.post("/gift-cards/balance");
        let balance = balance.json(&json!({"code": issued["code"]}));
        let balance = balance.send().await.expect(200).json();
        assert_eq!(balance["balance"], money("50.00"));
        assert_eq!(balance["last_four"], issued["last_four"]);
        let unknown = json!({"code": "2222-2222-2222-2222-2222"});
        let unknown = shop.post("/gift-cards/balance").json(&unknown);
        unknown.send().await.expect(404);
    });
}
