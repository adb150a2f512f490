//! Going through all products: for what changes them all, and to give those that earlier releases wrote their places in
//! lists by name and by price.

use serde::Deserialize;

use crate::aws::dynamo::{Piece, StoreError, Written};
use crate::catalog::item::ProductItem;
use crate::catalog::model::Product;
use crate::catalog::sort::{name_position, price_position};
use crate::values::id::ProductId;
use crate::values::money::Money;

use super::{ProductStore, key};

/// The attributes that are read of each product.
const ATTRIBUTES: [&str; 5] = ["product_id", "name", "price", "version", "name_position"];

/// What an item has that places need. The items that lead to products have no name.
#[derive(Debug, Deserialize)]
struct Unplaced {
    product_id: ProductId,
    name: String,
    price: Money,
    version: u64,
}

/// What was done with a piece of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// How many products it gave their places.
    pub products: u64,
    /// Where the next piece begins, or `None` at the end of the table.
    pub next: Option<String>,
}

impl ProductStore {
    /// Returns the products among the next at most `most` items of the table, read consistently, from after `after` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn piece(
        &self,
        after: Option<&str>,
        most: i32,
    ) -> Result<Piece<Product>, StoreError> {
        let piece = self.table.scan_consistently(after, most).await?;
        let items = piece.items.into_iter();
        let items = items.filter(|item| item.contains_key("status"));
        let products = items.map(|item| {
            let item: ProductItem = serde_dynamo::from_item(item)?;
            Ok(item.into())
        });
        Ok(Piece {
            items: products.collect::<Result<_, StoreError>>()?,
            next: piece.next,
        })
    }

    /// Gives their places to those of the next at most `most` items of the table that are products without them, from
    /// after `after` on. A product that somebody changes meanwhile gets its places with that change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn place(&self, after: Option<&str>, most: i32) -> Result<Placed, StoreError> {
        let piece = self.table.scan(after, most, &ATTRIBUTES).await?;
        let mut products = 0;
        for item in piece.items {
            if item.contains_key("name_position") || !item.contains_key("name") {
                continue;
            }
            let product: Unplaced = serde_dynamo::from_item(item)?;
            let id = product.product_id;
            let write = self.table.update(
                key(id),
                "SET name_position = :name_position, price_position = :price_position",
            );
            let write = write.value(":name_position", &name_position(&product.name, id)?)?;
            let write = write.value(":price_position", &price_position(product.price, id)?)?;
            let write = write.when("version = :version");
            let write = write.value(":version", &product.version)?;
            products += u64::from(self.table.write(write).await? == Written::Done);
        }
        Ok(Placed {
            products,
            next: piece.next,
        })
    }
}
