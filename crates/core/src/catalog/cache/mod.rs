//! What changed in the catalogue last, for those who keep what they have read of it.

pub mod changes;
pub mod tag;
