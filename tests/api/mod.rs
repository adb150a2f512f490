//! The responses of each route.

use crate::support::client::Answer;
use crate::support::show::show;
use expect_test::Expect;

mod accounts;
mod addresses;
mod authorisation;
mod availability;
mod bounds;
mod cache;
mod captures;
mod categories;
mod codes;
mod collections;
mod costs;
mod customers;
mod deletion;
mod demo;
mod disputes;
mod gift_cards;
mod guests;
mod health;
mod hostile;
mod images;
mod imports;
mod inventory;
mod ledger;
mod limits;
mod orders;
mod passwords;
mod payments;
mod price_lists;
mod pricing;
mod products;
mod reading;
mod refunds;
mod refused;
mod retries;
mod rules;
mod sales;
mod search;
mod sessions;
mod shipping;
mod shortage;
mod taxes;
mod totals;
mod variants;

/// Compares a response with its snapshot.
fn check(answer: &Answer, expected: Expect) {
    expected.assert_eq(&show(answer));
}
