//! A SAM template, read strictly: what is not emulated is an error that names it.

pub use error::{Refused, TemplateError};
pub use resolve::Places;

pub(crate) use names::API_ID;

mod api;
mod buckets;
mod build;
mod builder;
mod definition;
mod error;
mod files;
mod function;
mod globals;
mod grants;
mod load;
mod names;
mod no_meaning;
mod order;
mod parameters;
mod policies;
mod reader;
mod resolve;
mod resource_policies;
mod resources;
mod rules;
mod secret;
mod sources;
mod standing;
#[cfg(test)]
mod tests;
mod yaml;
