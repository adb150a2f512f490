//! Shoppers who browse while others order: the pages of a list have each of its products once, in its order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ledger::{Ledger, Product};
use super::request::Request;
use super::seed::{ALL, CATEGORIES, CHEAP, COLLECTION, category, text};
use super::shop::Shop;
use crate::Error;

/// What lists are sorted by, in turn.
const SORTS: [&str; 4] = ["newest", "name", "price", "-price"];

/// Every so many lists one is that of all categories together, which has a hundred pages in a large year.
const WHOLE_EVERY: usize = 50;

/// The most entries of a page.
const PAGE: &str = "100";

/// Reads a list from its first page to its last: that of a category, another one and in another order for each `number`.
/// Returns what is wrong with it.
///
/// # Errors
/// If the shop fails or refuses the request.
pub(super) async fn browse(
    shop: &Shop,
    ledger: &Ledger,
    number: usize,
) -> Result<Option<String>, Error> {
    let sort = SORTS.into_iter().cycle().nth(number / CATEGORIES % 4);
    let sort = sort.unwrap_or_default();
    let is_whole = number % WHOLE_EVERY == WHOLE_EVERY - 1;
    let place = number % CATEGORIES;
    let list = if is_whole {
        ALL.to_owned()
    } else {
        category(place)
    };
    let found = read(shop, "category", &list, sort).await?;
    let expected = products(ledger).filter(|(number, _)| is_whole || number % CATEGORIES == place);
    let wrong = compare(&found, expected.map(|(_, product)| product), sort)?;
    if let Some(wrong) = wrong {
        return Ok(Some(format!("the list of {list} by {sort} has {wrong}")));
    }
    // The index may not have it yet.
    match found.get(number % found.len().max(1)) {
        Some(product) => Ok(search(shop, product)
            .await?
            .filter(|wrong| wrong != NOTHING)),
        None => Ok(None),
    }
}

/// What a search finds before the index has the product.
const NOTHING: &str = "a search finds nothing";

/// Searches the name of `product`. Returns what is wrong, unless it is found first.
async fn search(shop: &Shop, product: &Value) -> Result<Option<String>, Error> {
    let (id, name) = (text(product, "id")?, text(product, "name")?);
    let request = Request::new("list-products", "GET", "/products").query("q", &name);
    let found = shop.send(&request).await?.expect(&[200])?;
    Ok(match found["items"].get(0) {
        None => Some(NOTHING.to_owned()),
        Some(first) if first["id"] == id.as_str() => None,
        Some(first) => Some(format!(
            "a search for {name:?} finds {} first",
            first["name"]
        )),
    })
}

/// Every so many products one is searched at the end.
const SEARCHED_EVERY: usize = 25;

/// Searches products by their names, and returns what is wrong with what is found. Nothing may be on its way.
///
/// # Errors
/// If the shop fails or refuses the request.
pub(super) async fn check_search(shop: &Shop) -> Result<Option<String>, Error> {
    let all = read(shop, "category", ALL, "newest").await?;
    for product in all.iter().step_by(SEARCHED_EVERY) {
        if let Some(wrong) = search(shop, product).await? {
            return Ok(Some(format!("{wrong}, looking for {}", product["name"])));
        }
    }
    Ok(None)
}

/// Lets a shopper look at each of these products, and at the first page of the list of its category before, if shoppers look.
///
/// # Errors
/// If the shop fails or refuses a request.
pub(super) async fn look(shop: &Shop, ledger: &Ledger, products: &[usize]) -> Result<(), Error> {
    for number in products {
        let Some(product) = ledger.products.get(*number) else {
            continue;
        };
        let list = Request::new("list-products", "GET", "/products");
        let list = list.query("category", category(number % CATEGORIES));
        shop.look(&list).await?;
        let page = Request::new("get-product", "GET", "/products/{product_id}");
        shop.look(&page.parameter("product_id", &product.parent))
            .await?;
    }
    Ok(())
}

