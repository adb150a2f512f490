use expect_test::expect;
use serde_json::{Value, json};

use super::check;
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::{money, written};
use crate::support::shop::{Shop, shared};
use crate::support::{run, run_local};

/// A customer, and their order of two of a product with ten in stock, confirmed.
async fn confirmed(shop: &Shop) -> (Person, String, String) {
    let customer = shop.customer().await;
    let product = shop.named_product("Kite", "18.50", 10).await;
    let order = shop.order(&customer, &product, "tok_ok").await;
    shop.until_status(&customer, &order, "confirmed").await;
    (customer, order, product)
}

#[test]
fn an_order_is_placed_and_is_pending_at_first() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.named_product("Kite", "18.50", 10).await;
        let placed = shop
            .place(&customer, &order_of(&[(&product, 2)], "tok_ok"))
            .await;
        check(
            &placed,
            expect![[r#"
                202
                content-type: application/json
                location: /orders/<id-1>
                etag: "<version>-pending"
                {
                  "amount_due": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "billing_address": null,
                  "created_at": "<time>",
                  "customer_id": "<id-2>",
                  "discount": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "discounts": [],
                  "failure": null,
                  "gift_cards": [],
                  "id": "<id-1>",
                  "items": [
                    {
                      "discounts": [],
                      "name": "Kite",
                      "price_list": null,
                      "product_id": "<id-3>",
                      "quantity": 2,
                      "sku": "<id-3>",
                      "subtotal": {
                        "amount": "37.00",
                        "currency": "EUR"
                      },
                      "taxes": [],
                      "unit_price": {
                        "amount": "18.50",
                        "currency": "EUR"
                      },
                      "variant_id": "<id-3>"
                    }
                  ],
                  "metadata": {},
                  "note": null,
                  "number": "<number>",
                  "payment_status": "pending",
                  "reverse_charge": false,
                  "review": null,
                  "shipping": null,
                  "shipping_address": {
                    "city": "Köln",
                    "company": null,
                    "country": "DE",
                    "line1": "Heidestraße 17",
                    "line2": null,
                    "phone": null,
                    "postal_code": "51147",
                    "recipient": "Erika Mustermann",
                    "region": null,
                    "tax_number": null
                  },
                  "status": "pending",
                  "subtotal": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "tax": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "tax_number_check": null,
                  "taxes": [],
                  "total_amount": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "updated_at": "<time>",
                  "version": 1
                }
            "#]],
        );
    });
}

#[test]
fn a_client_that_prefers_to_wait_gets_the_outcome() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.named_product("Kite", "18.50", 10).await;
        let call = shop
            .post("/orders")
            .bearer(&customer.token)
            .key(&unique("order"));
        let call = call.header("prefer", "wait=20");
        let placed = call
            .json(&order_of(&[(&product, 2)], "tok_ok"))
            .send()
            .await;
        check(
            &placed,
            expect![[r#"
                201
                content-type: application/json
                location: /orders/<id-1>
                etag: "<version>-completed"
                preference-applied: wait=20
                {
                  "amount_due": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "billing_address": null,
                  "created_at": "<time>",
                  "customer_id": "<id-2>",
                  "discount": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "discounts": [],
                  "failure": null,
                  "gift_cards": [],
                  "id": "<id-1>",
                  "items": [
                    {
                      "discounts": [],
                      "name": "Kite",
                      "price_list": null,
                      "product_id": "<id-3>",
                      "quantity": 2,
                      "sku": "<id-3>",
                      "subtotal": {
                        "amount": "37.00",
                        "currency": "EUR"
                      },
                      "taxes": [],
                      "unit_price": {
                        "amount": "18.50",
                        "currency": "EUR"
                      },
                      "variant_id": "<id-3>"
                    }
                  ],
                  "metadata": {},
                  "note": null,
                  "number": "<number>",
                  "payment_status": "completed",
                  "reverse_charge": false,
                  "review": null,
                  "shipping": null,
                  "shipping_address": {
                    "city": "Köln",
                    "company": null,
                    "country": "DE",
                    "line1": "Heidestraße 17",
                    "line2": null,
                    "phone": null,
                    "postal_code": "51147",
                    "recipient": "Erika Mustermann",
                    "region": null,
                    "tax_number": null
                  },
                  "status": "confirmed",
                  "subtotal": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "tax": {
                    "amount": "0.00",
                    "currency": "EUR"
                  },
                  "tax_number_check": null,
                  "taxes": [],
                  "total_amount": {
                    "amount": "37.00",
                    "currency": "EUR"
                  },
                  "updated_at": "<time>",
                  "version": 2
                }
            "#]],
        );
    });
}

