//! Images of products that admins upload to the bucket of images.
//!
//! An image is a file in the bucket and nothing else: no table knows it, and nothing lists or removes it. Its address,
//! `/images/<name>`, is known before the file is there, and stands in products as addresses of other images do.
//!
//! Invariants: a name is given once, so browsers may keep a file for good; the bucket takes the file only under
//! its name, with its media type, and up to [`model::MOST_BYTES`].

pub mod api;
pub(in crate::catalog) mod fields;
pub mod model;

#[cfg(test)]
mod tests;
