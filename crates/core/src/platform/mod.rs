//! The platform: health, and the description of the API. Owns no table.

pub mod api;
