//! Imports of products, prices and stock from files, and exports.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::build;
use crate::support::people::unique;
use crate::support::prices::{CURRENCY, amount};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

impl Shop {
    /// Creates an import with `body` and returns it.
    async fn import(&self, body: &Value) -> Value {
        let admin = self.admin().await;
        let call = self.post("/imports").bearer(&admin.token);
        let created = call.key(&unique("import")).json(body).send().await;
        created.expect(202).json()
    }

    /// Uploads `file` for `import`, and returns the status of the response.
    async fn upload(&self, import: &Value, file: impl Into<Vec<u8>>) -> u16 {
        let url = import["upload_url"].as_str().unwrap();
        let put = reqwest::Client::new().put(url).body(file.into());
        put.send().await.unwrap().status().as_u16()
    }

    /// Returns what is at `path` once its status is `status`.
    async fn until_job(&self, path: &str, status: &str) -> Value {
        let admin = self.admin().await;
        until(&format!("{path} is {status}"), async || {
            let job = self.get(path).bearer(&admin.token).send().await;
            let job = job.expect(200).json();
            if job["status"] == status {
                Ok(job)
            } else {
                Err(job.to_string())
            }
        })
        .await
    }

    /// Imports `file` as `content`, and returns the import once it is completed.
    async fn imported(&self, content: &str, file: &str) -> Value {
        let import = self.import(&json!({"content": content})).await;
        let path = format!("/imports/{}", import["id"].as_str().unwrap());
        // Its address is shown as long as it waits.
        let waiting = self.until_job(&path, "waiting").await;
        assert_eq!(self.upload(&waiting, file).await, 200);
        self.until_job(&path, "completed").await
    }

    /// Exports `content` in `format`, and returns the lines of the file.
    async fn exported(&self, content: &str, format: &str) -> Vec<String> {
        let admin = self.admin().await;
        let body = json!({"content": content, "format": format});
        let key = unique("export");
        let create = async || {
            let call = self.post("/exports").bearer(&admin.token).key(&key);
            call.json(&body).send().await.expect(202).json()
        };
        let created = create().await;
        let path = format!("/exports/{}", created["id"].as_str().unwrap());
        let export = self.until_job(&path, "completed").await;
        let mut files = Vec::new();
        for export in [&export, &create().await] {
            let url = export["download_url"].as_str().unwrap();
            let file = reqwest::get(url).await.unwrap();
            assert_eq!(file.status(), 200);
            files.push(file.text().await.unwrap());
        }
        assert_eq!(files[0], files[1]);
        let file = files.remove(0);
        assert_eq!(export["size_bytes"], json!(file.len()));
        let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn counts(import: &Value) -> [u64; 4] {
    ["rows", "imported", "changed", "failed"].map(|name| import[name].as_u64().unwrap())
}

#[test]
fn products_prices_and_stock_are_imported_and_exported() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let (price, other) = (amount("20.00"), amount("21.00"));
        let file = format!(
            "name,category,option1_name,option1_value,sku,price,description\n\
             Shirt,clothes,size,S,SHIRT-S,{price},\"Two\nlines\"\n\
             ,,,M,SHIRT-M,{other},\n\
             Tea,Green tea,,,TEA,{price},\n\
             煎茶,green-tea,,,SENCHA,{price},=1+1\n"
        );
        let import = shop.imported("products", &file).await;
        assert_eq!(counts(&import), [3, 2, 2, 1], "{import:#}");
        let fault = &import["faults"][0];
        assert_eq!(
            (&fault["line"], &fault["column"], &fault["pointer"]),
            (&json!(5), &json!("category"), &json!("/category"))
        );
        let again = shop.imported("products", &file).await;
        assert_eq!(counts(&again), [3, 2, 0, 1]);

        // The stock of a variant that comes later is not there yet; that of the others is, once the events are through.
        shop.quiet().await;
        let file = format!(
            "name,category,option1_name,option1_value,sku,price\n\
             Shirt,clothes,size,S,SHIRT-S,{price}\n,,,M,SHIRT-M,{other}\n,,,L,SHIRT-L,{other}\n"
        );
        let import = shop.imported("products", &file).await;
        assert_eq!(counts(&import), [1, 1, 1, 0], "{import:#}");
        let file = "sku;on_hand\nSHIRT-M;7\nSHIRT-L;3\nSENCHA;x\n";
        let stock = shop.imported("stock", file).await;
        assert_eq!(counts(&stock), [3, 2, 2, 1], "{stock:#}");
        let prices = format!(
            "{}\n",
            json!({"sku": "SHIRT-M", "price": {"amount": amount("19.00"), "currency": CURRENCY.code()}})
        );
        let changed = shop.imported("prices", &prices).await;
        assert_eq!(counts(&changed), [1, 1, 1, 0], "{changed:#}");

        let list = shop
            .get("/products?category=clothes")
            .send()
            .await
            .expect(200)
            .json();
        let shirt = &list["items"][0];
        let medium = shirt["variants"]
            .as_array()
            .unwrap()
            .iter()
            .find(|variant| variant["sku"] == "SHIRT-M");
        let medium = medium.unwrap();
        assert_eq!(medium["price"]["amount"], amount("19.00"));
        let path = format!("/inventory/{}", medium["id"].as_str().unwrap());
        let stock = shop
            .get(&path)
            .bearer(&admin.token)
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(stock["on_hand"], 7);

        let other = Shop::start(Setup::default()).await;
        for format in ["ndjson", "csv"] {
            let exported = shop.exported("products", format).await;
            let mut file = exported.clone();
            // The header stays the first line: the others begin with an identifier.
            file.sort_by_key(|line| !line.starts_with("id,"));
            if format == "ndjson" {
                let import = other.imported("products", &file.join("\n")).await;
                assert_eq!(counts(&import), [2, 2, 2, 0], "{import:#}");
            }
            assert_eq!(other.exported("products", format).await, exported);
        }
        assert_eq!(shop.exported("prices", "csv").await.len(), 5);
        // Another SKU for the product with an identifier.
        let renamed =
            json!({"id": shirt["id"], "variants": [{"sku": "SHIRT", "options": {"size": "S"}}]});
        let import = shop.imported("products", &renamed.to_string()).await;
        assert_eq!(counts(&import), [1, 1, 1, 0], "{import:#}");
    });
}

