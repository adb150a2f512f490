//! What is exported is imported as it was.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::model::{Export, Status, Upload};
use super::run::Exporter;
use super::store::ExportStore;
use crate::aws::bucket::Bucket;
use crate::catalog::imports::model::{Content, Format};
use crate::catalog::imports::tests::Shop;
use crate::catalog::rules;
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ExportId};

fn minute(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 60_000)
}

/// Returns the whole file of an export of `shop`, in parts of at least `least` bytes.
async fn file(shop: &Shop, content: Content, format: Format, least: usize) -> String {
    let exporter = Exporter {
        exports: ExportStore::new(&shop.aws).unwrap(),
        products: shop.products.clone(),
        bucket: Bucket::new(&shop.aws).unwrap(),
    };
    let mut export = Export {
        id: ExportId::derived(&["export"]),
        created_by: CustomerId::derived(&["admin"]),
        content,
        format,
        status: Status::Running,
        upload: Upload::default(),
        rows: 0,
        bytes: 0,
        created_at: minute(0),
        updated_at: minute(0),
        request_hash: None,
        revision: 1,
    };
    let mut file = Vec::new();
    loop {
        let (part, rows, next) = exporter.part(&export, minute(5), least).await.unwrap();
        let part = super::rules::Part {
            etag: "\"tag\"".to_owned(),
            rows,
            bytes: u64::try_from(part.len()).unwrap(),
            next: {
                file.extend(part);
                next
            },
        };
        export = super::rules::advanced(&export, part, minute(5));
        if export.upload.is_whole {
            return String::from_utf8(file).unwrap();
        }
    }
}

fn sorted(file: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = file.lines().collect();
    lines.sort_unstable();
    lines
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        Just("'=1+1".to_owned()),
        Just("=HYPERLINK(\"x\")".to_owned()),
        Just("a|b".to_owned()),
        Just("[1]".to_owned()),
        Just("-5; \"quoted\", 煎茶".to_owned()),
        Just("'s Graveland".to_owned()),
    ]
}

fn price() -> impl Strategy<Value = Value> {
    (1_u32..100_000).prop_map(
        |cents| json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "EUR"}),
    )
}

/// A variant's fields, without those that must differ in the shop.
fn variant() -> impl Strategy<Value = Value> {
    let sale = proptest::option::of(Just(()));
    (
        price(),
        sale,
        proptest::option::of(1_u32..5_000),
        any::<bool>(),
    )
        .prop_map(|(price, sale, weight, gtin)| {
            let sale = sale.map(|()| {
                json!({
                    "price": {"amount": "0.01", "currency": "EUR"},
                    "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-02-01T00:00:00Z",
                })
            });
            let sale = sale.filter(|_| price["amount"] != "0.01");
            json!({
                "price": price, "sale": sale, "weight_grams": weight,
                "gtin": gtin.then_some("4006381333931"),
            })
        })
}

fn product() -> impl Strategy<Value = Value> {
    let own = (
        text(),
        text(),
        proptest::collection::btree_set(text(), 0..4),
        any::<bool>(),
    );
    let content = (
        proptest::option::of(text()),
        proptest::option::of(text()),
        any::<bool>(),
        any::<bool>(),
    );
    let variants = proptest::collection::vec((variant(), any::<bool>()), 1..4);
    (own, content, variants, text(), any::<bool>()).prop_map(|(own, content, variants, value, listed)| {
        let (name, description, tags, shipped) = own;
        let (brand, title, pictured, translated) = content;
        let mut body = json!({
            "name": name, "description": format!("{description}\n{name}"), "category": "tea", "tags": tags,
            "shipped": shipped, "brand": brand, "seo": {"title": title, "description": null},
            "status": if shipped { "active" } else { "inactive" },
            "attributes": {"a": value, "": "never"},
        });
        body["attributes"].as_object_mut().unwrap().remove("");
        if pictured {
            body["images"] = json!([{"url": "https://example.com/a|b.jpg", "alt": name}]);
        }
        if translated {
            body["translations"] = json!({"de-at": {"name": name, "seo": {"title": "T"}}});
        }
        if variants.len() == 1 && !listed {
            let (variant, _) = &variants[0];
            body.as_object_mut().unwrap().extend(variant.as_object().unwrap().clone());
            return body;
        }
        let values: Vec<String> = (0..variants.len()).map(|number| format!("{value}{number}")).collect();
        let all: Vec<Value> = variants
            .into_iter()
            .zip(&values)
            .map(|((mut variant, _), value)| {
                variant["options"] = json!({"=size": value});
                variant
            })
            .collect();
        // In another order than the variants, and with one that none of them has.
            let offered = std::iter::once("unused").chain(values.iter().rev().map(String::as_str));
            let offered: Vec<&str> = offered.collect();
            body["options"] = json!([{"name": "=size", "values": offered}]);
        body["variants"] = json!(all);
        body
    })
}

