//! `GET /products?q=`: products are found by what they are, as they change, and nothing that is typed does harm.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{product, unique};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

/// Returns `text` as a value in a query.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

impl Shop {
    async fn search(&self, query: &str) -> Answer {
        self.get(&format!("/products?q={query}")).send().await
    }

    /// Returns the names of the products that are found, best first.
    async fn found(&self, text: &str) -> Vec<String> {
        let found = self.search(&escaped(text)).await.expect(200).json();
        let items = found["items"].as_array().unwrap().iter();
        items
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns what `text` finds, unless it finds the products with these names, in this order.
    async fn finds(&self, text: &str, names: &[&str]) -> Result<(), String> {
        let found = self.found(text).await;
        if found == names {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    }

    /// Waits until `text` finds the products with these names, in this order.
    async fn until_found(&self, text: &str, names: &[&str]) {
        let what = format!("{text:?} finds {names:?}");
        until(&what, async || self.finds(text, names).await).await;
    }

    /// Builds the index until it has products, and none is being built.
    async fn until_built(&self) {
        let admin = self.admin().await;
        until("the index is built", async || {
            self.build_index().await;
            let call = self.get("/search-index").bearer(&admin.token);
            let index = call.send().await.expect(200).json();
            if index["build"].is_null() && index["products"].as_u64() >= Some(1) {
                Ok(())
            } else {
                Err(index.to_string())
            }
        })
        .await;
    }

    async fn created(&self, changes: &Value) -> String {
        let mut body = product("", "9.00");
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let admin = self.admin().await;
        let call = self.post("/products").bearer(&admin.token);
        let created = call.key(&unique("product")).json(&body).send().await;
        created.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn changed(&self, id: &str, changes: &Value) {
        let admin = self.admin().await;
        let call = self.patch(&format!("/products/{id}")).bearer(&admin.token);
        let call = call.header("if-match", "*").json(changes);
        call.send().await.expect(200);
    }

    async fn build_index(&self) {
        let scheduled = json!({"time": self.now().await});
        self.invoke("build-search-index", &scheduled).await.unwrap();
    }
}

#[test]
fn products_are_found_as_they_are_and_as_they_change() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let teapot = shop
            .created(&json!({
                "name": "Teapot", "category": "tableware", "brand": "Norvana", "attributes": {"colour": "blue"},
                "translations": {"de": {"name": "Teekanne"}, "zh": {"name": "蓝色茶壶"}},
            }))
            .await;
        let kettle = shop
            .created(&json!({"name": "Kettle", "category": "tableware"}))
            .await;
        let hidden = json!({"name": "Hidden teapot", "status": "inactive"});
        let hidden = shop.created(&hidden).await;
        // There is no index until it is built.
        shop.build_index().await;
        for text in [
            "teapot",
            "TEAPOTS",
            "teapto",
            "teap",
            "Teekannen",
            "茶壶",
            "norvana",
        ] {
            shop.until_found(text, &["Teapot"]).await;
        }
        let suggested = shop.get("/products/suggest?q=tee&locale=de").send().await;
        let suggested = suggested.expect(200).json();
        assert_eq!(
            suggested,
            json!({"items": [{"id": teapot, "name": "Teekanne", "slug": null}]})
        );
        shop.changed(&kettle, &json!({"name": "Samovar"})).await;
        shop.until_found("samovar", &["Samovar"]).await;
        assert!(shop.found("kettle").await.is_empty());
        shop.changed(&hidden, &json!({"status": "active"})).await;
        shop.until_found("hidden", &["Hidden teapot"]).await;
        shop.changed(&teapot, &json!({"status": "inactive"})).await;
        shop.until_found("teapot", &["Hidden teapot"]).await;
        // The name of a category is a word of all its products.
        let admin = shop.admin().await;
        let call = shop.put("/categories/tableware").bearer(&admin.token);
        let call = call
            .header("if-match", "*")
            .json(&json!({"name": "Crockery"}));
        call.send().await.expect(201);
        until("the index is built anew", async || {
            shop.build_index().await;
            shop.finds("crockery", &["Samovar"]).await
        })
        .await;
        shop.until_found("hidden", &["Hidden teapot"]).await;
        // Segments that nobody reads any more are removed, and no others.
        let later = json!({"time": "2099-01-01T00:00:00Z"});
        shop.invoke("build-search-index", &later).await.unwrap();
        shop.until_found("hidden", &["Hidden teapot"]).await;
    });
}

