//! Everything that Oxcart's functions do.
//!
//! A request flows one way: function, `api`, `rules`, `store`. Each service module owns its tables;
//! the modules beside them are what all of them speak: money, identifiers, time, problems.

pub mod catalog;
pub mod customers;
pub mod dynamo;
pub mod http;
pub mod integrity;
pub mod inventory;
pub mod lambda;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod platform;
pub mod pricing;
pub mod rules;
pub mod settings;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod values;
