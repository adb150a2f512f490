//! What is searched of a product.

use uuid::Uuid;

/// A product as the index sees it.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Its identifier.
    pub id: Uuid,
    /// Its version, from 1. Of two documents of a product, the one with the higher version counts.
    pub version: u64,
    /// Its texts, in each language that it has.
    pub texts: Vec<Text>,
    /// The identifiers of its category and of those above it.
    pub categories: Vec<String>,
    /// The names of these categories, with their languages.
    pub category_names: Vec<(String, String)>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The SKUs and GTINs of its variants.
    pub codes: Vec<String>,
    /// Its attributes and the options of its variants, as names and values.
    pub attributes: Vec<(String, String)>,
    /// What it costs at least, in the currency's smallest units.
    pub price: u64,
}

/// The texts of a product in one language.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// The language, as a tag of BCP 47; of the product's own texts, which may be in any, it is empty.
    pub locale: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: String,
}