#[test]
fn an_import_waits_for_its_file_and_can_be_cancelled() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let admin = shop.admin().await;
        for content in ["products", "stock"] {
            let key = unique("import");
            let create = async || {
                let call = shop.post("/imports").bearer(&admin.token).key(&key);
                call.json(&json!({"content": content}))
                    .send()
                    .await
                    .expect(202)
                    .json()
            };
            let import = create().await;
            assert_eq!(
                (&import["status"], &import["content"]),
                (&json!("waiting"), &json!(content))
            );
            assert_eq!(create().await["id"], import["id"]);
            let path = format!("/imports/{}", import["id"].as_str().unwrap());
            let cancel = || {
                shop.post(&format!("{path}/cancel"))
                    .bearer(&admin.token)
                    .send()
            };
            for _ in 0..2 {
                assert_eq!(cancel().await.expect(200).json()["status"], "cancelled");
            }
            // The file comes too late.
            assert_eq!(shop.upload(&import, "sku,price\n").await, 200);
            shop.quiet().await;
            let import = shop.until_job(&path, "cancelled").await;
            assert_eq!(counts(&import), [0; 4]);
        }
        let import = shop.imported("prices", "sku,price\n").await;
        let path = format!("/imports/{}/cancel", import["id"].as_str().unwrap());
        shop.post(&path)
            .bearer(&admin.token)
            .send()
            .await
            .expect(409);
        // An address is good for an hour, and for its own file only.
        let import = shop.import(&json!({})).await;
        let url = import["upload_url"].as_str().unwrap().to_owned();
        let id = import["id"].as_str().unwrap();
        let mut forged = import.clone();
        let (start, end) = id.split_at(id.len() - 1);
        let other = if end == "0" { "1" } else { "0" };
        forged["upload_url"] = json!(url.replace(id, &format!("{start}{other}")));
        assert_eq!(shop.upload(&forged, "sku,price\n").await, 403);
        shop.advance(3601).await;
        assert_eq!(shop.upload(&import, "sku,price\n").await, 403);
    });
}

