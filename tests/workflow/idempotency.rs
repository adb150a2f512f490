//! One key, one order, one charge.

use crate::support::people::{order_of, unique};
use crate::support::shop::shared;
use crate::support::{run, run_local};

#[test]
fn the_same_key_twenty_times_at_once_makes_one_order_and_one_charge() {
    run_local(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let order = order_of(&[(&product, 2)], "tok_ok");
        let key = unique("order");
        let placed = futures::future::join_all(
            (0..20).map(|_| shop.place_with_key(&customer, &order, &key)),
        )
        .await;
        let id = placed[0].json()["id"].as_str().unwrap().to_owned();
        let mut first_responses = 0;
        for response in placed {
            assert!([201, 202].contains(&response.status), "{}", response.text);
            assert_eq!(response.json()["id"], id.as_str());
            if response.header("idempotent-replayed").is_none() {
                first_responses += 1;
            }
        }
        assert_eq!(first_responses, 1);
        shop.until_settled(&id).await;
        let books = shop.books_of(&id).await;
        assert_eq!((books.status(), books.charges), ("confirmed", 1));
        assert_eq!(shop.stock(&product).await, (100, 2, 98));
        let mine = shop.get("/orders").bearer(&customer.token).send().await;
        assert_eq!(
            mine.expect(200).json()["items"].as_array().unwrap().len(),
            1
        );
    });
}

#[test]
fn the_same_key_returns_the_order_as_it_is_now() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let order = order_of(&[(&product, 2)], "tok_ok");
        let key = unique("order");
        let placed = shop
            .place_with_key(&customer, &order, &key)
            .await
            .expect(202);
        let id = placed.json()["id"].as_str().unwrap().to_owned();
        shop.until_status(&customer, &id, "confirmed").await;
        let again = shop
            .place_with_key(&customer, &order, &key)
            .await
            .expect(201);
        assert_eq!(again.json()["status"], "confirmed");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    });
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let key = unique("order");
        let two = order_of(&[(&product, 2)], "tok_ok");
        let three = order_of(&[(&product, 3)], "tok_ok");
        let first = shop.place_with_key(&customer, &two, &key).await.expect(202);
        let other = shop
            .place_with_key(&customer, &three, &key)
            .await
            .expect(422);
        assert_eq!(
            other.json()["type"],
            "urn:oxcart:problem:idempotency-key-reused"
        );
        let id = first.json()["id"].as_str().unwrap().to_owned();
        shop.until_status(&customer, &id, "confirmed").await;
        assert_eq!(shop.stock(&product).await, (100, 2, 98));
    });
}

#[test]
fn one_key_used_by_two_customers_makes_two_orders() {
    run(async {
        let shop = shared().await;
        let product = shop.product("19.90", 100).await;
        let order = order_of(&[(&product, 2)], "tok_ok");
        let key = unique("order");
        let (one, two) = (shop.customer().await, shop.customer().await);
        let first = shop.place_with_key(&one, &order, &key).await.expect(202);
        let second = shop.place_with_key(&two, &order, &key).await.expect(202);
        assert_ne!(first.json()["id"], second.json()["id"]);
    });
}
