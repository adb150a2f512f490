//! A customer who goes, and what becomes of the orders.

use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, physical};
use crate::support::until;

/// The order's lines, as they are stored.
async fn lines(shop: &Shop, order: &str) -> Value {
    let key = json!({"order_id": {"S": order}, "part": {"S": "lines"}});
    let read = json!({"TableName": physical("OrdersTable"), "Key": key, "ConsistentRead": true});
    shop.dynamodb("GetItem", &read).await["Item"].clone()
}

async fn delete(shop: &Shop, person: &Person, password: &str) -> u16 {
    let call = shop.delete("/customers/me").bearer(&person.token);
    call.json(&json!({"password": password}))
        .send()
        .await
        .status
}

#[test]
fn who_goes_leaves_orders_without_a_name() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let failed = shop.order(&customer, &product, "tok_declined").await;
        let confirmed = shop.order(&customer, &product, "tok_ok").await;
        for order in [&failed, &confirmed] {
            shop.until_settled(order).await;
        }
        let book = shop.post("/customers/me/addresses").bearer(&customer.token);
        let home = json!({
            "recipient": "Erika Mustermann", "line1": "Heidestraße 17", "city": "Köln",
            "postal_code": "51147", "country": "DE",
        });
        book.json(&home).send().await.expect(201);
        assert_eq!(delete(&shop, &customer, "let me in").await, 422);
        assert_eq!(delete(&shop, &customer, PASSWORD).await, 204);
        let credentials = json!({"email": customer.email, "password": PASSWORD});
        let login = shop.post("/auth/login").json(&credentials).send().await;
        login.expect(401);
        until("the address is erased", async || {
            let stored = lines(&shop, &failed).await;
            let recipient = &stored["address"]["M"]["recipient"]["S"];
            if recipient == "" {
                Ok(())
            } else {
                Err(stored.to_string())
            }
        })
        .await;
        let kept = until("the parcel's address is marked", async || {
            let stored = lines(&shop, &confirmed).await;
            let marked = stored["erase_address"]["BOOL"] == true;
            if marked {
                Ok(stored)
            } else {
                Err(stored.to_string())
            }
        })
        .await;
        assert_eq!(kept["address"]["M"]["recipient"]["S"], "Erika Mustermann");
        // An admin calls it off: then no parcel needs the address any more.
        let cancel = shop.post(&format!("/orders/{confirmed}/cancel"));
        let admin = shop.admin().await;
        cancel.bearer(&admin.token).send().await.expect(200);
        until("the parcel's address is erased, too", async || {
            let stored = lines(&shop, &confirmed).await;
            let recipient = &stored["address"]["M"]["recipient"]["S"];
            if recipient == "" {
                Ok(())
            } else {
                Err(stored.to_string())
            }
        })
        .await;
        shop.register(&customer.email).await;
    });
}
