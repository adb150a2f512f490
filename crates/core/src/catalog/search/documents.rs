//! Products as the search sees them.

use oxcart_search::Document;
use oxcart_search::document::Text;
use uuid::Uuid;

use crate::catalog::categories::model::Tree;
use crate::catalog::model::{Product, Status};
use crate::values::id::ProductId;
use crate::values::money::Money;

/// Returns the document of `product`. One that is not active has nothing but its version: nothing finds it, and older
/// versions of it do not count.
pub(super) fn document(product: &Product, tree: &Tree) -> Document {
    let known = Document {
        id: Uuid::from_bytes(*product.id.as_bytes()),
        version: product.version,
        ..Document::default()
    };
    if product.status != Status::Active {
        return known;
    }
    let own = Text {
        locale: String::new(),
        name: product.name.clone(),
        description: product.description.clone(),
    };
    let translated = product.content.translations.iter();
    let translated = translated.map(|(locale, texts)| Text {
        locale: locale.clone(),
        name: texts.name.clone(),
        description: texts.description.clone().unwrap_or_default(),
    });
    let path = tree.path(&product.category);
    let nodes = path.iter().filter_map(|id| tree.nodes.get(id));
    let names = nodes.flat_map(|node| {
        let own = (String::new(), node.names.name.clone());
        let translated = node.names.translations.iter();
        let translated = translated.map(|(locale, name)| (locale.clone(), name.clone()));
        [own].into_iter().chain(translated)
    });
    let codes = product.variants.iter().flat_map(|variant| {
        let sku = variant.sku.as_ref().map(ToString::to_string);
        let gtin = variant.gtin.clone().map(String::from);
        sku.into_iter().chain(gtin)
    });
    let lowest = product.lowest(|prices| prices.regular);
    Document {
        texts: [own].into_iter().chain(translated).collect(),
        categories: path.iter().map(ToString::to_string).collect(),
        category_names: names.collect(),
        brand: product.content.brand.clone(),
        tags: product.content.tags.clone(),
        codes: codes.collect(),
        attributes: attributes(product),
        price: lowest.and_then(Money::minor_units).unwrap_or_default(),
        ..known
    }
}

/// Returns the attributes, and the values of options that some variant has, each once.
fn attributes(product: &Product) -> Vec<(String, String)> {
    let options = product.variants.iter().flat_map(|variant| &variant.options);
    let all = product.attributes.iter().chain(options);
    let all = all.map(|(name, value)| (name.clone(), value.clone()));
    let mut all: Vec<(String, String)> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Returns the product of a document.
pub(super) fn product_id(id: Uuid) -> ProductId {
    ProductId::from_bytes(id.into_bytes())
}
