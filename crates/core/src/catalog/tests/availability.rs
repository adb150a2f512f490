//! What shoppers see of a product's stock.

use serde_json::{Value, json};

use super::{Shop, header, json_of, minute, shop, status_of, tea, to};
use crate::aws::dynamo::{Key, Written};
use crate::catalog::availability::{Display, show_availability};
use crate::inventory::rules::{Level, first_stock};
use crate::stock::item::StockItem;
use crate::stock::model::Stock;
use crate::testing::Fault;
use crate::values::stream::StreamBatch;

const FIVE: Display = Display {
    low_level: 5,
    quantity: false,
};

const FIVE_WITH_QUANTITY: Display = Display {
    low_level: 5,
    quantity: true,
};

/// Returns the stock of the product `id`: so many on hand, on backorder, and reserved.
fn stock(id: &Value, (on_hand, backorder, reserved): (u64, u64, u64)) -> Stock {
    let level = Level {
        on_hand,
        backorder: Some(backorder),
    };
    let mut stock = first_stock(id.as_str().unwrap().parse().unwrap(), level, minute(0));
    stock.available -= reserved;
    stock.reserved = reserved;
    stock
}

/// Returns the record number `number` of the change of stock from `before` to `after`.
fn record(number: usize, before: Option<&Stock>, after: &Stock) -> Value {
    let image = |stock: &Stock| -> serde_dynamo::Item {
        serde_dynamo::to_item(StockItem::new(stock)).unwrap()
    };
    let mut change = json!({
        "SequenceNumber": number.to_string(),
        "Keys": {"pk": {"S": format!("stock#{}", after.variant_id)}, "sk": {"S": "main#0"}},
        "NewImage": image(after),
    });
    if let Some(before) = before {
        change["OldImage"] = json!(image(before));
    }
    json!({"eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/T/stream/1", "dynamodb": change})
}

impl Shop {
    /// Makes the product `id` one that an earlier release wrote.
    async fn forget_stock(&self, id: &Value) {
        let key = Key::new("product_id", id.as_str().unwrap());
        let write = self.table.update(key, "REMOVE stock");
        assert_eq!(self.table.write(write).await.unwrap(), Written::Done);
    }

    async fn show(&self, display: Display, records: &[Value]) -> Value {
        let batch: StreamBatch = serde_json::from_value(json!({"Records": records})).unwrap();
        let response = show_availability(&self.products, display, batch).await;
        serde_json::to_value(response.unwrap()).unwrap()
    }

    /// Returns the availability of the product `id` with its quantity, and its entity tag.
    async fn shown(&self, id: &Value) -> (String, String) {
        let product = self.get(id).await.unwrap();
        let body = json_of(&product);
        let availability = body["availability"].as_str().unwrap();
        let tag = header(&product, "ETag").unwrap().to_owned();
        (
            format!("{availability} {}", body["available_quantity"]),
            tag,
        )
    }
}

fn all_done() -> Value {
    json!({"batchItemFailures": []})
}

#[tokio::test]
async fn a_product_shows_what_its_stock_is() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let cases = [
        ((6, 0, 0), FIVE, "in_stock null", "1"),
        ((6, 0, 1), FIVE, "low null", "1-low"),
        ((6, 0, 1), FIVE_WITH_QUANTITY, "low 5", "1-low-5"),
        ((6, 9, 4), FIVE_WITH_QUANTITY, "low 2", "1-low-2"),
        (
            (6, 9, 6),
            FIVE_WITH_QUANTITY,
            "backorder null",
            "1-backorder",
        ),
        ((6, 9, 14), FIVE, "backorder null", "1-backorder"),
        ((6, 9, 15), FIVE, "out_of_stock null", "1-out_of_stock"),
        ((0, 0, 0), FIVE, "out_of_stock null", "1-out_of_stock"),
        ((20, 9, 14), FIVE, "in_stock null", "1"),
    ];
    let mut before = stock(&id, (0, 0, 0));
    for (amounts, display, shown, tag) in cases {
        let after = stock(&id, amounts);
        let records = [record(1, Some(&before), &after)];
        assert_eq!(shop.show(display, &records).await, all_done());
        let expected = (shown.to_owned(), format!("\"{tag}\""));
        assert_eq!(shop.shown(&id).await, expected, "{amounts:?}");
        before = after;
    }
    let product = json_of(&shop.get(&id).await.unwrap());
    assert_eq!(
        (&product["version"], &product["updated_at"]),
        (&json!(1), &json!(minute(0)))
    );
}

