//! What has outlived its time to live and is still there: DynamoDB deletes it within days, not at once.

use serde_json::json;

use crate::support::people::{PASSWORD, unique};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, physical};

#[test]
fn a_session_whose_time_is_over_has_ended_although_it_is_stored() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        shop.fault("dynamodb:Expire@*=keep").await;
        let email = format!("{}@example.com", unique("kept"));
        shop.register(&email).await;
        let login = async || {
            let body = json!({"email": email, "password": PASSWORD});
            let answer = shop.post("/auth/login").json(&body).send().await;
            answer.expect(200).json()
        };
        let stored = async || {
            let request = json!({"TableName": physical("SessionsTable"), "FilterExpression": "attribute_exists(expires_at)",
                "ProjectionExpression": "expires_at"});
            let items = shop.dynamodb("Scan", &request).await["Items"].clone();
            items.as_array().unwrap().len()
        };
        let before = login().await;
        let kept = stored().await;
        shop.advance(40 * 86_400).await;
        let body = json!({"refresh_token": before["refresh_token"]});
        let refused = shop.post("/auth/refresh").json(&body).send().await;
        refused.expect(401);
        let after = login().await;
        let token = after["access_token"].as_str().unwrap();
        let sessions = shop.get("/customers/me/sessions").bearer(token);
        let sessions = sessions.send().await.expect(200).json();
        assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{sessions}");
        assert!(stored().await > kept);
        assert!(shop.fault_hits().await > 0);
    });
}
