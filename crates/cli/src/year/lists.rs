//! The year's price list: one product in ten has another price in some countries, and from two pieces on a third one.

use serde_json::json;

use super::ledger::Product;
use super::request::{Request, Who};
use super::shop::Shop;
use super::world::PLACES;
use crate::Error;

/// The list.
pub(super) const LIST: &str = "abroad";

/// The countries that it is for.
const COUNTRIES: [&str; 4] = ["CH", "FR", "GB", "JP"];

/// What a piece costs more in the list than in the catalogue at the beginning of the year, in the currency's smallest
/// units.
const ONE: u64 = 500;

/// The same from two pieces on.
const SEVERAL: u64 = 100;

/// Returns whether the list has prices for the product with this number.
fn has(product: usize) -> bool {
    product % 10 == 3
}

/// Returns how many of so many products the list has prices for.
pub(super) fn number_of_prices(products: usize) -> usize {
    (0..products).filter(|number| has(*number)).count()
}

/// Returns what a piece of the product costs by the list, in an order of `quantity` to `place`; `None` if the list is not
/// for it. `first` is what the product cost at the beginning.
pub(super) fn price(product: usize, first: u64, quantity: u64, place: usize) -> Option<u64> {
    let is_there = COUNTRIES.contains(&PLACES.get(place)?.country());
    let more = if quantity > 1 { SEVERAL } else { ONE };
    (is_there && has(product)).then_some(first + more)
}

/// Adds the list and its prices.
///
/// # Errors
/// If the shop refuses anything of it.
pub(super) async fn add(shop: &Shop, products: &[Product]) -> Result<(), Error> {
    let list = json!({"id": LIST, "name": "Abroad", "countries": COUNTRIES});
    let put = Request::new("replace-price-lists", "PUT", "/price-lists")
        .by(Who::Admin)
        .header("if-match", "*")
        .json(json!({ "items": [list] }));
    shop.send(&put).await?.expect(&[200])?;
    let listed = products
        .iter()
        .enumerate()
        .filter(|(number, _)| has(*number));
    for (_, product) in listed {
        let prices = json!([
            {"price": shop.amount(product.price + ONE)?},
            {"min_quantity": 2, "price": shop.amount(product.price + SEVERAL)?},
        ]);
        let route = "/price-lists/{price_list}/prices/{variant_id}";
        let put = Request::new("set-list-price", "PUT", route)
            .by(Who::Admin)
            .parameter("price_list", LIST)
            .parameter("variant_id", &product.id)
            .json(json!({ "prices": prices }));
        shop.send(&put).await?.expect(&[200])?;
    }
    shop.settle([]).await
}
