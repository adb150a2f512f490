//! The black-box suite lives in `suite.rs`.