/// Reads the collection, and returns what is wrong with it. Nothing may be on its way.
///
/// # Errors
/// If the shop fails or refuses the request.
pub(super) async fn check_collection(
    shop: &Shop,
    ledger: &Ledger,
) -> Result<Option<String>, Error> {
    let found = read(shop, "collection", COLLECTION, "price").await?;
    let mut lowest: BTreeMap<&str, u64> = BTreeMap::new();
    for product in &ledger.products {
        let price = lowest.entry(&product.parent).or_insert(u64::MAX);
        *price = product.price.min(*price);
    }
    let is_cheap = |product: &Product| lowest.get(product.parent.as_str()) < Some(&CHEAP);
    let expected = products(ledger).map(|(_, product)| product);
    let wrong = compare(
        &found,
        expected.filter(|product| is_cheap(product)),
        "price",
    )?;
    Ok(wrong.map(|wrong| format!("the collection has {wrong}")))
}

/// Returns the products, of variants the first, with their numbers.
pub(super) fn products(ledger: &Ledger) -> impl Iterator<Item = (usize, &Product)> {
    let products = ledger.products.iter().enumerate();
    products.filter(|(number, product)| {
        let before = number.checked_sub(1).and_then(|at| ledger.products.get(at));
        before.is_none_or(|before| before.parent != product.parent)
    })
}

/// Returns all products of a list.
async fn read(shop: &Shop, of: &'static str, list: &str, sort: &str) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut request = Request::new("list-products", "GET", "/products")
            .query(of, list)
            .query("sort", sort)
            .query("limit", PAGE);
        if let Some(cursor) = &cursor {
            request = request.query("cursor", cursor);
        }
        let mut page = shop.send(&request).await?.expect(&[200])?;
        if let Value::Array(items) = page["items"].take() {
            found.extend(items);
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

/// Returns what is wrong with a list that should have the `expected` products, each once, in the order of `sort`.
fn compare<'a>(
    found: &[Value],
    expected: impl Iterator<Item = &'a Product>,
    sort: &str,
) -> Result<Option<String>, Error> {
    let ids = found.iter().map(|product| text(product, "id"));
    let ids: BTreeSet<String> = ids.collect::<Result<_, _>>()?;
    let expected: BTreeSet<String> = expected.map(|product| product.parent.clone()).collect();
    Ok(if found.len() != ids.len() {
        let (products, once) = (found.len(), ids.len());
        Some(format!("{products} products, and {once} of them once"))
    } else if ids != expected {
        let missing = expected.difference(&ids).count();
        let others = ids.difference(&expected).count();
        Some(format!(
            "{others} products that it should not have, and lacks {missing}"
        ))
    } else if !is_sorted(found, sort) {
        Some("products in another order".to_owned())
    } else {
        None
    })
}

/// Whether the products are in the order of `sort`. Their names have only ASCII letters and digits.
fn is_sorted(products: &[Value], sort: &str) -> bool {
    let field = |name: &str, product: &Value| product[name].as_str().unwrap_or_default().to_owned();
    let price = |product: &Value| {
        let amount = field("amount", &product["price"]).replace('.', "");
        amount.parse::<u64>().unwrap_or_default()
    };
    match sort {
        "newest" => products.is_sorted_by(|a, b| field("created_at", a) >= field("created_at", b)),
        "name" => products.is_sorted_by(|a, b| field("name", a) <= field("name", b)),
        "price" => products.is_sorted_by(|a, b| price(a) <= price(b)),
        "-price" => products.is_sorted_by(|a, b| price(a) >= price(b)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_what_it_says() {
        let product =
            |name, amount, at| json!({"name": name, "price": {"amount": amount}, "created_at": at});
        let products = [product("a", "9.00", "3"), product("b", "10.00", "1")];
        let sorted = SORTS.map(|sort| is_sorted(&products, sort));
        assert_eq!(sorted, [true, true, true, false]);
        let [a, b] = products;
        let sorted = SORTS.map(|sort| is_sorted(&[b.clone(), a.clone()], sort));
        assert_eq!(sorted, [false, false, false, true]);
    }
}
