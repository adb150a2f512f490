//! What shoppers see of stock.

use serde_json::{Value, json};

use crate::support::people::order_of;
use crate::support::shop::{Setup, Shop, shared};
use crate::support::{run, run_local, until};

impl Shop {
    /// Waits until the product shows `availability`, and returns it.
    pub(super) async fn until_shown(&self, product: &str, availability: &str) -> Value {
        until("the availability is shown", async || {
            let read = self.get(&format!("/products/{product}")).send().await;
            let read = read.expect(200).json();
            if read["availability"] == availability {
                Ok(read)
            } else {
                Err(read["availability"].to_string())
            }
        })
        .await
    }

    /// Returns the availability of the product in the list.
    async fn listed(&self, product: &str) -> Value {
        let list = self.get("/products").send().await.expect(200).json();
        let mut items = list["items"].as_array().unwrap().iter();
        let listed = items.find(|item| item["id"] == product).unwrap();
        listed["availability"].clone()
    }
}

#[test]
fn a_product_shows_what_orders_leave_of_it() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 7).await;
        let shown = shop.until_shown(&product, "in_stock").await;
        assert_eq!(shown["available_quantity"], Value::Null);
        let order = order_of(&[(&product, 2)], "tok_ok");
        shop.place(&customer, &order).await.expect(202);
        let shown = shop.until_shown(&product, "low").await;
        assert_eq!(shown["available_quantity"], Value::Null);
        assert_eq!(shop.listed(&product).await, "low");
        let order = order_of(&[(&product, 5)], "tok_ok");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let shown = shop.until_shown(&product, "out_of_stock").await;
        assert_eq!(shop.listed(&product).await, "out_of_stock");
        assert_eq!(
            (&shown["status"], &shown["version"]),
            (&json!("active"), &json!(1))
        );
        let placed = placed["id"].as_str().unwrap();
        shop.cancel(&customer, placed).await.expect(200);
        shop.until_shown(&product, "low").await;
    });
}

#[test]
fn what_is_on_backorder_can_be_ordered_up_to_its_limit() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 1).await;
        let level = json!({"on_hand": 1, "backorder": 3});
        shop.set_level(&product, &level).await.expect(200);
        shop.note_on_hand(&product, 4);
        let order = order_of(&[(&product, 2)], "tok_ok");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let placed = placed["id"].as_str().unwrap();
        shop.until_status(&customer, placed, "confirmed").await;
        shop.until_shown(&product, "backorder").await;
        assert_eq!(shop.stock(&product).await, (1, 2, 2));
        let too_many = order_of(&[(&product, 3)], "tok_ok");
        shop.place(&customer, &too_many).await.expect(409);
        // A delivery of 10 keeps what may be sold in advance.
        shop.set_stock(&product, 10).await.expect(200);
        shop.note_on_hand(&product, 13);
        shop.until_shown(&product, "in_stock").await;
        assert_eq!(shop.stock(&product).await, (10, 2, 11));
    });
}

#[test]
fn the_entity_tag_follows_the_availability_and_admins_need_not_read_again() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let product = shop.product("20.00", 0).await;
        let path = format!("/products/{product}");
        let before = shop.get(&path).send().await.expect(200);
        let tag = before.header("etag").unwrap().to_owned();
        shop.set_stock(&product, 50).await.expect(200);
        shop.until_shown(&product, "in_stock").await;
        shop.note_on_hand(&product, 50);
        let call = shop.get(&path).header("if-none-match", &tag);
        assert_ne!(call.send().await.expect(200).header("etag"), Some(&*tag));
        let call = shop.patch(&path).bearer(&admin.token);
        let call = call
            .header("if-match", &tag)
            .json(&json!({"name": "Kettle"}));
        let patched = call.send().await.expect(200).json();
        let seen = (&patched["name"], &patched["availability"]);
        assert_eq!(seen, (&json!("Kettle"), &json!("in_stock")));
    });
}

#[test]
fn a_shop_shows_how_few_are_left_if_it_wants_to() {
    run_local(async {
        let shop = Shop::start(Setup {
            parameters: &[("LowStockLevel", "2"), ("ShowStockQuantity", "true")],
            ..Setup::default()
        });
        let shop = shop.await;
        let product = shop.product("20.00", 3).await;
        let shown = shop.until_shown(&product, "in_stock").await;
        assert_eq!(shown["available_quantity"], Value::Null);
        shop.set_stock(&product, 2).await.expect(200);
        let shown = shop.until_shown(&product, "low").await;
        assert_eq!(shown["available_quantity"], 2);
    });
}
