//! The fields of the index.

use crate::SearchError;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
};

/// The separator between the name and the value of an attribute.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// The fields, with the schema that they are of.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    /// Names in all languages.
    pub(crate) name: Field,
    /// Brand, tags and values of attributes.
    pub(crate) keys: Field,
    /// SKUs and GTINs, without anything but letters and digits.
    pub(crate) codes: Field,
    /// Names of the category and of those above it.
    pub(crate) groups: Field,
    /// Brand, tags and names of categories, each as one term.
    pub(crate) whole: Field,
    /// Descriptions in all languages.
    pub(crate) body: Field,
    pub(crate) category: Field,
    pub(crate) brand: Field,
    pub(crate) attribute: Field,
    pub(crate) price: Field,
}

impl Fields {
    pub(crate) fn new() -> Self {
        let words = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::WithFreqs);
        let words = TextOptions::default().set_indexing_options(words);
        let whole = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let whole = TextOptions::default().set_indexing_options(whole);
        let mut schema = Schema::builder();
        Self {
            name: schema.add_text_field("name", words.clone()),
            keys: schema.add_text_field("keys", words.clone()),
            codes: schema.add_text_field("codes", whole.clone()),
            groups: schema.add_text_field("groups", words.clone()),
            whole: schema.add_text_field("whole", whole),
            body: schema.add_text_field("body", words),
            category: schema.add_text_field("category", STRING | FAST),
            brand: schema.add_text_field("brand", STRING | FAST),
            attribute: schema.add_text_field("attribute", STRING | FAST),
            price: schema.add_u64_field("price", FAST),
            schema: schema.build(),
        }
    }

    /// Returns the fields of an index that was written with `schema`, perhaps by an earlier version.
    ///
    /// # Errors
    /// Returns [`SearchError`] if it has not all of the fields.
    pub(crate) fn of(schema: &Schema) -> Result<Self, SearchError> {
        Ok(Self {
            name: schema.get_field("name")?,
            keys: schema.get_field("keys")?,
            codes: schema.get_field("codes")?,
            groups: schema.get_field("groups")?,
            whole: schema.get_field("whole")?,
            body: schema.get_field("body")?,
            category: schema.get_field("category")?,
            brand: schema.get_field("brand")?,
            attribute: schema.get_field("attribute")?,
            price: schema.get_field("price")?,
            schema: schema.clone(),
        })
    }
}
