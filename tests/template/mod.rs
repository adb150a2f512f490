//! What holds code, template, workflow and samples together.

mod alarms;
mod features;
mod modules;
mod names;
mod openapi;
mod prose;
mod read;
mod routes;
mod samples;
mod security;
mod services;
mod specification;
mod workflow;
