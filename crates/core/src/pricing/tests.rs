//! Tests of the pricing table: unique codes, and a price book that is read again only after a change.

mod codes;
mod currencies;
mod lists;
mod routes;

use serde_json::Value;

use super::collection::{self, Collection};
use super::fixtures::{discount, noon, percent, tax};
use super::model::{Discount, DiscountError, Terms};
use super::rules;
use super::store::{MAX_AUTOMATIC, PricingStore};
use super::tax::settings::{TaxRate, TaxTerms};
use crate::aws::settings::Setting;
use crate::http::exchange::{IfMatch, Response};
use crate::http::problem::Problem;
use crate::testing::{self, Engine, Fault};

fn store() -> (PricingStore, Engine) {
    let (aws, engine) = testing::aws();
    (PricingStore::new(&aws).unwrap(), engine)
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Returns the pointers and codes of the faults of `outcome`.
fn faults(outcome: Result<Response, Problem>) -> Vec<(String, &'static str)> {
    let Err(Problem::InvalidBody(faults)) = outcome else {
        panic!("the body was taken, or refused in another way: {outcome:?}");
    };
    let faults = faults.into_iter();
    faults.map(|fault| (fault.pointer, fault.code)).collect()
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

fn with_priority(discount: &Discount, priority: u32) -> Discount {
    let terms = Terms {
        priority,
        ..discount.terms.clone()
    };
    let changed = rules::update(discount, terms, &IfMatch::Any, noon());
    changed.unwrap().unwrap()
}

async fn replace_rates(store: &PricingStore, rates: Vec<TaxRate>) {
    let stored: Collection<TaxRate> = store.collection().await.unwrap();
    let replaced = collection::replace(&stored, TaxTerms::default(), rates, &IfMatch::Any, noon());
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
    assert_eq!(reads().await.0.taxes.rates.len(), 1);
    store.replace(ended(&first)).await.unwrap();
    let (book, _) = reads().await;
    assert_eq!((book.automatic.len(), book.taxes.rates.len()), (0, 1));
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
    // The SDK repeats a transaction with its token, which makes it once. After a conflict it has another token.
    let lose_the_next_response = || {
        for fault in [Fault::LostAnswer, Fault::Conflict] {
            engine.fail_next("TransactWriteItems", fault);
        }
    };
    for made in [
        with_code("coded", "LOST"),
        discount("automatic", percent("0.1")),
    ] {
        lose_the_next_response();
        assert_eq!(
            store.create(made.clone()).await.unwrap(),
            (made.clone(), false)
        );
        let over = ended(&made);
        lose_the_next_response();
        assert_eq!(store.replace(over.clone()).await.unwrap(), over);
    }
    lose_the_next_response();
    replace_rates(&store, vec![tax("DE", None, None, "0.19", true)]).await;
}

#[tokio::test]
async fn discounts_that_are_created_at_once_are_all_in_the_book() {
    let (store, engine) = store();
    // The first two make the book, the others find it.
    for names in [["first", "second"], ["third", "fourth"]] {
        let [own, others] = names.map(|name| discount(name, percent("0.1")));
        let other = store.clone();
        engine.before_next("TransactWriteItems", async move || {
            other.create(others).await.unwrap();
        });
        store.create(own).await.unwrap();
    }
    assert_eq!(store.current().await.unwrap().automatic.len(), 4);
}

#[tokio::test]
async fn the_last_place_for_an_automatic_discount_is_taken_once() {
    let (store, engine) = store();
    for number in 1..MAX_AUTOMATIC {
        let discount = discount(&number.to_string(), percent("0.1"));
        store.create(discount).await.unwrap();
    }
    let other = store.clone();
    engine.before_next("TransactWriteItems", async move || {
        let quicker = discount("quicker", percent("0.1"));
        other.create(quicker).await.unwrap();
    });
    let late = store.create(discount("late", percent("0.1"))).await;
    assert!(matches!(late, Err(DiscountError::TooMany)), "{late:?}");
}

#[tokio::test]
async fn the_book_keeps_a_discount_that_is_created_while_another_ends_or_rates_change() {
    let (store, engine) = store();
    let first = discount("first", percent("0.1"));
    store.create(first.clone()).await.unwrap();
    let create_meanwhile = |name: &'static str| {
        let other = store.clone();
        engine.before_next("TransactWriteItems", async move || {
            let made = discount(name, percent("0.1"));
            other.create(made).await.unwrap();
        });
    };
    create_meanwhile("second");
    store.replace(ended(&first)).await.unwrap();
    create_meanwhile("third");
    replace_rates(&store, vec![tax("DE", None, None, "0.19", true)]).await;
    let book = store.current().await.unwrap();
    let mut names: Vec<&str> = book.automatic.iter().map(|d| &*d.terms.name).collect();
    names.sort_unstable();
    assert_eq!(
        (names, book.taxes.rates.len()),
        (vec!["second", "third"], 1)
    );
}

#[tokio::test]
async fn a_request_that_is_repeated_neither_revives_a_discount_nor_counts_twice() {
    let (store, _) = store();
    for made in [
        with_code("coded", "AGAIN"),
        discount("automatic", percent("0.1")),
    ] {
        store.create(made.clone()).await.unwrap();
        let again = store.create(made.clone()).await.unwrap();
        assert_eq!(again, (made.clone(), false));
        assert_eq!(store.current().await.unwrap().automatic.len(), {
            usize::from(made.code.is_none())
        });
        let over = store.replace(ended(&made)).await.unwrap();
        let again = store.create(made.clone()).await.unwrap();
        assert_eq!(again, (over.clone(), true));
        assert_eq!(store.get(made.id).await.unwrap(), Some(over));
        assert!(store.current().await.unwrap().automatic.is_empty());
    }
}

#[tokio::test]
async fn a_code_that_two_discounts_want_at_once_goes_to_one() {
    let (store, engine) = store();
    let first = with_code("first", "SPRING");
    let (other, quicker) = (store.clone(), first.clone());
    engine.before_next("TransactWriteItems", async move || {
        other.create(quicker).await.unwrap();
    });
    let late = store.create(with_code("late", "spring")).await;
    assert!(matches!(late, Err(DiscountError::CodeTaken)), "{late:?}");
    let found = store.by_code(&"SPRING".parse().unwrap()).await.unwrap();
    assert_eq!(found, Some(first));
}

#[tokio::test]
async fn a_discount_that_ends_at_once_with_another_change_stays_ended() {
    for made in [
        with_code("coded", "OVER"),
        discount("automatic", percent("0.1")),
    ] {
        let (store, engine) = store();
        store.create(made.clone()).await.unwrap();
        let over = ended(&made);
        let (other, quicker) = (store.clone(), over.clone());
        engine.before_next("TransactWriteItems", async move || {
            other.replace(quicker).await.unwrap();
        });
        let late = store.replace(with_priority(&made, 1)).await;
        assert!(matches!(late, Err(DiscountError::Stale)), "{late:?}");
        assert_eq!(store.get(made.id).await.unwrap(), Some(over));
        assert!(store.current().await.unwrap().automatic.is_empty());
    }
}

#[tokio::test]
async fn rates_that_were_replaced_meanwhile_are_not_overwritten() {
    let rate = |rate| vec![tax("DE", None, None, rate, true)];
    let (store, engine) = store();
    // The first time there are no rates yet.
    for (late, quicker, version) in [("0.01", "0.11", 1), ("0.02", "0.12", 2)] {
        let stored: Collection<TaxRate> = store.collection().await.unwrap();
        let other = store.clone();
        engine.before_next("TransactWriteItems", async move || {
            replace_rates(&other, rate(quicker)).await;
        });
        let replaced = collection::replace(
            &stored,
            TaxTerms::default(),
            rate(late),
            &IfMatch::Any,
            noon(),
        );
        let (next, event) = replaced.unwrap().unwrap();
        assert_eq!(store.replace_collection(next, event).await.unwrap(), None);
        let stored: Collection<TaxRate> = store.collection().await.unwrap();
        assert_eq!((stored.entries, stored.version), (rate(quicker), version));
    }
}

#[tokio::test]
async fn a_change_to_an_old_version_is_refused() {
    let (store, _) = store();
    let made = discount("made", percent("0.1"));
    store.create(made.clone()).await.unwrap();
    store.replace(ended(&made)).await.unwrap();
    let refused = store.replace(with_priority(&made, 1)).await;
    assert!(matches!(refused, Err(DiscountError::Stale)));
    let stored: Collection<TaxRate> = store.collection().await.unwrap();
    replace_rates(&store, vec![tax("DE", None, None, "0.19", true)]).await;
    let late = collection::replace(
        &stored,
        TaxTerms::default(),
        vec![tax("AT", None, None, "0.2", true)],
        &IfMatch::Any,
        noon(),
    );
    let (next, event) = late.unwrap().unwrap();
    assert_eq!(store.replace_collection(next, event).await.unwrap(), None);
}
