//! DynamoDB, as the stores use it. No type of the SDK leaves this module.

mod change;
mod error;
mod patience;
mod query;
mod scan;
mod shape;
mod table;
mod transact;
mod write;

pub use change::{Attempt, change, change_or};
pub use error::StoreError;
pub use query::{Query, SortKey, merged};
pub use scan::Piece;
pub(crate) use shape::{minor_units, unreadable};
pub use table::Table;
pub use write::{Key, Outcome, Write, Written};

#[cfg(test)]
mod tests;
