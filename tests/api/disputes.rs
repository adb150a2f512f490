//! Disputes, through the functions.

use serde_json::json;

use crate::support::people::unique;
use crate::support::prices::money;
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

#[test]
fn a_disputed_payment_is_shown_and_not_refunded() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 10).await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.until_settled(&order).await;
        let payment = shop.payment_of(&order).await;
        let tell = async |kind: &str| {
            let event = json!({"type": kind, "charge": format!("{order}:1"), "dispute": "dp_1"});
            let call = shop.signed_event(&event, "whsec_sandbox").await;
            call.send().await.expect(204);
            let shown = shop.payment(&customer, &order).await["disputes"].clone();
            let status = kind.trim_start_matches("dispute.");
            let expected = json!([{
                "id": "dp_1", "status": status, "amount": money("17.00"), "reason": "fraudulent",
            }]);
            assert_eq!(shown, expected);
        };
        let refund = async || {
            let call = shop.post(&format!("/payments/{payment}/refunds"));
            let call = call
                .bearer(&shop.admin().await.token)
                .key(&unique("refund"));
            call.json(&json!({"amount": money("1.00")}))
                .send()
                .await
                .status
        };
        tell("dispute.opened").await;
        assert_eq!(refund().await, 409);
        tell("dispute.opened").await;
        tell("dispute.won").await;
        assert_eq!(refund().await, 201);
        until("the dispute is published", async || {
            let log = shop.items("EventLogTable").await;
            let found = log
                .iter()
                .filter(|event| event["event_type"] == "PaymentDisputed");
            match found.count() {
                2 => Ok(()),
                other => Err(other.to_string()),
            }
        })
        .await;
        shop.audited().await.unwrap();
    });
}
