//! Routing between the gateways of a shop: which of them takes a payment, and which is left out for a while.
//!
//! - [`plan`] reads the settings, and ranks the gateways for an order: the first takes it, the others in their turn if it
//!   cannot. The same order always has the same ranking, so a step that is run again chooses as it did before.
//! - [`breaker`] decides, from how calls went, when a gateway is left out and when it is tried again.
//! - [`store`] keeps the state of the breakers, one small item for each gateway.
//! - [`router`] puts them together.
//! - [`routes`] is what the payment's steps know of all this.
//!
//! docs/decisions/0049-routing-between-gateways.md gives the reasons.

pub mod breaker;
pub mod plan;
pub mod router;
pub mod routes;
pub mod store;
