//! What imports rows of products or prices.

use crate::aws::dynamo::StoreError;

use super::context::Context;
use super::model::Content;
use super::piece::{Came, Fields, Importer, sku_key};
use super::{prices, products};

/// Imports products or prices.
#[derive(Debug)]
pub(in crate::catalog) struct ProductImporter<'a> {
    pub(in crate::catalog) content: Content,
    pub(in crate::catalog) context: Context<'a>,
}

impl Importer for ProductImporter<'_> {
    fn keys(&self, row: &Fields) -> Vec<String> {
        match self.content {
            Content::Products => products::keys(row),
            Content::Prices | Content::Stock => sku_key(row),
        }
    }

    async fn import(&self, rows: &[Fields]) -> Result<Vec<Came>, StoreError> {
        match self.content {
            Content::Products => products::import(&self.context, rows).await,
            Content::Prices => prices::import(&self.context, rows).await,
            // The inventory imports it. No file of stock is sent here.
            Content::Stock => Ok(vec![Came::Same; rows.len()]),
        }
    }
}
