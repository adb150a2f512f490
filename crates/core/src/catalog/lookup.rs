//! What products are looked up by: their identifiers, and the identifiers and SKUs of their variants.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::model::Product;
use super::sku::{InvalidSku, Sku};

/// The most names of one request.
pub const MOST_NAMES: usize = 50;

/// The names by which a request asks for products: at most [`MOST_NAMES`], each once, in the order of the request. An
/// identifier has the form of an SKU, too.
///
/// Wire shape: the names with commas between them, in which an SKU that has a comma cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<Sku>);

/// Why a text is not a list of [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNames {
    /// There are too many, counting those that are repeated.
    #[error("there may be at most 50 of these")]
    TooMany,
    /// The one at this place, from 1, is not a name.
    #[error("number {0} of these, which have commas between them, is not an identifier or an SKU")]
    Invalid(usize),
}

impl Names {
    /// Returns `names` without those that are repeated.
    ///
    /// # Errors
    /// [`InvalidNames`].
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidNames> {
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for (at, name) in names.into_iter().enumerate() {
            if at == MOST_NAMES {
                return Err(InvalidNames::TooMany);
            }
            let name = name.parse::<Sku>();
            let name = name.map_err(|InvalidSku| InvalidNames::Invalid(at + 1))?;
            if seen.insert(name.clone()) {
                kept.push(name);
            }
        }
        Ok(Self(kept))
    }

    /// Returns the names in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Sku] {
        &self.0
    }
}

impl FromStr for Names {
    type Err = InvalidNames;

    fn from_str(text: &str) -> Result<Self, InvalidNames> {
        Self::new(text.split(','))
    }
}

/// What was found by names that lead to the same product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The place of the first of the names in the request.
    pub position: String,
    /// The names.
    pub names: Vec<Sku>,
    /// The product that has one of the names, if there is one.
    pub product: Option<Product>,
}

impl Found {
    /// Returns what was found by `names`, the first of which is at `position`: `product`, unless it has none of them any
    /// more.
    #[must_use]
    pub fn new(position: String, names: Vec<Sku>, product: Option<Product>) -> Self {
        let has_one = |product: &Product| names.iter().any(|name| has_name(product, name));
        Self {
            product: product.filter(has_one),
            position,
            names,
        }
    }

    /// Returns the names that the product does not have.
    pub fn missing(&self) -> impl Iterator<Item = &Sku> {
        let product = self.product.as_ref();
        self.names
            .iter()
            .filter(move |name| !product.is_some_and(|product| has_name(product, name)))
    }
}

/// Returns whether `name` is the identifier of `product`, or the identifier or the SKU of one of its variants.
fn has_name(product: &Product, name: &Sku) -> bool {
    if let Some(id) = name.variant() {
        return id.as_product() == product.id || product.variant(id).is_some();
    }
    let mut variants = product.variants.iter();
    variants.any(|variant| variant.sku.as_ref() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fifty_at_most_and_each_counts_once() {
        let names = |text: &str| {
            let names: Result<Names, InvalidNames> = text.parse();
            names.map(|names| {
                let names = names.as_slice().iter();
                names.map(ToString::to_string).collect::<Vec<_>>()
            })
        };
        assert_eq!(names("b,a 1,b").unwrap(), ["b", "a 1"]);
        for (text, at) in [("", 1), ("a,", 2), ("a, b", 2), ("a,b,\n", 3)] {
            assert_eq!(names(text), Err(InvalidNames::Invalid(at)), "{text:?}");
        }
        let long = "x".repeat(101);
        assert_eq!(names(&long), Err(InvalidNames::Invalid(1)));
        let most = ["a"; MOST_NAMES].join(",");
        assert_eq!(names(&most).unwrap(), ["a"]);
        assert_eq!(names(&format!("{most},a")), Err(InvalidNames::TooMany));
    }
}
