//! Imports, piece by piece, against an embedded DynamoDB.

mod files;
mod sheets;

use serde_json::{Value, json};

use super::context::Context;
use super::importer::ProductImporter;
use super::model::{Content, Counts, Format, Import, Status, Upload};
use super::piece::import_piece;
use super::rows::PIECE_BYTES;
use super::rules;
use super::run::Notice;
use crate::aws::Aws;
use crate::aws::settings::Setting;
use crate::catalog::store::ProductStore;
use crate::testing::{self, Engine};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ImportId};

pub(crate) struct Shop {
    pub(crate) aws: Aws,
    pub(crate) products: ProductStore,
    engine: Engine,
}

fn shop() -> Shop {
    Shop::new()
}

fn minute(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 60_000)
}

/// Returns an import whose file of `size` bytes is there.
fn running(content: Content, size: usize) -> Import {
    let upload = Upload {
        size: u64::try_from(size).unwrap(),
        etag: "\"tag\"".to_owned(),
    };
    Import {
        id: ImportId::derived(&["import"]),
        created_by: CustomerId::derived(&["admin"]),
        content,
        format: None,
        dry_run: false,
        status: Status::Running,
        upload: Some(upload),
        read_bytes: 0,
        read_lines: 0,
        header: None,
        counts: Counts::default(),
        faults: Vec::new(),
        failure: None,
        created_at: minute(0),
        updated_at: minute(0),
        request_hash: None,
        revision: 2,
    }
}

impl Shop {
    pub(crate) fn new() -> Self {
        let (aws, engine) = testing::aws();
        let products = ProductStore::new(&aws).unwrap();
        Self {
            aws,
            products,
            engine,
        }
    }

    /// Imports `file` at `minute(number)`, in pieces of `most` bytes, and returns the import at its end.
    async fn run(&self, number: i64, mut import: Import, file: &[u8], most: usize) -> Import {
        let size = u64::try_from(file.len()).unwrap();
        let currency = "EUR".parse().unwrap();
        let importer = ProductImporter {
            content: import.content,
            context: Context {
                products: &self.products,
                currency,
                dry_run: import.dry_run,
                now: minute(number),
            },
        };
        while !import.status.is_over() {
            let start = usize::try_from(import.read_bytes).unwrap();
            let end = file.len().min(start + most);
            let piece = import_piece(&importer, currency, &import, size, &file[start..end])
                .await
                .unwrap();
            assert!(
                piece.bytes > 0 || piece.failure.is_some(),
                "no progress at {start}"
            );
            import = rules::advanced(&import, piece, minute(number));
        }
        import
    }

    /// Imports `file` at `minute(number)` whole.
    pub(crate) async fn import(&self, number: i64, content: Content, file: &str) -> Import {
        let import = running(content, file.len());
        self.run(number, import, file.as_bytes(), PIECE_BYTES).await
    }

    /// Returns the items of products by name, without what differs between shops.
    fn stored(&self) -> Vec<Value> {
        let mut items = self.engine.items(Setting::ProductsTable);
        items.retain(|item| item["status"].is_string());
        items.sort_by_key(|item| item["name"].to_string());
        items
    }
}

/// Returns rows, imported, changed and failed.
fn counts(import: &Import) -> [u64; 4] {
    let Counts {
        rows,
        imported,
        changed,
        failed,
    } = import.counts;
    [rows, imported, changed, failed]
}