#[test]
fn what_is_found_is_counted_and_paged() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        for (number, colour) in [(1, "red"), (2, "red"), (3, "blue")] {
            let cup = json!({"name": format!("Cup {number}"), "category": "cups", "attributes": {"colour": colour}, "brand": "Kilnwood"});
            shop.created(&cup).await;
        }
        shop.build_index().await;
        let mut all = Value::Null;
        until("all cups are found", async || {
            all = shop.search("cup&limit=2").await.expect(200).json();
            if all["total"] == 3 {
                Ok(())
            } else {
                Err(all.to_string())
            }
        })
        .await;
        let facets = &all["facets"];
        assert_eq!(facets["categories"], json!([{"value": "cups", "count": 3}]));
        assert_eq!(facets["brands"], json!([{"value": "Kilnwood", "count": 3}]));
        let colours = json!([{"value": "red", "count": 2}, {"value": "blue", "count": 1}]);
        assert_eq!(facets["attributes"], json!({"colour": colours}));
        assert_eq!(facets["prices"].as_array().unwrap().len(), 1, "{facets}");
        let cursor = all["next_cursor"].as_str().unwrap();
        let rest = shop.search(&format!("cup&limit=2&cursor={cursor}")).await;
        let rest = rest.expect(200).json();
        assert_eq!(rest["next_cursor"], Value::Null);
        let items = [&all, &rest].map(|page| page["items"].as_array().unwrap().clone());
        let mut names: Vec<String> = items
            .concat()
            .iter()
            .map(|item| item["name"].to_string())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["\"Cup 1\"", "\"Cup 2\"", "\"Cup 3\""]);
        let blue = "cup&attributes[colour]=blue&brand=Kilnwood&category=cups";
        let blue = shop.search(blue).await.expect(200).json();
        assert_eq!(blue["items"][0]["name"], "Cup 3");
        assert_eq!(blue["total"], 1);
        let brand = shop.get("/products?brand=Kilnwood").send().await;
        assert_eq!(brand.expect(200).json()["total"], 3);
    });
}

#[test]
fn whatever_is_typed_has_a_clear_answer() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        shop.created(&json!({"name": "Teapot"})).await;
        shop.build_index().await;
        shop.until_found("teapot", &["Teapot"]).await;
        for text in [
            "",
            "   ",
            "the and of",
            "!?…—",
            "\u{0}",
            "name:teapot AND NOT (cup OR *)",
            "\"tea",
            "tea~9^9",
            "茶tea𝒯éа",
            "/.*/",
            "[a TO z]",
            "&&||",
            "🫖",
        ] {
            shop.search(&escaped(text)).await.expect(200);
            let path = format!("/products/suggest?q={}", escaped(text));
            shop.get(&path).send().await.expect(200);
        }
        let long = format!("/products/suggest?q={}", "t".repeat(201));
        shop.get(&long).send().await.expect(400);
        let longest = "茶".repeat(200);
        shop.search(&escaped(&longest)).await.expect(200);
        let fault = |answer: Answer| answer.expect(400).json()["errors"][0].clone();
        let long = fault(shop.search(&"t".repeat(201)).await);
        assert_eq!(long["pointer"], "?q");
        shop.search(&"t".repeat(10_000)).await.expect(400);
        for other in ["sort=name", "status=active", "collection=gifts"] {
            for search in ["q=tea", "brand=Kilnwood"] {
                let refused = shop
                    .get(&format!("/products?{search}&{other}"))
                    .send()
                    .await;
                assert_eq!(
                    fault(refused)["code"],
                    "not_with_search",
                    "{search} {other}"
                );
            }
        }
        assert_eq!(
            fault(shop.search("tea&ids=A").await)["code"],
            "not_with_ids"
        );
    });
}

#[test]
fn an_admin_says_which_words_mean_the_same_and_count_more() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let settings = async || {
            let call = shop.get("/search-settings").bearer(&admin.token);
            call.send().await.expect(200)
        };
        let replace = async |tag: &str, settings: Value| {
            let call = shop.put("/search-settings").bearer(&admin.token);
            call.header("if-match", tag).json(&settings).send().await
        };
        let first = settings().await;
        let usual = json!({"name": 100, "keywords": 100, "category": 100, "description": 100});
        let empty = json!({"synonyms": [], "boosts": usual, "version": 0});
        assert_eq!(first.json(), empty);
        shop.created(&json!({"name": "Couch", "description": "Not a lamp."}))
            .await;
        let lamp = json!({"name": "Lamp", "description": "Stands beside it."});
        shop.created(&lamp).await;
        shop.build_index().await;
        shop.until_found("lamp", &["Lamp", "Couch"]).await;
        assert!(shop.found("Sofa").await.is_empty());

        let tag = first.header("etag").unwrap();
        let synonyms = json!([["sofa", "couch"], ["沙发床", "Schlafsofa", "sofa bed"]]);
        let changed = replace(tag, json!({"synonyms": synonyms})).await;
        let changed = changed.expect(200);
        let body = json!({"synonyms": synonyms, "boosts": usual, "version": 1});
        assert_eq!(changed.json(), body);
        shop.until_found("Sofa", &["Couch"]).await;
        // The same settings again are no change.
        let tag = changed.header("etag").unwrap();
        let again = replace(tag, json!({"synonyms": synonyms})).await;
        assert_eq!(again.expect(200).json(), body);
        let boosts = json!({"boosts": {"name": 0, "description": 1000}});
        replace(tag, boosts.clone()).await.expect(200);
        shop.until_found("lamp", &["Couch", "Lamp"]).await;
        replace(tag, boosts).await.expect(412);
        let now = settings().await.json();
        assert_eq!(now["synonyms"], json!([]));
        assert_eq!(now["boosts"]["keywords"], 100);
    });
}

