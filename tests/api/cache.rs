//! What strangers read of the catalogue is kept by the functions, and nothing else notices.

use serde_json::{Value, json};

use super::shortage::quote;
use crate::support::control::halves;
use crate::support::people::order_of;
use crate::support::prices::money;
use crate::support::redis::Redis;
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, skip, until};

impl Shop {
    /// Returns a product that nobody has touched for an hour, in a category of its own.
    async fn old_product(&self) -> String {
        let product = self.product("20.00", 500).await;
        self.until_shown(&product, "in_stock").await;
        self.quiet().await;
        self.advance(3600).await;
        product
    }

    async fn change_product(&self, product: &str, change: Value) {
        let call = self.patch(&format!("/products/{product}"));
        let call = call.bearer(&self.admin().await.token);
        let call = call.header("if-match", "*").json(&change);
        call.send().await.expect(200);
    }

    /// Reads `path` three times as a stranger, and returns the half units that the last one read, and its body.
    async fn read_again(&self, path: &str, function: &str) -> (u64, Value) {
        for _ in 0..2 {
            self.get(path).send().await.expect(200);
        }
        self.reset_bill().await;
        let read = self.get(path).send().await.expect(200);
        let units = halves(&self.bill().await["functions"][function]["read_units"]);
        (units, read.json())
    }
}

fn with_manual_clock() -> Setup {
    Setup {
        manual_clock: true,
        // A process that keeps a product does not ask for changes more often than that.
        parameters: &[("CacheCheckSeconds", "2")],
        ..Setup::default()
    }
}

#[test]
fn a_product_that_is_kept_costs_no_reads_and_shows_a_change_within_seconds() {
    run_local(async {
        let shop = Shop::start(with_manual_clock()).await;
        let product = shop.old_product().await;
        let path = format!("/products/{product}");
        let kept = async || match shop.read_again(&path, "get-product").await.0 {
            0 => Ok(()),
            units => Err(format!("{units} half units")),
        };
        until("the product is kept", kept).await;
        shop.change_product(&product, json!({"name": "Kite"})).await;
        // Who has changed it sees that at once.
        let read = shop.get(&path).bearer(&shop.admin().await.token);
        assert_eq!(read.send().await.expect(200).json()["name"], "Kite");
        let is_seen = async || {
            let read = shop.get(&path).send().await.expect(200).json();
            if read["name"] == "Kite" {
                Ok(())
            } else {
                Err(read["name"].to_string())
            }
        };
        until("strangers see the change", is_seen).await;
        shop.advance(3600).await;
        until("the product is kept", kept).await;
        shop.set_stock(&product, 1).await.expect(200);
        shop.until_shown(&product, "low").await;
    });
}

#[test]
fn a_list_that_is_kept_costs_no_reads_and_shows_a_change_within_seconds() {
    run_local(async {
        let shop = Shop::start(with_manual_clock()).await;
        let product = shop.old_product().await;
        let path = "/products?category=testing";
        let kept = async || match shop.read_again(path, "list-products").await {
            (0, page) => Ok(page["items"].as_array().unwrap().len()),
            (units, _) => Err(format!("{units} half units")),
        };
        assert_eq!(until("the page is kept", kept).await, 1);
        shop.change_product(&product, json!({"category": "elsewhere"}))
            .await;
        let is_gone = async || {
            let page = shop.get(path).send().await.expect(200).json();
            match page["items"].as_array().unwrap().len() {
                0 => Ok(()),
                listed => Err(format!("{listed} are listed")),
            }
        };
        until("the product has left the list", is_gone).await;
    });
}

#[test]
fn an_order_has_the_price_of_the_table_whatever_is_kept() {
    run_local(async {
        let shop = Shop::start(with_manual_clock()).await;
        let product = shop.old_product().await;
        let path = format!("/products/{product}");
        let buyer = shop.buyer().await;
        let order = order_of(&[(&product, 1)], "tok_ok");
        for price in ["21.00", "22.00", "23.00"] {
            for _ in 0..3 {
                shop.get(&path).send().await.expect(200);
            }
            shop.change_product(&product, json!({"price": money(price)}))
                .await;
            let quoted = quote(&shop, buyer, &order).await.expect(200).json();
            assert_eq!(quoted["items"][0]["unit_price"], money(price));
            shop.advance(3600).await;
        }
    });
}

#[test]
fn shared_caches_keep_what_strangers_read_for_as_long_as_the_shop_says() {
    run_local(async {
        let shop = Shop::start(Setup {
            parameters: &[("EdgeCacheSeconds", "30")],
            ..Setup::default()
        })
        .await;
        let product = shop.product("20.00", 5).await;
        shop.until_shown(&product, "low").await;
        let token = &shop.admin().await.token;
        for path in [
            &*format!("/products/{product}"),
            "/products?category=testing",
            "/categories",
            "/collections",
        ] {
            let control = async |token: Option<&str>, tag: Option<&str>, status| {
                let call = shop.get(path);
                let call = match token {
                    Some(token) => call.bearer(token),
                    None => call,
                };
                let call = match tag {
                    Some(tag) => call.header("if-none-match", tag),
                    None => call,
                };
                let read = call.send().await.expect(status);
                let header = |name| read.header(name).unwrap().to_owned();
                (header("cache-control"), header("etag"))
            };
            let kept = "public, max-age=0, s-maxage=30, stale-while-revalidate=30";
            let (control_of_stranger, tag) = control(None, None, 200).await;
            assert_eq!(control_of_stranger, kept, "{path}");
            let again = control(None, Some(&tag), 304).await;
            assert_eq!(again, (kept.to_owned(), tag), "{path}");
            let (of_admin, _) = control(Some(token), None, 200).await;
            assert_eq!(of_admin, "private, no-cache", "{path}");
        }
        let missing = "/products/01941f29-7c00-7000-8000-000000000009";
        let missing = shop.get(missing).send().await.expect(404);
        assert_eq!(missing.header("cache-control"), Some("no-cache"));
    });
}

#[test]
fn the_shop_goes_on_when_the_shared_cache_dies() {
    run_local(async {
        let Some(mut redis) = Redis::start().await else {
            skip("needs redis-server, in the path or named by OXCART_REDIS_SERVER");
            return;
        };
        let url: &'static str = redis.url().leak();
        let parameters = [
            ("CacheCheckSeconds", "2"),
            ("ProductCacheSeconds", "4"),
            ("SharedCacheUrl", url),
        ];
        let shop = Shop::start(Setup {
            parameters: Vec::from(parameters).leak(),
            ..with_manual_clock()
        })
        .await;
        let product = shop.old_product().await;
        let path = format!("/products/{product}");
        let is_shared = async || {
            // What the process has itself is too old, and it may be connected by now. The server has milliseconds to answer
            // in, so this waits for the schedules, and moves on by less than starts them again.
            shop.still().await;
            shop.advance(5).await;
            shop.get(&path).send().await.expect(200);
            match redis.size() {
                Ok(0) => Err("nothing is there".to_owned()),
                other => other,
            }
        };
        until("the product is kept for other processes", is_shared).await;
        redis.kill();
        for hour in 0..10 {
            // What the process has itself is too old each time.
            shop.advance(3600).await;
            let name = format!("Kite {hour}");
            shop.change_product(&product, json!({"name": name})).await;
            let is_seen = async || {
                let read = shop.get(&path).send().await.expect(200).json();
                if read["name"] == name {
                    Ok(())
                } else {
                    Err(read["name"].to_string())
                }
            };
            until("strangers see the change", is_seen).await;
        }
    });
}