/// Returns the faults, each in a line.
fn faults(import: &Import) -> Vec<String> {
    let faults = import.faults.iter().map(|fault| {
        let column = fault.column.as_deref().unwrap_or("-");
        format!("{} {column} {} {}", fault.line, fault.pointer, fault.code)
    });
    faults.collect()
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn tea(sku: &str, amount: &str) -> Value {
    json!({
        "sku": sku,
        "name": format!("Tea {sku}"),
        "category": "tea",
        "price": {"amount": amount, "currency": "EUR"},
    })
}

fn shirt() -> Value {
    json!({
        "name": "Shirt",
        "category": "clothes",
        "options": [{"name": "size", "values": ["S", "M"]}],
        "variants": [
            {"sku": "S-S", "options": {"size": "S"}, "price": {"amount": "20.00", "currency": "EUR"}},
            {"sku": "S-M", "options": {"size": "M"}, "price": {"amount": "21.00", "currency": "EUR"}},
        ],
    })
}

#[tokio::test]
async fn a_row_creates_its_product_and_later_changes_it() {
    let shop = shop();
    let first = lines(&[tea("A", "5.00"), shirt(), tea("B", "6.00")]);
    let import = shop.import(1, Content::Products, &first).await;
    assert_eq!(
        (import.status, counts(&import)),
        (Status::Completed, [3, 3, 3, 0]),
        "{import:?}"
    );
    assert_eq!(import.format, Some(Format::Ndjson));
    let before = shop.stored();

    let import = shop.import(2, Content::Products, &first).await;
    assert_eq!(counts(&import), [3, 3, 0, 0], "{import:?}");
    assert_eq!(shop.stored(), before);

    // A field that is left out stays as it is. A variant is known by its SKU, or by its values.
    let second = [
        json!({"sku": "A", "brand": "Ippodo"}),
        json!({
            "variants": [
                {"sku": "S-M", "options": {"size": "M"}},
                {"options": {"size": "S"}, "price": {"amount": "19.00", "currency": "EUR"}},
            ],
        }),
        tea("B", "6.00"),
    ];
    let import = shop.import(3, Content::Products, &lines(&second)).await;
    assert_eq!((counts(&import), faults(&import)), ([3, 3, 2, 0], vec![]));
    let after = shop.stored();
    assert_eq!(after[1]["content"]["brand"], "Ippodo");
    assert_eq!(after[1]["price"]["amount"], "5.00");
    let ids = |item: &Value| {
        let variants = item["variants"].as_array().unwrap().iter();
        let mut ids: Vec<String> = variants.map(|variant| variant["id"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&after[0]), ids(&before[0]));
    assert_eq!(after[0]["price"]["amount"], "19.00");
}

#[tokio::test]
async fn a_row_at_fault_is_told_and_keeps_no_other_from_being_imported() {
    let shop = shop();
    let rows = [
        tea("A", "5.00").to_string(),
        "{\"sku\": \"B\"".to_owned(),
        "[]".to_owned(),
        String::new(),
        json!({"sku": "C", "category": "Tea!", "colour": "green", "price": {"amount": "0", "currency": "EUR"}}).to_string(),
        json!({"name": "No name for it", "category": "tea", "price": {"amount": "1.00", "currency": "EUR"}}).to_string(),
        json!({"sku": "D", "name": "Tea", "category": "tea", "options": [{"name": "size", "values": ["S"]}]}).to_string(),
        tea("E", "5.00").to_string(),
    ];
    let import = shop.import(1, Content::Products, &rows.join("\n")).await;
    assert_eq!(
        (import.status, counts(&import)),
        (Status::Completed, [7, 2, 2, 5])
    );
    assert_eq!(
        faults(&import),
        [
            "2 -  malformed",
            "3 -  malformed",
            "5 - /name required",
            "5 - /price range",
            "5 - /category invalid",
            "5 - /colour unknown_field",
            "6 - /sku required",
            "7 - /price required",
        ]
    );
    assert_eq!(shop.stored().len(), 2);
}

#[tokio::test]
async fn of_two_rows_with_one_sku_the_later_one_counts_and_two_products_are_never_joined() {
    let shop = shop();
    let both = json!({
        "name": "Both", "category": "tea", "options": [{"name": "size", "values": ["1", "2"]}],
        "variants": [
            {"sku": "A", "options": {"size": "1"}, "price": {"amount": "1.00", "currency": "EUR"}},
            {"sku": "B", "options": {"size": "2"}, "price": {"amount": "1.00", "currency": "EUR"}},
        ],
    });
    let rows = [tea("A", "5.00"), tea("B", "6.00"), tea("A", "7.00"), both];
    let import = shop.import(1, Content::Products, &lines(&rows)).await;
    assert_eq!(
        (counts(&import), faults(&import)),
        ([4, 3, 3, 1], vec!["4 -  contradiction".to_owned()])
    );
    let prices: Vec<String> = shop
        .stored()
        .iter()
        .map(|item| item["price"]["amount"].to_string())
        .collect();
    assert_eq!(prices, ["\"7.00\"", "\"6.00\""]);
}

#[tokio::test]
async fn a_product_with_an_identifier_gets_it_and_is_found_by_it() {
    let shop = shop();
    let id = "0190a6d4-1111-7000-8000-000000000001";
    let mut row = tea("A", "5.00");
    row["id"] = json!(id);
    row.as_object_mut().unwrap().remove("sku");
    for changed in [1, 0] {
        let import = shop
            .import(1, Content::Products, &lines(&[row.clone()]))
            .await;
        assert_eq!(
            (counts(&import), faults(&import)),
            ([1, 1, changed, 0], vec![])
        );
    }
    assert_eq!(shop.stored()[0]["product_id"], id);
    row["id"] = json!("17");
    row["sku"] = json!("A");
    let import = shop.import(1, Content::Products, &lines(&[row])).await;
    assert_eq!(faults(&import), ["1 - /id invalid"]);
}

#[tokio::test]
async fn prices_are_set_by_sku_all_of_a_product_at_once() {
    let shop = shop();
    shop.import(1, Content::Products, &lines(&[tea("A", "5.00"), shirt()]))
        .await;
    let plain = shop.stored()[1]["product_id"].as_str().unwrap().to_owned();
    let file = format!(
        "sku;price;sale_price\nA;4.50;\nS-S;25.00;24.00\nS-M;26.00;26.00\nX;1.00;\n{plain};9.00;\nS-S;23.00;\n"
    );
    let import = shop.import(2, Content::Prices, &file).await;
    // The identifier of a variant is its SKU only if it was given none.
    assert_eq!(
        faults(&import),
        [
            "4 sale_price /sale/price range",
            "5 sku /sku unknown_sku",
            "6 sku /sku unknown_sku"
        ]
    );
    assert_eq!(counts(&import), [6, 3, 3, 3]);
    let stored = shop.stored();
    assert_eq!(stored[1]["price"]["amount"], "4.50");
    let shirt = &stored[0];
    assert_eq!(
        (&shirt["version"], &shirt["price"]["amount"]),
        (&json!(3), &json!("21.00"))
    );
    assert_eq!(shirt["event"]["version"], json!(3));
    let import = shop
        .import(3, Content::Prices, "sku,price\nA,4.50\nS-S,23.00\n")
        .await;
    assert_eq!(counts(&import), [2, 2, 0, 0]);
    assert_eq!(shop.stored(), stored);
    // Two prices of one product at once are one version, with one event.
    let file = "sku,price\nS-S,23.50\nS-M,26.50\n";
    let import = shop.import(4, Content::Prices, file).await;
    assert_eq!(counts(&import), [2, 2, 2, 0]);
    let shirt = &shop.stored()[0];
    assert_eq!(
        (&shirt["version"], &shirt["event"]["version"]),
        (&json!(4), &json!(4))
    );
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let shop = shop();
    shop.import(1, Content::Products, &lines(&[tea("A", "5.00")]))
        .await;
    let before = shop.engine.items(Setting::ProductsTable);
    for (content, file) in [
        (
            Content::Products,
            lines(&[tea("A", "6.00"), tea("B", "6.00"), tea("C", "-1")]),
        ),
        (
            Content::Prices,
            "sku,price\nA,4.50\nB,1.00\nA,5.00\n".to_owned(),
        ),
    ] {
        let dry = Import {
            dry_run: true,
            ..running(content, file.len())
        };
        let import = shop.run(2, dry, file.as_bytes(), PIECE_BYTES).await;
        assert_eq!(
            (import.status, import.counts.failed),
            (Status::Completed, 1),
            "{import:?}"
        );
        assert_eq!(shop.engine.items(Setting::ProductsTable), before);
    }
}

#[tokio::test]
async fn two_imports_of_one_product_at_once_create_it_once() {
    for row in [tea("A", "5.00"), {
        let mut row = tea("A", "5.00");
        row["id"] = json!("0190a6d4-1111-7000-8000-000000000001");
        row
    }] {
        let shop = shop();
        let file = lines(&[row]);
        let other = Shop {
            aws: shop.aws.clone(),
            products: shop.products.clone(),
            engine: shop.engine.clone(),
        };
        let same = file.clone();
        shop.engine
            .before_next("TransactWriteItems", async move || {
                let import = other.import(1, Content::Products, &same).await;
                assert_eq!(counts(&import), [1, 1, 1, 0]);
            });
        let import = shop.import(2, Content::Products, &file).await;
        assert_eq!((counts(&import), faults(&import)), ([1, 1, 0, 0], vec![]));
        assert_eq!(shop.stored().len(), 1);
    }
}

#[test]
fn a_message_of_the_queue_names_imports_and_a_test_of_the_bucket_none() {
    let id = ImportId::derived(&["import"]);
    let file = json!({"Records": [{"s3": {"object": {"key": format!("stock-imports/{id}"), "size": 7, "eTag": "abc"}}}]});
    let other = json!({"Records": [{"s3": {"object": {"key": "imports/logo.png", "size": 7, "eTag": "abc"}}}]});
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "files"});
    for (message, uploads) in [(file, 1), (other, 0), (test, 0)] {
        let notice: Notice = serde_json::from_value(message).unwrap();
        assert_eq!(notice.uploads().count(), uploads);
        assert_eq!((notice.import_id, notice.export_id), (None, None));
    }
}