#[test]
fn settings_of_the_search_are_bounded() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let replace = async |settings: Value| {
            let call = shop.put("/search-settings").bearer(&admin.token);
            call.header("if-match", "*").json(&settings).send().await
        };
        for (settings, pointer, code) in [
            (json!({"synonyms": [["sofa"]]}), "/synonyms/0", "length"),
            (json!({"synonyms": ["sofa"]}), "/synonyms/0", "type"),
            (
                json!({"synonyms": [["sofa", "!?"]]}),
                "/synonyms/0/1",
                "no_word",
            ),
            (
                json!({"synonyms": [["sofa", "x".repeat(51)]]}),
                "/synonyms/0/1",
                "length",
            ),
            (
                json!({"synonyms": [["sofa", "couch"], ["tv", "SOFA"]]}),
                "/synonyms/1/1",
                "repeated",
            ),
            (json!({"boosts": {"name": 1001}}), "/boosts/name", "range"),
            (
                json!({"boosts": {"title": 1}}),
                "/boosts/title",
                "unknown_field",
            ),
            (
                json!({"synonyms": vec![json!(["a", "b"]); 1001]}),
                "/synonyms",
                "length",
            ),
        ] {
            let fault = replace(settings.clone()).await.expect(422).json();
            let fault = &fault["errors"][0];
            assert_eq!(
                (&fault["pointer"], &fault["code"]),
                (&json!(pointer), &json!(code)),
                "{settings} {fault}"
            );
        }
    });
}

#[test]
fn an_admin_has_the_index_built_anew_and_sees_how_far_it_is() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        shop.created(&json!({"name": "Teapot"})).await;
        shop.build_index().await;
        shop.until_found("teapot", &["Teapot"]).await;
        shop.until_built().await;
        let call = shop.post("/search-index/rebuild").bearer(&admin.token);
        let begun = call.send().await.expect(202).json();
        assert_eq!(begun["build"]["products_read"], 0);
        shop.until_found("teapot", &["Teapot"]).await;
        shop.until_built().await;
        shop.until_found("teapot", &["Teapot"]).await;
    });
}

/// What goes wrong with the bucket while the index is written, one after another.
const FAULTS: [&str; 6] = [
    "s3:GetObject@index-products=error",
    // The segment is stored, and then all attempts to replace the manifest fail.
    "s3:PutObject@index-products=error#2,error#2,error#2,error#2",
    "s3:PutObject@index-products=lost-answer",
    "s3:PutObject@index-products=kill-after#2",
    "s3:PutObject@build-search-index=lost-answer",
    "s3:PutObject@build-search-index=kill-after#2",
];

#[test]
fn the_index_agrees_with_the_table_whatever_fails_while_it_is_written() {
    run_local(async {
        let setup = Setup {
            manual_clock: true,
            ..Setup::default()
        };
        let shop = Shop::start(setup).await;
        let admin = shop.admin().await;
        let mut products = Vec::new();
        for name in ["alder", "birch", "cedar"] {
            products.push(shop.created(&json!({"name": name})).await);
        }
        shop.run_until("the index is built", async || {
            shop.finds("alder", &["alder"]).await
        })
        .await;
        for (round, fault) in FAULTS.iter().enumerate() {
            shop.fault(fault).await;
            if fault.contains("build") {
                let call = shop.post("/search-index/rebuild").bearer(&admin.token);
                call.send().await.expect(202);
            }
            for (number, id) in products.iter().enumerate() {
                let name = format!("{} tree", TREES[round][number]);
                shop.changed(id, &json!({"name": name})).await;
                // A clock that moves while a function is at work would end it.
                shop.quiet().await;
                shop.run_until("the fault is hit", async || match shop.fault_hits().await {
                    0 => Err("it is not".to_owned()),
                    _ => Ok(()),
                })
                .await;
                shop.still().await;
            }
            shop.no_faults().await;
            for tree in TREES[round] {
                let name = format!("{tree} tree");
                let what = format!("{name} is found after {fault}");
                shop.run_until(&what, async || shop.finds(tree, &[&name]).await)
                    .await;
            }
            let all = shop.search("tree").await.expect(200).json();
            assert_eq!(all["total"], products.len(), "{fault}");
        }
    });
}

/// What the products are called after each fault: no typing error makes one of these another.
const TREES: [[&str; 3]; FAULTS.len()] = [
    ["hornbeam", "sycamore", "juniper"],
    ["mulberry", "tamarind", "eucalyptus"],
    ["cypress", "magnolia", "hawthorn"],
    ["chestnut", "sequoia", "laburnum"],
    ["viburnum", "mahogany", "wisteria"],
    ["rosewood", "blackthorn", "pistachio"],
];
