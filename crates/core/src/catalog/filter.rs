//! Which products of a list are wanted.

use std::collections::{BTreeMap, HashMap};

use crate::http::problem::Problem;

use super::model::Product;

/// The most attributes that a list can be filtered by.
const MOST_ATTRIBUTES: usize = 5;

/// What the products of a list have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Values of attributes or of options, by their names.
    attributes: BTreeMap<String, String>,
}

impl Filter {
    /// Reads the parameters `attributes[<name>]` of `query`, which is what [`crate::http::exchange::Request::query`]
    /// returned.
    ///
    /// # Errors
    /// [`Problem::InvalidParameters`] if there are more than five.
    pub fn read(query: &HashMap<&str, &str>) -> Result<Self, Problem> {
        let parameters = query.iter().filter_map(|(parameter, value)| {
            let name = parameter.strip_prefix("attributes[")?.strip_suffix(']')?;
            Some((name.to_owned(), (*value).to_owned()))
        });
        let attributes: BTreeMap<String, String> = parameters.collect();
        if attributes.len() <= MOST_ATTRIBUTES {
            Ok(Self { attributes })
        } else {
            let detail = "there may be at most five of these";
            Err(Problem::parameter("?attributes", detail))
        }
    }

    /// Returns the values of attributes or of options, by their names.
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// Returns whether `product` has all the attributes. What it does not have itself, one of its variants has: all of it,
    /// as values of its options.
    #[must_use]
    pub fn matches(&self, product: &Product) -> bool {
        let is_in = |texts: &BTreeMap<String, String>, name: &str, value: &str| {
            texts.get(name).is_some_and(|text| text == value)
        };
        let of_variants: Vec<_> = self
            .attributes
            .iter()
            .filter(|(name, value)| !is_in(&product.attributes, name, value))
            .collect();
        let has_all = |options| {
            let mut wanted = of_variants.iter();
            wanted.all(|(name, value)| is_in(options, name, value))
        };
        of_variants.is_empty()
            || product
                .variants
                .iter()
                .any(|variant| has_all(&variant.options))
    }
}
