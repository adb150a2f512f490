//! Routing between the gateways of a shop: which of them takes a payment, and which is left out for a while.
//!
//! - [`plan`] reads the settings, and ranks the gateways for an order: the first takes it, the others in their turn if it
//!   cannot. The same order always has the same ranking, so a step that is run again chooses as it did before.
//!
//! docs/decisions/0049-routing-between-gateways.md gives the reasons.

pub mod plan;
