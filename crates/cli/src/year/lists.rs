//! The year's price lists: one product in ten has another price in some countries, and from two pieces on a third one; and
//! orders to one country are in another currency, in which each product has a price.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use oxcart_core::values::money::Currency;
use serde_json::{Value, json};

use super::ledger::Product;
use super::request::{Request, Who};
use super::shop::{Shop, amount};
use super::world::PLACES;
use crate::Error;

/// The list in the shop's currency.
const ABROAD: &str = "abroad";

/// The countries that it is for.
const COUNTRIES: [&str; 4] = ["CH", "FR", "GB", "NZ"];

/// What a piece costs more in the list than in the catalogue at the beginning of the year, in the currency's smallest
/// units.
const ONE: u64 = 500;

/// The same from two pieces on.
const SEVERAL: u64 = 100;

/// The list in another currency, and the country that it is for.
const JAPAN: &str = "japan";
const JAPANESE: &str = "JP";

/// What a piece costs there more than in the catalogue at the beginning of the year, each in its currency's smallest units:
/// 13.00 EUR are 1,500 JPY.
const IN_JAPAN: u64 = 200;

/// Returns whether the first list has prices for the product with this number.
fn has(product: usize) -> bool {
    product % 10 == 3
}

/// Returns how many of so many products the lists have prices for, all together.
pub(super) fn number_of_prices(products: usize) -> usize {
    products + (0..products).filter(|number| has(*number)).count()
}

/// Returns the currency of orders to `place` that is not the shop's: yen, or dollars if the shop's is the yen.
pub(super) fn currency(place: usize, shop_currency: Currency) -> Option<Currency> {
    let is_there = PLACES.get(place)?.country() == JAPANESE;
    let code = match shop_currency.code() {
        "JPY" => "USD",
        _ => "JPY",
    };
    code.parse().ok().filter(|_| is_there)
}

/// Returns what a piece of the product costs by the lists, in an order of `quantity` to `place`; `None` if they are not for
/// it. `first` is what the product cost at the beginning.
pub(super) fn price(product: usize, first: u64, quantity: u64, place: usize) -> Option<u64> {
    let country = PLACES.get(place)?.country();
    if country == JAPANESE {
        return Some(first + IN_JAPAN);
    }
    let more = if quantity > 1 { SEVERAL } else { ONE };
    (COUNTRIES.contains(&country) && has(product)).then_some(first + more)
}

/// Adds the lists and their prices, so many at a time.
///
/// # Errors
/// If the shop refuses anything of it.
pub(super) async fn add(shop: &Shop, products: &[Product], at_once: usize) -> Result<(), Error> {
    let japan = PLACES.iter().position(|place| place.country() == JAPANESE);
    let currency = japan.and_then(|place| currency(place, shop.currency));
    let currency = currency.ok_or("no place of the year has another currency")?;
    let lists = json!([
        {"id": ABROAD, "name": "Abroad", "countries": COUNTRIES},
        {"id": JAPAN, "name": "Japan", "currency": currency.code()},
    ]);
    let put = Request::new("replace-price-lists", "PUT", "/price-lists")
        .by(Who::Admin)
        .header("if-match", "*")
        .json(json!({ "items": lists }));
    shop.send(&put).await?.expect(&[200])?;
    let set = async |(number, product): (usize, &Product)| {
        let first = product.price;
        let there = amount(first + IN_JAPAN, currency)?;
        set_prices(shop, JAPAN, product, json!([{ "price": there }])).await?;
        if has(number) {
            let prices = json!([
                {"price": shop.amount(first + ONE)?},
                {"min_quantity": 2, "price": shop.amount(first + SEVERAL)?},
            ]);
            set_prices(shop, ABROAD, product, prices).await?;
        }
        Ok::<(), Error>(())
    };
    let sets = stream::iter(products.iter().enumerate()).map(set);
    let () = sets.buffered(at_once).try_collect().await?;
    shop.settle([]).await
}

async fn set_prices(
    shop: &Shop,
    list: &str,
    product: &Product,
    prices: Value,
) -> Result<(), Error> {
    let route = "/price-lists/{price_list}/prices/{variant_id}";
    let put = Request::new("set-list-price", "PUT", route)
        .by(Who::Admin)
        .parameter("price_list", list)
        .parameter("variant_id", &product.id)
        .json(json!({ "prices": prices }));
    shop.send(&put).await?.expect(&[200])?;
    Ok(())
}