#[tokio::test]
async fn a_product_with_variants_shows_the_stock_of_each() {
    let shop = shop();
    let shirt = shop.made(0, super::variants::shirt()).await;
    let [first, second] = [0, 1].map(|at| shirt["variants"][at]["id"].clone());
    let seen = async || {
        let product = json_of(&shop.get(&shirt["id"]).await.unwrap());
        let variants = product["variants"].as_array().unwrap().iter();
        let shown = variants.map(|variant| {
            let availability = variant["availability"].as_str().unwrap();
            format!("{availability} {}", variant["available_quantity"])
        });
        let shown: Vec<String> = shown.collect();
        let availability = product["availability"].as_str().unwrap().to_owned();
        (availability, shown.join(", "))
    };
    let set = async |id: &Value, on_hand| {
        let records = [record(1, None, &stock(id, (on_hand, 0, 0)))];
        let shown = shop.show(FIVE_WITH_QUANTITY, &records).await;
        assert_eq!(shown, all_done());
    };
    let expected = |product: &str, variants: &str| (product.to_owned(), variants.to_owned());
    let mut tags = vec![shop.shown(&shirt["id"]).await.1];
    set(&second, 3).await;
    assert_eq!(seen().await, expected("low", "out_of_stock null, low 3"));
    tags.push(shop.shown(&shirt["id"]).await.1);
    set(&second, 2).await;
    tags.push(shop.shown(&shirt["id"]).await.1);
    set(&first, 10).await;
    assert_eq!(seen().await, expected("in_stock", "in_stock null, low 2"));
    tags.push(shop.shown(&shirt["id"]).await.1);
    set(&second, 10).await;
    tags.push(shop.shown(&shirt["id"]).await.1);
    let different: std::collections::BTreeSet<&String> = tags.iter().collect();
    assert_eq!(different.len(), tags.len(), "{tags:?}");
    // The product is still at its first version, and can be changed by who has read any of these.
    let patch = to(&shirt["id"], json!({"name": "Shirt"})).with("if-match", &tags[1]);
    assert_eq!(status_of(shop.update(patch).await), 200);
    assert_eq!(
        seen().await,
        expected("in_stock", "in_stock null, in_stock null")
    );
}

#[tokio::test]
async fn orders_that_take_from_plenty_cost_nothing() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let [plenty, fewer, few] = [(90, 0, 0), (90, 0, 3), (90, 0, 88)].map(|of| stock(&id, of));
    shop.show(FIVE, &[record(1, None, &plenty)]).await;
    shop.engine.forget_calls();
    shop.show(FIVE, &[record(2, Some(&plenty), &fewer)]).await;
    assert_eq!(shop.engine.calls().len(), 0);
    // Few in the middle of a batch are as many as before at its end.
    let dip = [
        record(3, Some(&fewer), &few),
        record(4, Some(&few), &plenty),
    ];
    shop.show(FIVE, &dip).await;
    assert_eq!(shop.engine.calls().len(), 0);
    // Few at the beginning are not.
    shop.show(FIVE, &[record(5, Some(&plenty), &few)]).await;
    let rise = [
        record(6, Some(&few), &fewer),
        record(7, Some(&fewer), &plenty),
    ];
    shop.show(FIVE, &rise).await;
    assert_eq!(shop.shown(&id).await.0, "in_stock null");
}

#[tokio::test]
async fn what_is_not_stock_or_not_known_is_passed_over() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let mut elsewhere = stock(&id, (9, 0, 0));
    elsewhere.place.location = "north".to_owned();
    let unknown = stock(&json!("00000000-0000-4000-8000-000000000000"), (9, 0, 0));
    let mut removed = record(3, Some(&elsewhere), &elsewhere);
    removed["dynamodb"]["NewImage"] = Value::Null;
    let mut nonsense = record(4, None, &unknown);
    nonsense["dynamodb"]["NewImage"] = json!({"pk": {"S": "stock#x"}});
    let records = [
        record(1, None, &elsewhere),
        record(2, None, &unknown),
        removed,
        nonsense,
    ];
    let stored = shop.stored();
    assert_eq!(shop.show(FIVE, &records).await, all_done());
    assert_eq!(shop.stored(), stored);
}

#[tokio::test]
async fn a_batch_goes_on_where_it_failed() {
    let shop = shop();
    let first = shop.made(0, tea()).await["id"].clone();
    let second = shop.made(1, tea()).await["id"].clone();
    let records = [
        record(1, None, &stock(&first, (9, 0, 0))),
        record(2, None, &stock(&second, (9, 0, 0))),
    ];
    shop.engine.fail_next("UpdateItem", Fault::None);
    for _ in 0..3 {
        shop.engine.fail_next("UpdateItem", Fault::Failed);
    }
    let response = shop.show(FIVE, &records).await;
    assert_eq!(
        response,
        json!({"batchItemFailures": [{"itemIdentifier": "2"}]})
    );
    assert_eq!(shop.shown(&first).await.0, "in_stock null");
    assert_eq!(shop.shown(&second).await.0, "out_of_stock null");
    shop.engine.clear_faults();
    assert_eq!(shop.show(FIVE, &records[1..]).await, all_done());
    assert_eq!(shop.shown(&second).await.0, "in_stock null");
}

