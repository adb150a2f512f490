//! What may change in the catalogue, as a number.

use std::fmt::Display;

use sha2::{Digest as _, Sha256};

use crate::catalog::content::Slug;
use crate::catalog::model::{Category, Product};
use crate::values::id::ProductId;

/// The bytes of a tag in the log of changes.
pub const TAG_BYTES: usize = 4;

/// A thing in the catalogue that changes: the first four bytes of the SHA-256 of its name. If two things have the same tag, a
/// change of one counts for both, which costs a read and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; TAG_BYTES]);

impl Tag {
    fn new(kind: &str, name: impl Display) -> Self {
        let hash = Sha256::digest(format!("{kind}#{name}"));
        Self(std::array::from_fn(|at| hash[at]))
    }

    /// Returns the tag that stands as `bytes` in the log.
    #[must_use]
    pub fn from_bytes(bytes: [u8; TAG_BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns its bytes in the log.
    #[must_use]
    pub fn bytes(self) -> [u8; TAG_BYTES] {
        self.0
    }

    /// Returns the tag of all products together.
    #[must_use]
    pub fn products() -> Self {
        Self::new("products", "")
    }

    /// Returns the tag of the product `id`.
    #[must_use]
    pub fn product(id: ProductId) -> Self {
        Self::new("product", id)
    }

    /// Returns the tag of the products of `category`, without those below it.
    #[must_use]
    pub fn category(category: &Category) -> Self {
        Self::new("category", category)
    }

    /// Returns the tag of what `slug` leads to.
    #[must_use]
    pub fn slug(slug: &Slug) -> Self {
        Self::new("slug", slug)
    }

    /// Returns the tag of the tree of categories.
    #[must_use]
    pub fn tree() -> Self {
        Self::new("tree", "")
    }

    /// Returns the tags of what has changed if `product` is one side of a change.
    pub fn of(product: &Product) -> impl Iterator<Item = Self> {
        let slug = product.content.slug.as_ref();
        let always = [
            Self::products(),
            Self::product(product.id),
            Self::category(&product.category),
        ];
        always.into_iter().chain(slug.map(Self::slug))
    }
}
