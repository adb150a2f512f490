//! Collections, and why a request about them fails.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::dynamo::StoreError;
use crate::catalog::content::Slug;
use crate::catalog::names::Names;
use crate::catalog::sort::Sort;
use crate::http::problem::Problem;
use crate::screening::cel::CompileError;
use crate::values::clock::Time;
use crate::values::id::ProductId;

/// The most collections of a shop. Each change of a product is compared with the rules of all of them.
pub const MOST_COLLECTIONS: usize = 100;

/// The most products of a collection by hand.
pub const MOST_BY_HAND: usize = 500;

/// The most sets of entries that wait to be removed.
pub const MOST_LEFT: usize = 100;

/// A collection, without the products that were chosen by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// What it is called.
    pub names: Names,
    /// How its products are chosen.
    pub choice: Choice,
}

/// How the products of a collection are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// By hand, in an order of their own.
    Hand,
    /// By a rule.
    Rule(Chosen),
}

/// A collection's rule, and how far its entries are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// An expression over a product.
    pub rule: String,
    /// How its products are sorted unless a request says otherwise.
    pub sort: Sort,
    /// The number of the set of entries that belongs to the rule.
    pub set: u64,
    /// Where in the table of products the set has got to; `None` at the beginning.
    pub after: Option<String>,
    /// The set of entries that is shown; `None` while the first one is made.
    pub shown: Option<u64>,
}

impl Chosen {
    /// Returns whether the entries of the rule are all there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.shown == Some(self.set)
    }
}

/// What a request says that a collection is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// As [`Collection::names`].
    pub names: Names,
    /// How its products are chosen.
    pub choice: DraftChoice,
}

/// How a request says that the products of a collection are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftChoice {
    /// These products, in this order: at most [`MOST_BY_HAND`], each once.
    Hand(Vec<ProductId>),
    /// Those for which this expression holds.
    Rule(String, Sort),
}

/// All collections of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collections {
    /// All of them.
    pub all: BTreeMap<Slug, Collection>,
    /// Sets of entries that no collection has any more, and that are to be removed ([`set_name`]).
    pub left: BTreeSet<String>,
    /// The number of changes by admins, 0 before the first one.
    pub version: u64,
    /// The number of all changes, also of what is made of the rules.
    pub revision: u64,
    /// When an admin last changed them.
    pub updated_at: Time,
}

impl Collections {
    /// Returns the collections of a shop that has none.
    #[must_use]
    pub fn none() -> Self {
        Self {
            all: BTreeMap::new(),
            left: BTreeSet::new(),
            version: 0,
            revision: 0,
            updated_at: Time::from_millis(0),
        }
    }

    /// Returns their entity tag.
    #[must_use]
    pub fn tag(&self) -> String {
        self.version.to_string()
    }

    /// Returns each rule with the name of its set of entries.
    pub fn rules(&self) -> impl Iterator<Item = (String, &Chosen)> {
        self.all
            .iter()
            .filter_map(|(id, collection)| match &collection.choice {
                Choice::Rule(chosen) => Some((set_name(id, chosen.set), chosen)),
                Choice::Hand => None,
            })
    }
}

/// Returns the key of a set of entries: `<collection>#<set>`.
#[must_use]
pub fn set_name(collection: &Slug, set: u64) -> String {
    format!("{collection}#{set}")
}

/// Why a request about collections fails.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// There is no such collection.
    #[error("there is no such collection")]
    NotFound,
    /// The collection is there, and the request does not say which version it expects.
    #[error("the collection exists, and can only be changed with If-Match")]
    Unconditional,
    /// The collections have changed since they were read.
    #[error("the collections have changed since they were read")]
    Stale,
    /// The rule is not a valid expression.
    #[error(transparent)]
    Rule(#[from] CompileError),
    /// The shop has as many collections as it can have.
    #[error("A shop has at most 100 collections.")]
    TooMany,
    /// The entries of too many earlier rules are still being removed.
    #[error("Too many rules have changed at once. Try again in some minutes.")]
    TooManyLeft,
    /// The collections do not fit in an item of the table.
    #[error(
        "all names and rules of the collections together are too long: they must fit in 380,000 bytes"
    )]
    TooLarge,
    /// The database did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CollectionError> for Problem {
    fn from(error: CollectionError) -> Self {
        let text = error.to_string();
        match error {
            CollectionError::NotFound => Self::NotFound("collection"),
            CollectionError::Unconditional => Self::PreconditionRequired,
            CollectionError::Stale => Self::PreconditionFailed,
            CollectionError::Rule(_) => Self::field("/rule", "invalid", text),
            CollectionError::TooLarge => Self::field("", "too_large", text),
            CollectionError::TooMany | CollectionError::TooManyLeft => Self::Conflict(text),
            CollectionError::Store(error) => error.into(),
        }
    }
}
