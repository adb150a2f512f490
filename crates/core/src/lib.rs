//! Everything that Oxcart's functions do.
//!
//! A request flows one way: function, `api`, `rules`, `store`. Each service module owns its tables. Beside the
//! services stand the rooms that all of them use, from the ground up: [`values`], [`aws`], [`http`],
//! [`runtime`] and [`event_log`]; above them, [`publisher`] tells the bus what they did.

pub mod aws;
pub mod catalog;
pub mod customers;
pub mod event_log;
pub mod http;
pub mod integrity;
pub mod inventory;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod platform;
pub mod pricing;
pub mod publisher;
pub mod runtime;
pub mod screening;
pub mod stock;
#[cfg(test)]
mod testing;
pub mod values;
