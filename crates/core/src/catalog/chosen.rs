//! What lists of products are chosen by: a category with all below it, or a collection.

use crate::http::problem::Problem;

use super::cache::catalogue::PublicCatalogue;
use super::cache::local::Asked;
use super::collections::entries::EntryStore;
use super::collections::model::{Choice, CollectionError};
use super::collections::store::CollectionStore;
use super::content::Slug;
use super::model::{Category, Status};
use super::sort::Sort;
use super::store::lists::Of;

/// The collections with their entries.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The collections.
    pub collections: CollectionStore,
    /// The table of what is in collections by rule.
    pub entries: EntryStore,
}

impl Chosen {
    /// Returns where the products of a list of `catalogue` come from, and how they are sorted: as the request says, or else as
    /// the collection does.
    ///
    /// # Errors
    /// [`Problem::NotFound`] for a collection that is not there, and [`Problem::InvalidParameters`] for both at once, for a
    /// collection's products that are not active, and for another order of products that are chosen by hand.
    pub async fn by(
        &self,
        (catalogue, asked): (&PublicCatalogue, &Asked),
        category: Option<Category>,
        collection: Option<Slug>,
        status: Status,
        sort: Option<Sort>,
    ) -> Result<(Of, Sort), Problem> {
        match (category, collection) {
            (None, None) => Ok((Of::All, sort.unwrap_or_default())),
            (Some(category), None) => {
                let tree = catalogue.tree(asked).await?;
                let of = Of::Categories(tree.branch(&category));
                Ok((of, sort.unwrap_or_default()))
            }
            (None, Some(_)) if status != Status::Active => {
                let detail = "a collection has only active products";
                Err(Problem::parameter("?status", detail))
            }
            (None, Some(collection)) => self.collection(&collection, sort).await,
            (Some(_), Some(_)) => {
                let detail = "a list is of a category or of a collection";
                Err(Problem::parameter("?collection", detail))
            }
        }
    }

    async fn collection(&self, id: &Slug, sort: Option<Sort>) -> Result<(Of, Sort), Problem> {
        let collections = self.collections.get_eventually().await?;
        let collection = collections.all.get(id);
        let collection = collection.ok_or(CollectionError::NotFound)?;
        match (&collection.choice, sort) {
            (Choice::Hand, None) => {
                let products = self.collections.by_hand_eventually(id).await?;
                Ok((Of::Chosen(products), Sort::default()))
            }
            (Choice::Hand, Some(_)) => {
                let detail = "products that are chosen by hand have an order of their own";
                Err(Problem::parameter("?sort", detail))
            }
            (Choice::Rule(chosen), sort) => {
                let sort = sort.unwrap_or(chosen.sort);
                Ok(match chosen.shown {
                    Some(set) => (self.entries.list(id, set), sort),
                    None => (Of::Chosen(Vec::new()), sort),
                })
            }
        }
    }
}
