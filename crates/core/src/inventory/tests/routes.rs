//! Tests of `/inventory/{variant_id}`.

use expect_test::expect;
use serde_json::json;

use super::{Shop, etag, json_of, minute, product, shop, to};
use crate::aws::dynamo::Written;
use crate::aws::settings::Setting;
use crate::http::exchange::IfMatch;
use crate::http::problem::Problem;
use crate::inventory::rules::Adjustment;
use crate::inventory::{api, rules};
use crate::orders::model::Status;
use crate::testing::Fault;

#[tokio::test]
async fn stock_has_counts_on_hand_available_and_reserved() {
    let shop = shop();
    assert!(matches!(shop.get("tea").await, Err(Problem::NotFound(_))));
    assert_eq!(shop.put("tea", 10, "*").await.0, 200);
    shop.placed(1, &[("tea", 3)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    let stock = shop.get("tea").await.unwrap();
    assert_eq!(etag(&stock), "\"1-3\"");
    let mut body = json_of(&stock);
    assert_eq!(body["variant_id"], json!(product("tea")));
    body["variant_id"] = json!("-");
    body["product_id"] = json!("-");
    expect![[r#"{"available":7,"backorder":0,"locations":[{"available":7,"backorder":0,"location":"main","on_hand":10,"reserved":3}],"on_hand":10,"product_id":"-","reserved":3,"variant_id":"-"}"#]]
        .assert_eq(&body.to_string());
}

#[tokio::test]
async fn shards_are_added_up() {
    let shop = shop();
    let first = rules::first_stock(product("tea"), 4.into(), minute(0));
    for (location, shard) in [("main", 0), ("main", 1), ("north", 0)] {
        let mut stock = first.clone();
        stock.place.location = location.to_owned();
        stock.place.shard = shard;
        shop.inventory.create_stock(&stock).await.unwrap();
    }
    let body = json_of(&shop.get("tea").await.unwrap());
    assert_eq!(
        (&body["on_hand"], &body["available"]),
        (&json!(12), &json!(12))
    );
    let locations = body["locations"].as_array().unwrap();
    let on_hand: Vec<(&str, u64)> = locations
        .iter()
        .map(|at| {
            (
                at["location"].as_str().unwrap(),
                at["on_hand"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(on_hand, [("main", 8), ("north", 4)]);
}

#[tokio::test]
async fn stock_is_set_with_its_current_tag_or_a_star() {
    let shop = shop();
    let without = to("tea", &json!({"on_hand": 1}));
    let response = api::set_stock(&shop.inventory, without).await;
    assert!(matches!(response, Err(Problem::PreconditionRequired)));
    let cases = [
        ("\"0-0\"", 412),
        ("*", 200),
        ("\"1-0\"", 200),
        ("\"1-0\"", 412),
        ("*", 200),
    ];
    for (number, (tag, status)) in cases.into_iter().enumerate() {
        let response = shop.put("tea", number as u64, tag).await;
        assert_eq!(response.0, status, "{number} {tag}: {}", response.1);
    }
    // A reservation changes the tag.
    shop.placed(1, &[("tea", 1)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    assert_eq!(shop.put("tea", 9, "\"3-0\"").await.0, 412);
    assert_eq!(shop.put("tea", 9, "\"3-1\"").await.0, 200);
    assert_eq!(shop.counts("tea").await, (8, 1));
}

#[tokio::test]
async fn less_than_is_reserved_cannot_be_on_hand() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    shop.placed(1, &[("tea", 4)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    let (status, detail) = shop.put("tea", 3, "*").await;
    assert_eq!(status, 409);
    assert_eq!(
        detail,
        "4 are reserved for orders. Set on_hand to 4 or more."
    );
    assert_eq!(shop.counts("tea").await, (6, 4));
    assert_eq!(shop.put("tea", 4, "*").await.0, 200);
    assert_eq!(shop.counts("tea").await, (0, 4));
}

#[tokio::test]
async fn a_write_based_on_an_old_state_is_refused() {
    let shop = shop();
    shop.stocked("tea", 10).await;
    let read = shop.inventory.stocks(product("tea")).await.unwrap();
    let set = |on_hand: u64| match rules::set_level(
        product("tea"),
        &read,
        on_hand.into(),
        &IfMatch::Any,
        minute(1),
    ) {
        Ok(Adjustment::Update(stock)) => stock,
        other => panic!("{other:?}"),
    };
    shop.placed(1, &[("tea", 4)]).await;
    assert_eq!(shop.reserve(1).await, "done");
    for (on_hand, exactly) in [(3, None), (20, Some(0)), (20, Some(5))] {
        let written = shop
            .inventory
            .update_stock(&set(on_hand), exactly)
            .await
            .unwrap();
        assert_eq!(written, Written::Refused(vec![0]), "{on_hand}");
    }
    let written = shop.inventory.update_stock(&set(20), None).await.unwrap();
    assert_eq!(written, Written::Done);
    assert_eq!(shop.counts("tea").await, (16, 4));
    for exactly in [None, Some(4)] {
        let written = shop.inventory.update_stock(&set(30), exactly).await;
        assert_eq!(written.unwrap(), Written::Refused(vec![0]), "{exactly:?}");
    }
}

/// What happens between what a request reads and what it writes.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Reserved,
    Released,
    Set(u64),
}

#[tokio::test]
async fn a_tag_is_stale_after_what_happened_meanwhile_and_a_star_is_not() {
    for (meanwhile, counts, then) in [
        (Meanwhile::Reserved, (4, 6), (14, 6)),
        (Meanwhile::Released, (10, 0), (20, 0)),
        (Meanwhile::Set(30), (26, 4), (16, 4)),
        (Meanwhile::Set(20), (16, 4), (16, 4)),
    ] {
        for (tag, status, counts) in [("\"1-4\"", 412, counts), ("*", 200, then)] {
            let shop = shop();
            shop.stocked("tea", 10).await;
            shop.placed(1, &[("tea", 4)]).await;
            shop.placed(2, &[("tea", 2)]).await;
            assert_eq!(shop.reserve(1).await, "done");
            shop.set_status(1, Status::Cancelled).await;
            shop.meanwhile("UpdateItem", async move |other: Shop| match meanwhile {
                Meanwhile::Reserved => assert_eq!(other.reserve(2).await, "done"),
                Meanwhile::Released => assert_eq!(other.release(1).await, "done"),
                Meanwhile::Set(on_hand) => {
                    let mut request = to("tea", &json!({"on_hand": on_hand}));
                    request.now = minute(2);
                    let set = api::set_stock(&other.inventory, request.with("if-match", "*"));
                    set.await.unwrap();
                }
            });
            let ended = shop.put("tea", 20, tag).await.0;
            assert_eq!(ended, status, "{meanwhile:?} {tag}");
            assert_eq!(shop.counts("tea").await, counts, "{meanwhile:?} {tag}");
        }
    }
}

#[tokio::test]
async fn the_first_stock_is_not_overwritten_by_one_that_is_set_at_the_same_time() {
    let shop = shop();
    shop.placed(1, &[("tea", 4)]).await;
    shop.meanwhile("PutItem", async |other: Shop| {
        assert_eq!(other.put("tea", 10, "*").await.0, 200);
        assert_eq!(other.reserve(1).await, "done");
    });
    assert_eq!(shop.put("tea", 5, "*").await.0, 200);
    assert_eq!(shop.counts("tea").await, (1, 4));
}

#[tokio::test]
async fn stock_that_changed_meanwhile_is_stale_for_a_tag_and_set_for_a_star() {
    let shop = shop();
    shop.engine.fail_next("PutItem", Fault::Refused);
    assert_eq!(shop.put("tea", 5, "*").await.0, 200);
    for (tag, status) in [("\"1-0\"", 412), ("*", 200)] {
        shop.engine.fail_next("UpdateItem", Fault::Refused);
        assert_eq!(shop.put("tea", 6, tag).await.0, status, "{tag}");
    }
}

#[tokio::test]
async fn stock_is_set_although_the_response_was_lost() {
    let shop = shop();
    shop.engine.fail_next("PutItem", Fault::LostAnswer);
    let (status, body) = shop.put("tea", 5, "*").await;
    assert_eq!((status, &body["on_hand"]), (200, &json!(5)));
    shop.engine.fail_next("UpdateItem", Fault::LostAnswer);
    let (status, body) = shop.put("tea", 6, "\"1-0\"").await;
    assert_eq!((status, &body["on_hand"]), (200, &json!(6)), "{body}");
    shop.engine.fail_next("UpdateItem", Fault::LostAnswer);
    assert_eq!(shop.put("tea", 7, "*").await.0, 200);
    assert_eq!(etag(&shop.get("tea").await.unwrap()), "\"3-0\"");
}

#[tokio::test]
async fn setting_the_same_stock_again_makes_no_event() {
    let shop = shop();
    shop.stocked("tea", 5).await;
    let before = shop.engine.items(Setting::InventoryTable);
    assert_eq!(shop.put("tea", 5, "*").await.0, 200);
    assert_eq!(shop.engine.items(Setting::InventoryTable), before);
}

#[tokio::test]
async fn only_admins_set_stock_and_only_to_whole_numbers() {
    let shop = shop();
    let bodies = [
        json!({"on_hand": -1}),
        json!({"on_hand": 1.5}),
        json!({"on_hand": "1"}),
        json!({"on_hand": 1_000_000_001}),
        json!({}),
        json!({"on_hand": 1, "reserved": 0}),
    ];
    for body in bodies {
        let request = to("tea", &body).with("if-match", "*");
        let response = api::set_stock(&shop.inventory, request).await;
        assert!(matches!(response, Err(Problem::InvalidBody(_))), "{body}");
    }
    let request = || {
        let request = to("tea", &json!({"on_hand": 1}));
        request.with("if-match", "*").of_customer()
    };
    let set = api::set_stock(&shop.inventory, request()).await;
    assert!(matches!(set, Err(Problem::Forbidden)));
    let get = api::get_stock(&shop.inventory, request()).await;
    assert!(matches!(get, Err(Problem::Forbidden)));
    assert!(shop.engine.items(Setting::InventoryTable).is_empty());
}
