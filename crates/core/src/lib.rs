//! Everything that Oxcart's functions do.
//!
//! A request flows one way: function, `api`, `rules`, `store`. Each service module owns its tables;
//! the modules beside them are what all of them speak: money, identifiers, time, problems.

pub mod address;
pub mod body;
pub mod catalog;
pub mod clock;
pub mod customers;
mod digest;
pub mod door;
pub mod dynamo;
pub mod events;
pub mod http;
pub mod id;
pub mod integrity;
pub mod inventory;
pub mod lambda;
pub mod limits;
pub mod money;
pub mod notifications;
pub mod orders;
pub mod page;
pub mod payments;
pub mod phone;
pub mod platform;
pub mod pricing;
pub mod problem;
pub mod routes;
pub mod rules;
pub mod settings;
pub mod telemetry;
#[cfg(test)]
mod testing;
