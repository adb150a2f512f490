//! The tree of categories, and why a change of it fails.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::aws::dynamo::StoreError;
use crate::catalog::model::Category;
use crate::catalog::names::Names;
use crate::http::problem::Problem;
use crate::values::clock::Time;

/// The most categories of a shop. A list of a branch asks for the products of each of them.
pub const MOST_CATEGORIES: usize = 1_000;

/// The most levels of the tree.
pub const MOST_LEVELS: usize = 10;

/// The highest position of a category among those with the same parent.
pub const MOST_POSITION: u32 = 1_000_000;

/// What a category is called, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called.
    pub names: Names,
    /// The category that it is part of, if it is part of one.
    pub parent: Option<Category>,
    /// Its place among those with the same parent, from 0 to [`MOST_POSITION`]. Those with the same place are sorted by
    /// their identifiers.
    pub position: u32,
}

/// The categories of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// All of them.
    pub nodes: BTreeMap<Category, Node>,
    /// The number of changes, 0 before the first one.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Time,
}

impl Tree {
    /// Returns the tree of a shop that has none.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            nodes: BTreeMap::new(),
            version: 0,
            updated_at: Time::from_millis(0),
        }
    }

    /// Returns its entity tag.
    #[must_use]
    pub fn tag(&self) -> String {
        self.version.to_string()
    }

    /// Returns the categories below each one, in their order; below `None` are those that are part of no other.
    fn children(&self) -> BTreeMap<Option<&Category>, Vec<&Category>> {
        let mut children: BTreeMap<_, Vec<(u32, &Category)>> = BTreeMap::new();
        for (id, node) in &self.nodes {
            let siblings = children.entry(node.parent.as_ref()).or_default();
            siblings.push((node.position, id));
        }
        let children = children.into_iter().map(|(parent, mut siblings)| {
            siblings.sort_unstable();
            (parent, siblings.into_iter().map(|(_, id)| id).collect())
        });
        children.collect()
    }

    /// Returns whether there are categories below `id`.
    #[must_use]
    pub fn has_children(&self, id: &Category) -> bool {
        self.nodes
            .values()
            .any(|node| node.parent.as_ref() == Some(id))
    }

    /// Returns `id`, which need not be in the tree, and all categories below it.
    #[must_use]
    pub fn branch(&self, id: &Category) -> BTreeSet<Category> {
        let children = self.children();
        let mut branch = BTreeSet::from([id.clone()]);
        let mut left = VecDeque::from([id]);
        while let Some(parent) = left.pop_front() {
            for child in children.get(&Some(parent)).into_iter().flatten() {
                if branch.insert((*child).clone()) {
                    left.push_back(child);
                }
            }
        }
        branch
    }

    /// Returns how many levels the branch of `id` has.
    #[must_use]
    pub fn levels_below(&self, id: &Category) -> usize {
        let branch = self.branch(id);
        let depths = branch.iter().map(|below| self.path(below).len());
        let deepest = depths.max().unwrap_or(1);
        deepest + 1 - self.path(id).len()
    }

    /// Returns the categories that `id` is part of, beginning with `id` itself.
    #[must_use]
    pub fn path(&self, id: &Category) -> Vec<Category> {
        let mut path = vec![id.clone()];
        while let Some(parent) = path.last().and_then(|last| self.parent(last)) {
            if path.contains(parent) {
                break;
            }
            path.push(parent.clone());
        }
        path
    }

    fn parent(&self, id: &Category) -> Option<&Category> {
        self.nodes.get(id).and_then(|node| node.parent.as_ref())
    }

    /// Returns all categories, each before those below it, and those beside each other in their order.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Category> {
        let children = self.children();
        let below = |parent: Option<&Category>| {
            let below = children.get(&parent).into_iter().flatten();
            below.copied().rev().collect::<Vec<_>>()
        };
        let mut ordered = Vec::with_capacity(self.nodes.len());
        let mut left = below(None);
        while let Some(next) = left.pop() {
            ordered.push(next);
            left.extend(below(Some(next)));
        }
        ordered
    }
}

/// Why a request about categories fails.
#[derive(Debug, thiserror::Error)]
pub enum CategoryError {
    /// The tree has no such category.
    #[error("there is no such category")]
    NotFound,
    /// The category is there, and the request does not say which version of the tree it expects.
    #[error("the category exists, and can only be changed with If-Match")]
    Unconditional,
    /// The tree has changed since it was read.
    #[error("the categories have changed since they were read")]
    Stale,
    /// The parent is not in the tree.
    #[error("there is no category with this identifier; create it first")]
    UnknownParent,
    /// The parent is the category itself, or below it.
    #[error("a category cannot be part of itself or of one below it")]
    OwnBranch,
    /// The tree would get too many levels.
    #[error("the tree would have more than 10 levels")]
    TooDeep,
    /// The shop has as many categories as it can have.
    #[error("A shop has at most 1000 categories.")]
    TooMany,
    /// There are categories below the one that is to be removed.
    #[error("There are categories below this one. Move or remove them first.")]
    HasChildren,
    /// The tree does not fit in an item of the table.
    #[error("all names of the categories together are too long: they must fit in 380,000 bytes")]
    TooLarge,
    /// The database did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CategoryError> for Problem {
    fn from(error: CategoryError) -> Self {
        let text = error.to_string();
        match error {
            CategoryError::NotFound => Self::NotFound("category"),
            CategoryError::Unconditional => Self::PreconditionRequired,
            CategoryError::Stale => Self::PreconditionFailed,
            CategoryError::UnknownParent => Self::field("/parent", "unknown", text),
            CategoryError::OwnBranch => Self::field("/parent", "own_branch", text),
            CategoryError::TooDeep => Self::field("/parent", "too_deep", text),
            CategoryError::TooLarge => Self::field("", "too_large", text),
            CategoryError::TooMany | CategoryError::HasChildren => Self::Conflict(text),
            CategoryError::Store(error) => error.into(),
        }
    }
}
