//! Tests of the pricing table: unique codes, and a price book that is read again only after a change.

use serde_json::Value;

use super::collection::{self, Collection};
use super::fixtures::{discount, noon, percent, tax};
use super::model::{Discount, DiscountError};
use super::rules;
use super::store::{MAX_AUTOMATIC, PricingStore};
use super::tax::TaxRate;
use crate::aws::settings::Setting;
use crate::http::exchange::IfMatch;
use crate::testing::{self, Engine, Fault};

fn store() -> (PricingStore, Engine) {
    let (aws, engine) = testing::aws();
    (PricingStore::new(&aws).unwrap(), engine)
}

fn with_code(name: &str, code: &str) -> Discount {
    Discount {
        code: Some(code.parse().unwrap()),
        ..discount(name, percent("0.1"))
    }
}

fn ended(discount: &Discount) -> Discount {
    rules::end(discount, &IfMatch::Any, noon())
        .unwrap()
        .unwrap()
}

async fn replace_rates(store: &PricingStore, rates: Vec<TaxRate>) {
    let stored: Collection<TaxRate> = store.collection().await.unwrap();
    let replaced = collection::replace(&stored, rates, &IfMatch::Any, noon());
    let (next, event) = replaced.unwrap().unwrap();
    assert!(
        store
            .replace_collection(next, event)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_code_belongs_to_one_discount_until_the_discount_ends() {
    let (store, engine) = store();
    let first = with_code("first", "Spring");
    store.create(first.clone()).await.unwrap();
    let second = with_code("second", "SPRING");
    let refused = store.create(second.clone()).await;
    assert!(matches!(refused, Err(DiscountError::CodeTaken)));
    let found = store.by_code(&"sPRING".parse().unwrap()).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    // Discounts with a code are read on demand and do not change the price book.
    let books = |items: &[Value]| items.iter().filter(|item| item["pk"] == "book").count();
    assert_eq!(books(&engine.items(Setting::PricingTable)), 0);
    store.replace(ended(&first)).await.unwrap();
    assert_eq!(
        store.by_code(&"spring".parse().unwrap()).await.unwrap(),
        None
    );
    assert_eq!(store.create(second.clone()).await.unwrap(), (second, false));
}

#[tokio::test]
async fn the_price_book_is_read_again_only_after_a_change() {
    let (store, engine) = store();
    let reads = async || {
        engine.forget_calls();
        let book = store.current().await.unwrap();
        (book, engine.calls())
    };
    let (book, calls) = reads().await;
    assert_eq!(
        (book.automatic.len(), calls.as_slice()),
        (0, &["GetItem".to_owned()][..])
    );
    let first = discount("first", percent("0.1"));
    store.create(first.clone()).await.unwrap();
    assert_eq!(reads().await.0.automatic, vec![first.clone()]);
    assert_eq!(reads().await.1, ["GetItem"]);
    replace_rates(&store, vec![tax("DE", None, None, "0.19", true)]).await;
    assert_eq!(reads().await.0.taxes.len(), 1);
    store.replace(ended(&first)).await.unwrap();
    let (book, _) = reads().await;
    assert_eq!((book.automatic.len(), book.taxes.len()), (0, 1));
    assert_eq!(reads().await.1, ["GetItem"]);
}

#[tokio::test]
async fn the_number_of_automatic_discounts_is_limited() {
    let (store, _) = store();
    for number in 0..MAX_AUTOMATIC {
        let discount = discount(&number.to_string(), percent("0.1"));
        store.create(discount).await.unwrap();
    }
    let one_more = discount("one more", percent("0.1"));
    let refused = store.create(one_more.clone()).await;
    assert!(matches!(refused, Err(DiscountError::TooMany)));
    // A repeated request does not count again.
    let first = discount("0", percent("0.1"));
    assert_eq!(store.create(first.clone()).await.unwrap().0, first);
    store.replace(ended(&first)).await.unwrap();
    store.create(one_more).await.unwrap();
    assert_eq!(
        store.current().await.unwrap().automatic.len(),
        MAX_AUTOMATIC
    );
}

#[tokio::test]
async fn writes_whose_responses_were_lost_are_recognised() {
    let (store, engine) = store();
    for made in [
        with_code("coded", "LOST"),
        discount("automatic", percent("0.1")),
    ] {
        engine.fail_next("TransactWriteItems", Fault::LostAnswer);
        assert_eq!(
            store.create(made.clone()).await.unwrap(),
            (made.clone(), false)
        );
        let over = ended(&made);
        engine.fail_next("TransactWriteItems", Fault::LostAnswer);
        assert_eq!(store.replace(over.clone()).await.unwrap(), over);
    }
    engine.fail_next("TransactWriteItems", Fault::LostAnswer);
    replace_rates(&store, vec![tax("DE", None, None, "0.19", true)]).await;
}

#[tokio::test]
async fn concurrently_created_discounts_are_all_stored() {
    let (store, _) = store();
    let jobs = (0..8).map(|number| {
        let store = &store;
        async move || {
            let made = discount(&number.to_string(), percent("0.1"));
            store.create(made).await.unwrap();
        }
    });
    testing::at_once(jobs);
    assert_eq!(store.current().await.unwrap().automatic.len(), 8);
}

#[tokio::test]
async fn a_change_to_an_old_version_is_refused() {
    let (store, _) = store();
    let made = discount("made", percent("0.1"));
    store.create(made.clone()).await.unwrap();
    store.replace(ended(&made)).await.unwrap();
    let mut terms = made.terms.clone();
    terms.priority = 1;
    let late = rules::update(&made, terms, &IfMatch::Any, noon());
    let refused = store.replace(late.unwrap().unwrap()).await;
    assert!(matches!(refused, Err(DiscountError::Stale)));
    let stored: Collection<TaxRate> = store.collection().await.unwrap();
    replace_rates(&store, vec![tax("DE", None, None, "0.19", true)]).await;
    let late = collection::replace(
        &stored,
        vec![tax("AT", None, None, "0.2", true)],
        &IfMatch::Any,
        noon(),
    );
    let (next, event) = late.unwrap().unwrap();
    assert_eq!(store.replace_collection(next, event).await.unwrap(), None);
}
