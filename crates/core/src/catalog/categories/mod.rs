//! The tree of categories.
//!
//! Products name their category; what is here gives it a name for people, and a place below another one. A category that a
//! product names need not be in the tree: it stands alone then, as all did before there was a tree.
//!
//! The whole tree is one item of the table of products, because every change must see all of it: no category may come to
//! stand below itself. So it has one version, and moving a branch is one write, however many products are in it.

pub mod api;
pub mod model;
pub mod rules;
pub mod store;

#[cfg(test)]
mod tests;
