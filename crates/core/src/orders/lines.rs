//! An order's lines and their prices, by the catalogue.

use std::collections::HashMap;

use super::model::Line;
use crate::catalog;
use crate::catalog::model::Product;
use crate::http::problem::Fault;
use crate::values::clock::Time;
use crate::values::id::ProductId;
use crate::values::money::{Currency, Money, MoneyError};

/// The most entries that a request to place an order may have.
pub const MOST_ITEMS: usize = 50;

/// The most pieces of one product that can be ordered, all entries together.
pub const MOST_OF_ONE: u32 = 999;

/// One entry of a request to place an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The product.
    pub product_id: ProductId,
    /// The number of pieces.
    pub quantity: u32,
}

/// Returns the lines for `items`, one for each product in the order of their first entries, with the names and prices of
/// `now`; and their total.
///
/// # Errors
/// Returns all faults of the request: products that do not exist or are not for sale, more than [`MOST_OF_ONE`] pieces
/// of one product, and a total beyond what [`Money`] holds.
pub fn price(
    items: &[Item],
    products: Vec<Product>,
    currency: Currency,
    now: Time,
) -> Result<(Vec<Line>, Money), Vec<Fault>> {
    let products: HashMap<ProductId, Product> = products
        .into_iter()
        .map(|product| (product.id, product))
        .collect();
    let mut lines: Vec<Line> = Vec::with_capacity(items.len());
    let mut faults = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let product = match for_sale(&products, item.product_id) {
            Ok(product) => product,
            Err((code, detail)) => {
                faults.push(fault(format!("/items/{at}/product_id"), code, detail));
                continue;
            }
        };
        let line = lines
            .iter_mut()
            .find(|line| line.product_id == item.product_id);
        let quantity = line.as_ref().map_or(0, |line| line.quantity) + item.quantity;
        if quantity > MOST_OF_ONE {
            let detail = format!("at most {MOST_OF_ONE} of one product can be ordered");
            faults.push(fault(format!("/items/{at}/quantity"), "range", detail));
        } else if let Some(line) = line {
            line.quantity = quantity;
        } else {
            lines.push(Line {
                product_id: product.id,
                name: product.name.clone(),
                quantity,
                unit_price: product.price_at(now),
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let total = total(currency, &lines).map_err(|error| {
        let detail = format!("the order cannot be totalled: {error}");
        vec![fault("/items".to_owned(), "total", detail)]
    })?;
    Ok((lines, total))
}

fn for_sale(
    products: &HashMap<ProductId, Product>,
    id: ProductId,
) -> Result<&Product, (&'static str, &'static str)> {
    let product = products
        .get(&id)
        .ok_or(("unknown_product", "there is no such product"))?;
    match product.status {
        catalog::model::Status::Active => Ok(product),
        catalog::model::Status::Inactive
        | catalog::model::Status::OutOfStock
        | catalog::model::Status::Discontinued => {
            Err(("not_for_sale", "this product is not for sale now"))
        }
    }
}

fn fault(pointer: String, code: &'static str, detail: impl Into<String>) -> Fault {
    Fault {
        pointer,
        code,
        detail: detail.into(),
    }
}

/// Returns the total of `lines`, before discounts, shipping and tax.
///
/// # Errors
/// Returns [`MoneyError`] if it is more than [`Money`] holds, or the currencies differ.
pub fn total(currency: Currency, lines: &[Line]) -> Result<Money, MoneyError> {
    lines.iter().try_fold(Money::zero(currency), |total, line| {
        total.plus(line.subtotal()?)
    })
}

#[cfg(test)]
mod tests;