/// Gives each product, or each of its variants, what no two may have in common.
fn numbered(products: Vec<Value>) -> String {
    let mut lines = String::new();
    for (number, mut product) in products.into_iter().enumerate() {
        product["id"] = json!(format!("0190a6d4-1111-7000-8000-{number:012}"));
        product["slug"] = json!(format!("slug-{number}"));
        if number % 2 == 0 {
            match product["variants"].as_array_mut() {
                None => product["sku"] = json!(format!("={number}")),
                Some(variants) => {
                    for (place, variant) in variants.iter_mut().enumerate() {
                        variant["sku"] = json!(format!("SKU {number}/{place}"));
                    }
                }
            }
        }
        lines.push_str(&product.to_string());
        lines.push('\n');
    }
    lines
}

#[tokio::test]
async fn a_shop_of_more_products_than_are_read_at_once_is_exported_whole() {
    let shop = Shop::new();
    let price = json!({"amount": "5.00", "currency": "EUR"});
    let row = |number: u32| {
        let sku = format!("SKU-{number}");
        json!({"sku": sku, "name": "Tea", "category": "tea", "price": price}).to_string() + "\n"
    };
    let rows: String = (0..600).map(row).collect();
    let import = shop.import(1, Content::Products, &rows).await;
    assert_eq!(import.counts.changed, 600);
    for least in [1, 1_000_000] {
        let file = file(&shop, Content::Prices, Format::Csv, least).await;
        assert_eq!(file.lines().count(), 601);
        let skus = (0..600).filter(|number| file.contains(&format!("\nSKU-{number},")));
        assert_eq!(skus.count(), 600);
    }
}

#[tokio::test]
async fn a_discontinued_product_is_not_exported() {
    let shop = Shop::new();
    let ids = [
        "0190a6d4-1111-7000-8000-000000000001",
        "0190a6d4-1111-7000-8000-000000000002",
    ];
    let row = |id: &str| {
        let price = json!({"amount": "5.00", "currency": "EUR"});
        json!({"id": id, "name": "Tea", "category": "tea", "price": price})
    };
    let rows = ids.map(|id| format!("{}\n", row(id))).concat();
    shop.import(1, Content::Products, &rows).await;
    let product = shop
        .products
        .get(ids[0].parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let gone = rules::discontinue(&product, &IfMatch::Any, minute(2))
        .unwrap()
        .unwrap();
    shop.products.replace(&product, gone).await.unwrap();
    for format in [Format::Ndjson, Format::Csv] {
        let file = file(&shop, Content::Products, format, 1).await;
        assert_eq!(ids.map(|id| file.contains(id)), [false, true], "{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// What is exported makes the same shop of an empty one, and changes nothing where it comes from.
    #[test]
    fn a_round_trip_is_lossless(
        products in proptest::collection::vec(product(), 1..6),
        is_csv: bool,
        least in prop_oneof![Just(1_usize), Just(1_000_000)],
    ) {
        let format = if is_csv { Format::Csv } else { Format::Ndjson };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let first = Shop::new();
            let count = u64::try_from(products.len()).unwrap();
            let import = first.import(1, Content::Products, &numbered(products)).await;
            prop_assert_eq!(import.counts.changed, count, "{:?}", import.faults);
            let exported = file(&first, Content::Products, format, least).await;
            let again = first.import(6, Content::Products, &exported).await;
            prop_assert_eq!((again.counts.imported, again.counts.changed), (count, 0), "{:?}\n{}", again.faults, exported);
            let second = Shop::new();
            let import = second.import(6, Content::Products, &exported).await;
            prop_assert_eq!(import.counts.changed, count, "{:?}\n{}", import.faults, exported);
            let other = file(&second, Content::Products, format, least).await;
            prop_assert_eq!(sorted(&exported), sorted(&other));
            let prices = file(&first, Content::Prices, format, least).await;
            let import = first.import(7, Content::Prices, &prices).await;
            prop_assert_eq!((import.counts.changed, import.counts.failed), (0, 0), "{:?}\n{}", import.faults, prices);
            Ok(())
        })?;
    }
}
