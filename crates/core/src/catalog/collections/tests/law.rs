//! Whatever happens in which order, a collection by rule ends with the products for which its rule holds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Shop, price, shop};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// The product with this number costs so much, and is for sale or not.
    Change(usize, u32, bool),
    /// The rule takes what costs less than this.
    Rule(u32),
    /// The stream is read up to here.
    Follow,
    /// The function of the schedule looks at one item more.
    Build,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 1..30_u32, any::<bool>()).prop_map(|(at, price, sale)| Step::Change(at, price, sale)),
        1 => (1..30_u32).prop_map(Step::Rule),
        2 => Just(Step::Follow),
        2 => Just(Step::Build),
    ]
}

fn rule(most: u32) -> Value {
    json!({"name": "a", "rule": format!("product.price < money(\"{most}.00\")")})
}

/// Plays `steps`, and returns the names in the collection, and those that should be.
async fn play(shop: &Shop, steps: Vec<Step>) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut ids = Vec::new();
    let mut products = BTreeMap::new();
    for name in ["a", "b", "c"] {
        ids.push(shop.product(name, "10.00").await);
        products.insert(name, (10, true));
    }
    let mut snapshots = vec![shop.products()];
    let mut most = 15;
    shop.set("some", rule(most)).await.unwrap();
    for step in steps {
        match step {
            Step::Change(at, amount, sale) => {
                let status = if sale { "active" } else { "inactive" };
                let patch = json!({"price": price(&format!("{amount}.00")), "status": status});
                shop.change(&ids[at], patch).await;
                snapshots.push(shop.products());
                products.insert(["a", "b", "c"][at], (amount, sale));
            }
            Step::Rule(next) => {
                most = next;
                shop.set("some", rule(most)).await.unwrap();
            }
            Step::Follow => {
                shop.deliver(&snapshots).await;
                snapshots.drain(..snapshots.len() - 1);
            }
            Step::Build => {
                shop.builder.advance(1).await.unwrap();
            }
        }
    }
    shop.deliver(&snapshots).await;
    shop.build().await;
    let query = [("collection", "some"), ("sort", "price"), ("limit", "1")];
    let found = shop.names(&query).await.into_iter().collect();
    let expected = products.into_iter();
    let expected = expected.filter(|(_, (amount, sale))| *sale && *amount < most);
    (found, expected.map(|(name, _)| name.to_owned()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_collection_ends_with_what_its_rule_takes(steps in prop::collection::vec(step(), 0..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (found, expected) = runtime.block_on(async { play(&shop(), steps).await });
        prop_assert_eq!(found, expected);
    }
}
