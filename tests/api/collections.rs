//! Collections of products, by hand and by rule.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{product, unique};
use crate::support::prices::amount;
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

impl Shop {
    async fn collection(&self, id: &str, body: &Value) -> Answer {
        let admin = self.admin().await;
        let call = self.put(&format!("/collections/{id}")).bearer(&admin.token);
        call.header("if-match", "*").json(body).send().await
    }

    /// Waits until the collection `id` shows these names, in this order.
    async fn until_listed(&self, id: &str, names: &[&str]) {
        until(&format!("{id} shows {names:?}"), async || {
            let list = self.get(&format!("/products?collection={id}")).send().await;
            let list = list.expect(200).json();
            let items = list["items"].as_array().unwrap().iter();
            let shown: Vec<&str> = items.map(|item| item["name"].as_str().unwrap()).collect();
            if shown == names {
                Ok(())
            } else {
                Err(list.to_string())
            }
        })
        .await;
    }
}

#[test]
fn products_come_into_a_collection_and_leave_it() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let mut ids = Vec::new();
        for (name, price) in [("Bancha", "9.00"), ("Gyokuro", "90.00"), ("Assam", "8.00")] {
            let call = shop.post("/products").bearer(&admin.token);
            let call = call.key(&unique("product")).json(&product(name, price));
            let created = call.send().await.expect(201).json();
            ids.push(created["id"].as_str().unwrap().to_owned());
        }
        let hand = json!({"name": "Gifts", "products": [ids[1], ids[0]]});
        shop.collection("gifts", &hand).await.expect(201);
        shop.until_listed("gifts", &["Gyokuro", "Bancha"]).await;
        let rule = format!("product.price < money(\"{}\")", amount("10.00"));
        let cheap = json!({"name": "Cheap", "rule": rule, "sort": "name"});
        shop.collection("cheap", &cheap).await.expect(201);
        let scheduled = json!({"time": shop.now().await});
        shop.invoke("build-collections", &scheduled).await.unwrap();
        shop.until_listed("cheap", &["Assam", "Bancha"]).await;
        for (id, price) in [(&ids[0], "11.00"), (&ids[1], "7.00")] {
            let call = shop.patch(&format!("/products/{id}"));
            let call = call.bearer(&admin.token).header("if-match", "*");
            let patch = json!({"price": product("", price)["price"]});
            call.json(&patch).send().await.expect(200);
        }
        shop.until_listed("cheap", &["Assam", "Gyokuro"]).await;
        shop.until_listed("gifts", &["Gyokuro", "Bancha"]).await;
        for (sort, names) in [
            ("newest", ["Assam", "Gyokuro"]),
            ("-price", ["Assam", "Gyokuro"]),
            ("price", ["Gyokuro", "Assam"]),
        ] {
            let sorted = format!("cheap&sort={sort}");
            shop.until_listed(&sorted, &names).await;
        }
        // Another rule, and what the one before had is removed.
        let rule = format!("product.price > money(\"{}\")", amount("10.00"));
        let dear = json!({"name": "Dear", "rule": rule});
        shop.collection("cheap", &dear).await.expect(200);
        shop.invoke("build-collections", &scheduled).await.unwrap();
        shop.until_listed("cheap", &["Bancha"]).await;
    });
}