#[tokio::test]
async fn a_change_of_the_product_and_one_of_its_stock_do_not_undo_each_other() {
    for tag in ["\"1\"", "\"1-out_of_stock\"", "*"] {
        let shop = shop();
        let id = shop.made(0, tea()).await["id"].clone();
        let (other, same) = (shop.clone(), id.clone());
        shop.engine.before_next("PutItem", async move || {
            let few = stock(&same, (3, 0, 0));
            other.show(FIVE, &[record(1, None, &few)]).await;
        });
        let request = to(&id, json!({"name": "Matcha"})).with("if-match", tag);
        assert_eq!(status_of(shop.update(request).await), 200, "{tag}");
        let product = json_of(&shop.get(&id).await.unwrap());
        let seen = (
            &product["name"],
            &product["availability"],
            &product["version"],
        );
        assert_eq!(seen, (&json!("Matcha"), &json!("low"), &json!(2)), "{tag}");
    }
}

#[tokio::test]
async fn a_change_of_a_product_and_one_of_the_stock_of_its_variant_do_not_undo_each_other() {
    // The stock changes between the read and the write of the product, and the other way round.
    for operation in ["PutItem", "UpdateItem"] {
        let shop = shop();
        let shirt = shop.made(0, super::variants::shirt()).await;
        let (id, variant) = (shirt["id"].clone(), shirt["variants"][1]["id"].clone());
        let rename = |id: &Value| to(id, json!({"name": "Shirt"})).with("if-match", "*");
        let (other, same) = (shop.clone(), id.clone());
        let few = [record(1, None, &stock(&variant, (3, 0, 0)))];
        let by_other = few.clone();
        shop.engine.before_next(operation, async move || {
            if operation == "PutItem" {
                assert_eq!(other.show(FIVE, &by_other).await, all_done());
            } else {
                assert_eq!(status_of(other.update(rename(&same)).await), 200);
            }
        });
        if operation == "PutItem" {
            assert_eq!(status_of(shop.update(rename(&id)).await), 200);
        } else {
            assert_eq!(shop.show(FIVE, &few).await, all_done());
        }
        let product = json_of(&shop.get(&id).await.unwrap());
        let shown = &product["variants"][1]["availability"];
        let seen = (&product["name"], shown, &product["version"]);
        assert_eq!(
            seen,
            (&json!("Shirt"), &json!("low"), &json!(2)),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn the_stock_of_a_variant_that_is_removed_meanwhile_is_not_shown() {
    let shop = shop();
    let shirt = shop.made(0, super::variants::shirt()).await;
    let ids = [0, 1].map(|at| shirt["variants"][at]["id"].clone());
    let (other, id, kept) = (shop.clone(), shirt["id"].clone(), ids[0].clone());
    shop.engine.before_next("UpdateItem", async move || {
        let only = json!({"variants": [{"id": kept}]});
        let request = to(&id, only).with("if-match", "*");
        assert_eq!(status_of(other.update(request).await), 200);
    });
    let few = [record(1, None, &stock(&ids[1], (3, 0, 0)))];
    assert_eq!(shop.show(FIVE, &few).await, all_done());
    // The product can still be changed, because what is shown of its stock is that of its variants alone.
    let request = to(&shirt["id"], json!({"name": "Shirt"})).with("if-match", "*");
    assert_eq!(status_of(shop.update(request).await), 200);
}

#[tokio::test]
async fn a_change_whose_response_was_lost_is_known_although_the_stock_has_changed() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let (other, same) = (shop.clone(), id.clone());
    shop.engine.fail_next("PutItem", Fault::LostAnswer);
    shop.engine.before_next("GetItem", async || {});
    shop.engine.before_next("GetItem", async move || {
        let few = stock(&same, (3, 0, 0));
        other.show(FIVE, &[record(1, None, &few)]).await;
    });
    let request = to(&id, json!({"name": "Matcha"})).with("if-match", "\"1\"");
    let updated = json_of(&shop.update(request).await.unwrap());
    let seen = (&updated["availability"], &updated["version"]);
    assert_eq!(seen, (&json!("low"), &json!(2)));
}

#[tokio::test]
async fn a_product_of_an_earlier_release_is_in_stock_until_its_stock_changes() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    shop.forget_stock(&id).await;
    assert_eq!(
        shop.shown(&id).await,
        ("in_stock null".to_owned(), "\"1\"".to_owned())
    );
    let request = to(&id, json!({"name": "Matcha"})).with("if-match", "\"1\"");
    assert_eq!(status_of(shop.update(request).await), 200);
    let few = stock(&id, (3, 0, 0));
    shop.show(FIVE, &[record(1, None, &few)]).await;
    assert_eq!(shop.shown(&id).await.0, "low null");
}

#[tokio::test]
async fn what_the_admin_calls_out_of_stock_is_out_of_stock() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    shop.show(FIVE, &[record(1, None, &stock(&id, (3, 0, 0)))])
        .await;
    let request = to(&id, json!({"status": "out_of_stock"})).with("if-match", "*");
    let updated = json_of(&shop.update(request).await.unwrap());
    assert_eq!(updated["availability"], "out_of_stock");
}
