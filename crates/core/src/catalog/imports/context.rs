//! What rows of products and prices are imported with.

use crate::aws::dynamo::{Attempt, StoreError};
use crate::catalog::model::{Product, ProductError};
use crate::catalog::store::ProductStore;
use crate::http::problem::Fault;
use crate::values::clock::Time;
use crate::values::money::Currency;

use super::piece::Came;

/// The shop, and how its products are changed.
#[derive(Debug)]
pub(in crate::catalog) struct Context<'a> {
    pub(in crate::catalog) products: &'a ProductStore,
    pub(in crate::catalog) currency: Currency,
    /// Whether nothing is written.
    pub(in crate::catalog) dry_run: bool,
    pub(in crate::catalog) now: Time,
}

impl Context<'_> {
    /// Stores `next` in the place of `before`.
    ///
    /// # Errors
    /// [`ProductError`], except if somebody else was quicker.
    pub(super) async fn replace(
        &self,
        before: &Product,
        next: Product,
    ) -> Result<Attempt<Came>, ProductError> {
        if self.dry_run {
            return Ok(Attempt::Done(Came::Changed));
        }
        match self.products.replace(before, next).await {
            Ok(_) => Ok(Attempt::Done(Came::Changed)),
            Err(ProductError::Stale | ProductError::StockMoved) => Ok(Attempt::Overtaken),
            Err(error) => Err(error),
        }
    }
}

/// Returns what is wrong with a row that `error` keeps from being imported.
///
/// # Errors
/// [`StoreError`] if that is not the row's fault.
pub(super) fn fault_of(error: ProductError) -> Result<Fault, StoreError> {
    let detail = error.to_string();
    let (pointer, code) = match error {
        ProductError::Store(error) => return Err(error),
        ProductError::Variant(error) => (error.pointer(), error.code()),
        ProductError::SlugTaken => {
            let detail = "another product has this slug, or had it".to_owned();
            return Ok(Fault {
                pointer: "/slug".to_owned(),
                code: "taken",
                detail,
            });
        }
        ProductError::Discontinued => (String::new(), "discontinued"),
        ProductError::TooManySkus => ("/variants".to_owned(), "too_many"),
        ProductError::TooLarge => (String::new(), "too_large"),
        ProductError::NotFound
        | ProductError::Stale
        | ProductError::StockMoved
        | ProductError::KeyReused => (String::new(), "conflict"),
    };
    Ok(Fault {
        pointer,
        code,
        detail,
    })
}
