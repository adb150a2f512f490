//! Stock: how many of a variant are available and reserved at a place.
//!
//! The items are in the inventory's table, and only [`crate::inventory`] writes them. They stand here because orders
//! read them, too, and the workflow's steps of the inventory read orders.

pub(crate) mod item;
pub mod model;
pub mod store;
