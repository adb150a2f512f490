//! Decides how the tree of categories may change.

use crate::catalog::model::Category;
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;

use super::model::{CategoryError, MOST_CATEGORIES, MOST_LEVELS, Node, Tree};

/// Returns `tree` with the category `id` as `node` says, or `None` if it is so already, perhaps because the request was made
/// before and its response was lost.
///
/// # Errors
/// [`CategoryError::Unconditional`] if the category is there and `expected` is `None`; [`CategoryError::Stale`] if
/// `expected` is another version of the tree; [`CategoryError::UnknownParent`], [`CategoryError::OwnBranch`],
/// [`CategoryError::TooDeep`], [`CategoryError::TooMany`].
pub fn put(
    tree: &Tree,
    id: &Category,
    node: Node,
    expected: Option<&IfMatch>,
    now: Time,
) -> Result<Option<Tree>, CategoryError> {
    let before = tree.nodes.get(id);
    if before.is_some() && expected.is_none() {
        return Err(CategoryError::Unconditional);
    }
    if before == Some(&node) {
        return Ok(None);
    }
    if let Some(expected) = expected {
        expect(tree, expected)?;
    }
    if let Some(parent) = &node.parent {
        if !tree.nodes.contains_key(parent) {
            return Err(CategoryError::UnknownParent);
        }
        if tree.branch(id).contains(parent) {
            return Err(CategoryError::OwnBranch);
        }
        if tree.path(parent).len() + tree.levels_below(id) > MOST_LEVELS {
            return Err(CategoryError::TooDeep);
        }
    }
    let mut next = changed(tree, now);
    next.nodes.insert(id.clone(), node);
    if next.nodes.len() > MOST_CATEGORIES {
        return Err(CategoryError::TooMany);
    }
    Ok(Some(next))
}

/// Returns `tree` without the category `id`. Products that name it keep it.
///
/// # Errors
/// [`CategoryError::Stale`] if `expected` is another version of the tree; [`CategoryError::NotFound`];
/// [`CategoryError::HasChildren`].
pub fn remove(
    tree: &Tree,
    id: &Category,
    expected: &IfMatch,
    now: Time,
) -> Result<Tree, CategoryError> {
    if !tree.nodes.contains_key(id) {
        return Err(CategoryError::NotFound);
    }
    expect(tree, expected)?;
    if tree.has_children(id) {
        return Err(CategoryError::HasChildren);
    }
    let mut next = changed(tree, now);
    next.nodes.remove(id);
    Ok(next)
}

fn expect(tree: &Tree, expected: &IfMatch) -> Result<(), CategoryError> {
    if expected.allows(&tree.tag()) {
        Ok(())
    } else {
        Err(CategoryError::Stale)
    }
}

/// Returns the next version of `tree`, with the same categories.
fn changed(tree: &Tree, now: Time) -> Tree {
    Tree {
        nodes: tree.nodes.clone(),
        version: tree.version + 1,
        updated_at: now.no_earlier_than(tree.updated_at),
    }
}