#[test]
fn lines_of_one_product_are_merged_and_prices_are_the_catalogues() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let tea = shop.named_product("Tea", "18.90", 10).await;
        let pot = shop.named_product("Teapot", "54.00", 10).await;
        let order = order_of(&[(&tea, 1), (&pot, 1), (&tea, 2)], "tok_ok");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let lines: Vec<(&str, u64, String)> = placed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| {
                let subtotal = written(&line["subtotal"]);
                (
                    line["name"].as_str().unwrap(),
                    line["quantity"].as_u64().unwrap(),
                    subtotal,
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                ("Tea", 3, "56.70".to_owned()),
                ("Teapot", 1, "54.00".to_owned())
            ]
        );
        assert_eq!(placed["total_amount"], money("110.70"));
    });
}

#[test]
fn an_order_keeps_the_price_that_it_was_placed_at() {
    run(async {
        let shop = shared().await;
        let (customer, order, product) = confirmed(shop).await;
        let admin = shop.admin().await;
        let call = shop
            .patch(&format!("/products/{product}"))
            .bearer(&admin.token);
        let dearer = json!({"price": money("99.00")});
        call.header("if-match", "*")
            .json(&dearer)
            .send()
            .await
            .expect(200);
        let total = shop.read(&customer, &order).await["total_amount"].clone();
        assert_eq!(total, money("37.00"));
    });
}

