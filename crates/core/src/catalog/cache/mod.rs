//! What changed in the catalogue last, for those who keep what they have read of it.

pub mod changes;
pub mod known;
pub mod tag;

#[cfg(test)]
mod tests;
