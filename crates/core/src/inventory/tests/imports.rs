//! Imports of stock.

use super::*;
use crate::catalog::imports::model::Content;
use crate::catalog::imports::piece::{Came, Importer as _};
use crate::catalog::imports::tests::Shop as Catalog;
use crate::inventory::imports::StockImporter;

#[tokio::test]
async fn stock_is_set_by_sku_and_never_below_what_is_reserved() {
    let catalog = Catalog::new();
    let inventory = InventoryStore::new(&catalog.aws).unwrap();
    let id = "0190a6d4-1111-7000-8000-000000000001";
    let price = json!({"amount": "5.00", "currency": "EUR"});
    let products = [
        json!({"sku": "A", "name": "A", "category": "tea", "price": price}),
        json!({"id": id, "name": "B", "category": "tea", "price": price}),
        json!({
            "name": "C", "category": "tea", "options": [{"name": "size", "values": ["1", "2"]}],
            "variants": [
                {"sku": "C1", "options": {"size": "1"}, "price": price},
                {"sku": "C2", "options": {"size": "2"}, "price": price},
            ],
        }),
    ];
    let file: String = products.iter().map(|row| format!("{row}\n")).collect();
    let made = catalog.import(1, Content::Products, &file).await;
    assert_eq!(made.counts.changed, 3, "{:?}", made.faults);
    let import = async |number, dry_run, rows: &[Value]| {
        let importer = StockImporter {
            products: &catalog.products,
            inventory: &inventory,
            dry_run,
            now: minute(number),
        };
        let rows: Vec<_> = rows
            .iter()
            .map(|row| row.as_object().unwrap().clone())
            .collect();
        importer.import(&rows).await.unwrap()
    };
    let rows = [
        json!({"sku": "C2", "on_hand": 7, "backorder": 2}),
        json!({"sku": id, "on_hand": 3}),
        json!({"sku": "C1", "on_hand": 0}),
    ];
    for (dry_run, wanted) in [
        (true, Came::Changed),
        (false, Came::Changed),
        (false, Came::Same),
        (true, Came::Same),
    ] {
        assert_eq!(import(2, dry_run, &rows).await, vec![wanted; 3]);
    }
    let id = id.parse().unwrap();
    let stocks = inventory.stocks(id).await.unwrap();
    assert_eq!(stocks[0].available, 3);
    let held = ReservationStatus::Held;
    let reservation = rules::first_reservation(order_id(1), held, [(id, 2)], minute(2));
    inventory.hold(&reservation).await.unwrap();
    let rows = [
        json!({"sku": id.to_string(), "on_hand": 1}),
        json!({"sku": "X", "on_hand": 1}),
        json!({"sku": "A"}),
        json!({"sku": "C1", "on_hand": -1}),
    ];
    let codes = import(3, false, &rows)
        .await
        .into_iter()
        .map(|came| match came {
            Came::Faults(faults) => format!("{} {}", faults[0].pointer, faults[0].code),
            Came::Changed | Came::Same => "none".to_owned(),
        });
    assert_eq!(
        codes.collect::<Vec<String>>(),
        [
            "/on_hand below_reserved",
            "/sku unknown_sku",
            "/on_hand required",
            "/on_hand range"
        ]
    );
}