#[test]
fn an_order_is_visible_to_its_customer_and_to_admins() {
    run(async {
        let shop = shared().await;
        let (customer, order, _) = confirmed(shop).await;
        let other = shop.customer().await;
        for path in ["", "/history", "/payments"] {
            let path = format!("/orders/{order}{path}");
            let status =
                async |who: &Person| shop.get(&path).bearer(&who.token).send().await.status;
            assert_eq!(status(&customer).await, 200, "{path}");
            assert_eq!(status(shop.admin().await).await, 200, "{path}");
            assert_eq!(status(&other).await, 404, "{path}");
        }
        check(
            &shop.cancel(&other, &order).await,
            expect![[r#"
                404
                content-type: application/problem+json
                {
                  "detail": "there is no such order",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 404,
                  "title": "Not found",
                  "type": "urn:oxcart:problem:not-found"
                }
            "#]],
        );
        assert_eq!(shop.read(&customer, &order).await["status"], "confirmed");
        shop.cancel(shop.admin().await, &order).await.expect(200);
    });
}

#[test]
fn customers_list_their_own_orders_newest_first() {
    run(async {
        let shop = shared().await;
        let (customer, first, product) = confirmed(shop).await;
        let second = shop.order(&customer, &product, "tok_ok").await;
        shop.until_status(&customer, &second, "confirmed").await;
        let list = async |query: &str| -> Vec<String> {
            let call = shop.get(&format!("/orders{query}")).bearer(&customer.token);
            let page = call.send().await.expect(200).json();
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|order| order["id"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(list("").await, [second.clone(), first.clone()]);
        assert_eq!(list("?limit=1").await, [second.as_str()]);
        shop.cancel(&customer, &first).await.expect(200);
        assert_eq!(list("?status=cancelled").await, [first]);
        assert_eq!(list("?status=confirmed").await, [second]);
        assert_eq!(list("?status=shipped").await, Vec::<String>::new());
    });
}

#[test]
fn admins_list_the_orders_of_all_customers_by_status() {
    run(async {
        let shop = shared().await;
        let (_, order, _) = confirmed(shop).await;
        let admin = shop.admin().await;
        let call = shop
            .get("/orders?status=confirmed&limit=100")
            .bearer(&admin.token);
        let page = call.send().await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|order| order["status"] == "confirmed"));
        assert!(items.iter().any(|listed| listed["id"] == order.as_str()));
    });
}

#[test]
fn the_history_of_an_order_is_its_events() {
    run(async {
        let shop = shared().await;
        let (customer, order, _) = confirmed(shop).await;
        shop.cancel(&customer, &order).await.expect(200);
        let events = ["OrderCreated", "OrderConfirmed", "OrderCancelled"];
        shop.until_history(&customer, &order, &events).await;
        let call = shop
            .get(&format!("/orders/{order}/history"))
            .bearer(&customer.token);
        check(
            &call.send().await,
            expect![[r#"
            200
            content-type: application/json
            {
              "items": [
                {
                  "aggregate_id": "<id-1>",
                  "data": {
                    "customer_id": "<id-2>",
                    "total_amount": {
                      "amount": "37.00",
                      "currency": "EUR"
                    }
                  },
                  "event_id": "<id-3>",
                  "event_type": "OrderCreated",
                  "timestamp": "<time>",
                  "version": 1
                },
                {
                  "aggregate_id": "<id-1>",
                  "data": {
                    "customer_id": "<id-2>",
                    "total_amount": {
                      "amount": "37.00",
                      "currency": "EUR"
                    }
                  },
                  "event_id": "<id-4>",
                  "event_type": "OrderConfirmed",
                  "timestamp": "<time>",
                  "version": 2
                },
                {
                  "aggregate_id": "<id-1>",
                  "data": {
                    "customer_id": "<id-2>",
                    "previous_status": "confirmed"
                  },
                  "event_id": "<id-5>",
                  "event_type": "OrderCancelled",
                  "timestamp": "<time>",
                  "version": 3
                }
              ]
            }
        "#]],
        );
    });
}

#[test]
fn cancelling_again_changes_nothing() {
    run_local(async {
        let shop = shared().await;
        let (customer, order, product) = confirmed(shop).await;
        shop.cancel(&customer, &order).await.expect(200);
        shop.until_settled(&order).await;
        let before = shop.books_of(&order).await;
        let again = shop.cancel(&customer, &order).await.expect(200);
        assert_eq!(again.json()["status"], "cancelled");
        let after = shop.books_of(&order).await;
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        assert_eq!(shop.stock(&product).await, (10, 0, 10));
    });
}

#[test]
fn a_failed_order_cannot_be_cancelled() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("18.50", 10).await;
        let order = shop.order(&customer, &product, "tok_declined").await;
        shop.until_status(&customer, &order, "failed").await;
        check(
            &shop.cancel(&customer, &order).await,
            expect![[r#"
                409
                content-type: application/problem+json
                {
                  "detail": "A failed order cannot be cancelled.",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 409,
                  "title": "Conflict",
                  "type": "urn:oxcart:problem:conflict"
                }
            "#]],
        );
    });
}

#[test]
fn an_order_has_a_number_for_people_and_keeps_what_its_customer_tells() {
    run_local(async {
        let shop = shared().await;
        let product = shop.product("20.00", 5).await;
        let customer = shop.customer().await;
        let mut order = order_of(&[(&product, 1)], "tok_ok");
        order["billing_address"] = json!({
            "recipient": "経理部", "company": "茶の会 株式会社", "line1": "丸の内1-9-1", "city": "千代田区",
            "region": "東京都", "postal_code": "100-0005", "country": "JP",
        });
        order["note"] = json!("Bitte klingeln, nicht klopfen 🙂\nDanke");
        order["metadata"] = json!({"campaign": "spring", "مصدر": "بريد"});
        let placed = shop.place(&customer, &order).await.expect(202).json();
        assert_eq!(placed["note"], order["note"]);
        assert_eq!(placed["metadata"], order["metadata"]);
        assert_eq!(placed["billing_address"]["company"], "茶の会 株式会社");
        let number = placed["number"].as_str().unwrap();
        let digits = number.replace('-', "");
        for (person, text, found) in [
            (&customer, number, 1),
            (shop.admin().await, digits.as_str(), 1),
            (&shop.customer().await, number, 0),
        ] {
            let page = shop.get(&format!("/orders?number={text}"));
            let page = page.bearer(&person.token).send().await.expect(200).json();
            let items = page["items"].as_array().unwrap();
            assert_eq!(items.len(), found);
            assert!(items.iter().all(|item| item["id"] == placed["id"]));
        }
        let wrong = shop.get("/orders?number=12").bearer(&customer.token);
        wrong.send().await.expect(400);
    });
}

#[test]
fn the_address_of_an_order_is_corrected_until_it_is_shipped() {
    run_local(async {
        let shop = shared().await;
        let (customer, id, _) = confirmed(shop).await;
        let read = shop.read(&customer, &id).await;
        let mut address = read["shipping_address"].clone();
        address["line1"] = json!("Neue Straße 7");
        let path = format!("/orders/{id}/shipping-address");
        let put = |token: &str, tag: &str, address: &Value| {
            let call = shop.put(&path).bearer(token).header("if-match", tag);
            call.json(address)
        };
        let other = shop.customer().await;
        let refused = put(&other.token, "*", &address).send().await;
        refused.expect(404);
        let stale = put(&customer.token, "\"1-pending\"", &address).send().await;
        stale.expect(412);
        let without = shop.put(&path).bearer(&customer.token).json(&address);
        without.send().await.expect(428);
        let mut elsewhere = address.clone();
        elsewhere["country"] = json!("CH");
        elsewhere["postal_code"] = json!("8001");
        let elsewhere = put(&customer.token, "*", &elsewhere).send().await;
        let elsewhere = elsewhere.expect(422).json();
        assert_eq!(elsewhere["errors"][0]["pointer"], "/country");
        let corrected = put(&customer.token, "*", &address).send().await;
        let corrected = corrected.expect(200);
        assert_eq!(corrected.json()["shipping_address"], address);
        let again = put(&customer.token, "\"1-pending\"", &address).send().await;
        assert_eq!(again.expect(200).json(), corrected.json());
        shop.until_history(
            &customer,
            &id,
            &["OrderCreated", "OrderConfirmed", "OrderAddressCorrected"],
        )
        .await;
        let cancel = shop.post(&format!("/orders/{id}/cancel"));
        cancel.bearer(&customer.token).send().await.expect(200);
        let late = put(&customer.token, "*", &read["shipping_address"]);
        late.send().await.expect(409);
    });
}
