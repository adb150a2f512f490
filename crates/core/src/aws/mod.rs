//! AWS as the shop uses it: its clients, DynamoDB, queues, the buckets of files, the settings, and logs.

pub mod bucket;
mod clients;
pub mod dynamo;
pub mod form;
pub mod gate;
pub mod queue;
pub mod settings;
pub mod telemetry;

pub use clients::{Aws, MissingVariable, start};
