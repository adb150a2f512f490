//! Products of the large demo as the search sees them.

use std::collections::HashMap;

use oxcart_core::values::money::Currency;
use oxcart_search::Document;
use oxcart_search::document::Text;
use uuid::Uuid;

use super::data::{self, Category, LANGUAGES};
use super::goods::{Assortment, Product};
use crate::Error;

/// Makes documents of products.
pub(crate) struct Documents {
    assortment: Assortment,
    categories: HashMap<String, Category>,
}

impl Documents {
    /// Returns them with prices in `currency`.
    ///
    /// # Errors
    /// If the data of the demo cannot be read.
    pub(crate) fn new(currency: Currency) -> Result<Self, Error> {
        let categories = data::categories()?.into_iter();
        Ok(Self {
            assortment: Assortment::new(currency)?,
            categories: categories.map(|one| (one.id.clone(), one)).collect(),
        })
    }

    /// Returns the document of product `number`.
    ///
    /// # Errors
    /// If the data names what is not there.
    pub(crate) fn document(&self, number: u32) -> Result<Document, Error> {
        let product = self.assortment.product(number)?;
        let (categories, category_names) = self.above(product.category);
        let prices = product.sold.variants().iter();
        let prices = prices.filter_map(|variant| variant.price.minor_units());
        Ok(Document {
            id: id(number),
            version: 1,
            categories,
            category_names,
            texts: texts(&product),
            attributes: attributes(&product),
            codes: codes(&product),
            price: prices.min().unwrap_or_default(),
            brand: Some(product.brand),
            tags: product.tags,
        })
    }

    /// Returns the category and those above it, and their names.
    fn above(&self, category: &str) -> (Vec<String>, Vec<(String, String)>) {
        let (mut above, mut names) = (Vec::new(), Vec::new());
        let mut next = self.categories.get(category);
        while let Some(category) = next {
            above.push(category.id.clone());
            let texts = [&category.en, &category.de, &category.zh];
            let texts = LANGUAGES.into_iter().zip(texts);
            names.extend(texts.map(|(locale, name)| (locale.to_owned(), name.clone())));
            let parent = category.parent.as_ref();
            next = parent.and_then(|parent| self.categories.get(parent));
        }
        (above, names)
    }
}

/// Returns an identifier that is the same in each run, and as hard to compress as any.
fn id(number: u32) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

fn texts(product: &Product) -> Vec<Text> {
    let own = Text {
        locale: String::new(),
        name: product.name.clone(),
        description: product.description.clone(),
    };
    let translations = product.translations.iter();
    let translations = translations.map(|(locale, texts)| Text {
        locale: (*locale).to_owned(),
        name: texts.name.clone(),
        description: texts.description.clone(),
    });
    [own].into_iter().chain(translations).collect()
}

fn attributes(product: &Product) -> Vec<(String, String)> {
    let variants = product.sold.variants().iter();
    let options = variants.flat_map(|variant| variant.options.clone());
    let mut attributes: Vec<_> = product
        .attributes
        .clone()
        .into_iter()
        .chain(options)
        .collect();
    attributes.sort();
    attributes.dedup();
    attributes
}

fn codes(product: &Product) -> Vec<String> {
    let variants = product.sold.variants().iter();
    let codes = variants.flat_map(|variant| [Some(variant.sku.clone()), variant.gtin.clone()]);
    codes.flatten().collect()
}