#[test]
fn a_file_that_cannot_be_read_fails_its_import() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        for (code, content, file) in [
            ("compressed", "products", &b"PK\x03\x04"[..]),
            ("empty", "prices", b""),
            ("header", "stock", b"sku;stock\n"),
            ("not_utf8", "stock", b"sku;on_hand\nCaf\xe9;1\n"),
        ] {
            let import = shop
                .import(&json!({"content": content, "dry_run": true}))
                .await;
            assert_eq!(shop.upload(&import, file).await, 200);
            let path = format!("/imports/{}", import["id"].as_str().unwrap());
            let failed = shop.until_job(&path, "failed").await;
            assert_eq!(failed["failure"]["code"], code);
        }
    });
}

#[test]
fn a_file_that_the_bucket_tells_of_twice_is_imported_once() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let line = json!({"sku": unique("sku"), "name": "Tea", "category": "tea", "price": {"amount": amount("5.00"), "currency": CURRENCY.code()}});
        let import = shop.imported("products", &line.to_string()).await;
        let id = import["id"].as_str().unwrap();
        let told = json!({"Records": [{"s3": {"object": {"key": format!("imports/{id}"), "size": 3, "eTag": "another"}}}]});
        let goes_on = json!({"import_id": id});
        let path = format!("/imports/{id}");
        for body in [told, goes_on] {
            let message = json!({
                "messageId": unique("message"),
                "body": body.to_string(),
                "attributes": {"SentTimestamp": "1772357400000", "ApproximateReceiveCount": "1"},
            });
            let response = shop
                .invoke("run-file-jobs", &json!({"Records": [message]}))
                .await;
            assert_eq!(response.unwrap()["batchItemFailures"], json!([]));
            assert_eq!(shop.until_job(&path, "completed").await, import);
        }
    });
}

#[test]
fn an_import_goes_on_after_the_pieces_of_one_message() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        for content in ["prices", "stock"] {
            let row =
                |number| json!({"sku": format!("X{number}"), "on_hand": 1}).to_string() + "\n";
            let rows: String = (0..4_500).map(row).collect();
            let import = shop.imported(content, &rows).await;
            assert_eq!(counts(&import), [4_500, 0, 0, 4_500]);
            assert_eq!(import["faults"].as_array().unwrap().len(), 100);
        }
        // With the address that creating an import returns.
        let import = shop.import(&json!({"content": "stock"})).await;
        assert_eq!(shop.upload(&import, "sku,on_hand\n").await, 200);
    });
}

/// Returns the rows of the first 2,000 products of the large demo.
fn goods(content: &str) -> Vec<String> {
    let mut program = Command::new(build::program());
    let program = program.args(["goods", "--products", "2000", "--content", content]);
    let output = program.args(["--currency", CURRENCY.code()]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let rows = String::from_utf8(output.stdout).unwrap();
    rows.lines().map(str::to_owned).collect()
}

#[test]
fn products_of_the_large_demo_are_all_taken() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        for content in ["products", "stock"] {
            // Files so small that each is imported while the test has patience.
            for rows in goods(content).chunks(500) {
                let count = rows.len() as u64;
                let import = shop.imported(content, &rows.join("\n")).await;
                assert_eq!(counts(&import)[3], 0, "{import:#}");
                assert_eq!(counts(&import)[1], count);
            }
        }
        // What is there already is left as it is.
        let again = goods("products")[..500].join("\n");
        let import = shop.imported("products", &again).await;
        assert_eq!(counts(&import), [500, 500, 0, 0], "{import:#}");
        let list = shop.get("/products?locale=de&limit=100&attributes[origin]=Italy");
        let list = list.send().await.expect(200).json();
        assert!(!list["items"].as_array().unwrap().is_empty(), "{list:#}");
    });
}
