//! What anyone may read of the catalogue, kept for a while: in the process, and in a server that processes share, if there is
//! one.
//!
//! Only [`catalogue::PublicCatalogue`] reads it, and only the two public routes of products hold that. Everything that writes,
//! quotes or places an order has a store, which has no cache.
//!
//! Invariants: what is kept is the product, not the response, so that sales begin and end by the clock and only admins see
//! what is theirs. An entry is used only if the process can show that nothing it depends on has changed since it was read
//! ([`known`]). A failure of the cache costs a read of the table, and never an error.

pub mod catalogue;
pub mod changes;
pub mod envelope;
mod kept;
pub mod known;
pub mod local;
pub mod shared;
pub mod tag;

#[cfg(test)]
mod tests;
