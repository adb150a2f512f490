//! AWS as the shop uses it: its clients, DynamoDB, queues, the settings, and logs.

mod clients;
pub mod dynamo;
pub mod gate;
pub mod queue;
pub mod settings;
pub mod telemetry;

pub use clients::{Aws, MissingVariable, start};
