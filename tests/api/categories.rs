//! The tree of categories, and lists of products by it, by name and by price.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::control::halves;
use crate::support::people::{product, unique};
use crate::support::shop::{Setup, Shop, shared};
use crate::support::{run, run_local};

impl Shop {
    /// Puts the category `id` below `parent`, whatever it was before.
    async fn put_below(&self, id: &str, parent: Option<&str>) -> Answer {
        let admin = self.admin().await;
        let call = self.put(&format!("/categories/{id}")).bearer(&admin.token);
        let call = call.header("if-match", "*");
        call.json(&json!({"name": id, "parent": parent}))
            .send()
            .await
    }

    /// Creates a product called `name` in `category`, and returns its id.
    async fn in_category(&self, category: &str, name: &str, amount: &str) -> String {
        let mut product = product(name, amount);
        product["category"] = json!(category);
        let admin = self.admin().await;
        let call = self.post("/products").bearer(&admin.token).json(&product);
        let created = call.send().await.expect(201).json();
        created["id"].as_str().unwrap().to_owned()
    }

    /// Returns the names of the products in the list with `query`, of all pages.
    async fn names(&self, query: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut path = format!("/products?{query}");
        loop {
            let page = self.get(&path).send().await.expect(200).json();
            let items = page["items"].as_array().unwrap().iter();
            names.extend(items.map(|item| item["name"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else {
                return names;
            };
            path = format!("/products?{query}&cursor={cursor}");
        }
    }
}

#[test]
fn a_branch_is_moved_with_its_products() {
    run(async {
        let shop = shared().await;
        let [drinks, tea, green, food] =
            ["drinks", "tea", "green", "food"].map(|name| unique(name).to_lowercase());
        shop.put_below(&drinks, None).await.expect(201);
        shop.put_below(&tea, Some(&drinks)).await.expect(201);
        shop.put_below(&green, Some(&tea)).await.expect(201);
        shop.put_below(&food, None).await.expect(201);
        shop.in_category(&green, "Sencha", "12.00").await;
        shop.in_category(&tea, "Ātman tea", "9.00").await;
        shop.in_category(&food, "Biscuits", "3.00").await;
        let listed = async |category: &str| {
            shop.names(&format!("category={category}&sort=name&limit=1"))
                .await
        };
        assert_eq!(listed(&drinks).await, ["Ātman tea", "Sencha"]);
        assert_eq!(listed(&green).await, ["Sencha"]);
        shop.put_below(&tea, Some(&food)).await.expect(200);
        assert_eq!(listed(&food).await, ["Ātman tea", "Biscuits", "Sencha"]);
        assert_eq!(listed(&drinks).await, [""; 0]);
        let refused = shop.put_below(&food, Some(&green)).await.expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "/parent");
        let categories = shop.get("/categories").send().await.expect(200);
        let tag = categories.header("etag").unwrap().to_owned();
        let again = shop.get("/categories").header("if-none-match", &tag);
        let again = again.send().await;
        assert!(
            [200, 304].contains(&again.status),
            "another test may change them"
        );
        let listed: Value = categories.json();
        let of = |id: &str| {
            let items = listed["items"].as_array().unwrap();
            items.iter().position(|item| item["id"] == id).unwrap()
        };
        assert!(of(&food) < of(&tea) && of(&tea) < of(&green));
    });
}

/// Half units that a page may cost more than another of the same list: its products are spread over shards by chance, and a
/// shard with many of them is read again.
const CHANCE: u64 = 4;

/// A page costs what it costs in a small shop, whatever it is sorted by.
#[test]
fn a_page_costs_the_same_in_a_shop_with_ten_times_as_many_products() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        shop.put_below("drinks", None).await.expect(201);
        shop.put_below("tea", Some("drinks")).await.expect(201);
        let fill = async |numbers: std::ops::Range<u32>| {
            for number in numbers {
                let category = if number % 2 == 0 { "tea" } else { "drinks" };
                let (name, amount) = (format!("Tea {number:04}"), format!("{}.00", 100 + number));
                shop.in_category(category, &name, &amount).await;
            }
        };
        fill(0..60).await;
        let small = shop.units_of_lists().await;
        fill(60..600).await;
        for ((list, before), (_, now)) in small.iter().zip(shop.units_of_lists().await) {
            assert!(
                now <= before + CHANCE,
                "{list}: {before} half units, then {now}"
            );
        }
    });
}

impl Shop {
    /// Returns how many half units a page of each list reads: the fewest of three, because a call that takes long is made
    /// again.
    async fn units_of_lists(&self) -> Vec<(String, u64)> {
        let mut units = Vec::new();
        for sort in ["newest", "name", "price", "-price"] {
            for category in ["", "&category=tea", "&category=drinks"] {
                let query = format!("sort={sort}{category}");
                let mut fewest = u64::MAX;
                for _ in 0..3 {
                    self.reset_bill().await;
                    let page = self.get(&format!("/products?{query}")).send().await;
                    let page = page.expect(200).json();
                    assert_eq!(page["items"].as_array().unwrap().len(), 20, "{query}");
                    let bill = self.bill().await;
                    let read = &bill["functions"]["list-products"]["read_units"];
                    fewest = fewest.min(halves(read));
                }
                units.push((query, fewest));
            }
        }
        units
    }
}