#[test]
fn what_the_inventory_reports_counts_if_it_is_later() {
    let report = |status, read_bytes| Import {
        status,
        read_bytes,
        ..running(Content::Stock, 100)
    };
    let (waiting, running) = (Status::Waiting, Status::Running);
    let (completed, cancelled) = (Status::Completed, Status::Cancelled);
    for (before, reported, after) in [
        (report(waiting, 0), report(running, 10), Some(running)),
        (report(running, 10), report(running, 20), Some(running)),
        (report(running, 20), report(running, 10), None),
        (report(running, 10), report(completed, 100), Some(completed)),
        (report(completed, 100), report(running, 20), None),
        (report(completed, 100), report(completed, 100), None),
        (report(cancelled, 0), report(running, 10), Some(cancelled)),
        (
            report(cancelled, 0),
            report(completed, 100),
            Some(completed),
        ),
    ] {
        let next = rules::reported(&before, &reported);
        let next = next.map(|next| (next.status, next.read_bytes, next.revision));
        let expected = after.map(|status| (status, reported.read_bytes, before.revision + 1));
        assert_eq!(next, expected, "{before:?} {reported:?}");
    }
}

#[test]
fn an_import_has_one_file_and_ends_once() {
    let upload = Upload {
        size: 7,
        etag: "\"other\"".to_owned(),
    };
    for (status, starts, cancels) in [
        (Status::Waiting, true, Some(true)),
        (Status::Running, false, Some(true)),
        (Status::Cancelled, false, Some(false)),
        (Status::Completed, false, None),
        (Status::Failed, false, None),
    ] {
        let import = Import {
            status,
            ..running(Content::Products, 100)
        };
        let uploaded = rules::uploaded(&import, upload.clone(), minute(1));
        let uploaded = uploaded.map(|import| (import.status, import.upload));
        let expected = starts.then(|| (Status::Running, Some(upload.clone())));
        assert_eq!(uploaded, expected, "{status}");
        let cancelled = rules::cancelled(&import, minute(1)).ok();
        let cancelled = cancelled.map(|next| next.is_some());
        assert_eq!(cancelled, cancels, "{status}");
    }
}
