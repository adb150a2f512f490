//! Segments: indexes of some documents, which do not change once they are written.

pub use tantivy::Index;
use tantivy::TantivyDocument;
use tantivy::directory::RamDirectory;
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::SearchError;
use crate::analysis::{self, Stemmed};
use crate::document::Document;
use crate::schema::{Fields, SEPARATOR};

/// What the engine plans its table of terms by, in bytes. It is not a limit: a segment is written in as much memory as its
/// documents need.
const MEMORY_BYTES: usize = 1 << 30;

/// Returns the index of `documents`, in memory.
///
/// # Errors
/// Returns [`SearchError::Index`] if the engine fails.
pub fn write(documents: impl IntoIterator<Item = Document>) -> Result<Index, SearchError> {
    let fields = Fields::new();
    let index = Index::builder().schema(fields.schema.clone());
    let mut writer = index.single_segment_index_writer(RamDirectory::create(), MEMORY_BYTES)?;
    for document in documents {
        writer.add_document(indexed(&fields, &document))?;
    }
    Ok(writer.finalize()?)
}

/// Returns `document` as the engine takes it.
fn indexed(fields: &Fields, document: &Document) -> TantivyDocument {
    let mut indexed = TantivyDocument::new();
    let (high, low) = document.id.as_u64_pair();
    indexed.add_text(fields.id, document.id.as_simple().to_string());
    indexed.add_u64(fields.id_high, high);
    indexed.add_u64(fields.id_low, low);
    let (mut name, mut keys, mut groups, mut body) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for text in &document.texts {
        let stemmed = stemmed(&text.locale);
        name.extend(analysis::terms(&text.name, &stemmed));
        body.extend(analysis::terms(&text.description, &stemmed));
    }
    for (locale, text) in &document.category_names {
        groups.extend(analysis::terms(text, &stemmed(locale)));
    }
    let values = document.attributes.iter().map(|(_, value)| value);
    for text in document.brand.iter().chain(values).chain(&document.tags) {
        keys.extend(analysis::terms(text, &Stemmed::ALL));
    }
    let of_groups = document.category_names.iter().map(|(_, name)| name);
    let whole = of_groups.chain(&document.brand).chain(&document.tags);
    let whole = whole.flat_map(|text| Stemmed::ALL.map(|language| analysis::whole(text, language)));
    let codes = document.codes.iter().map(|code| analysis::code(code));
    for (field, terms) in [
        (fields.name, name),
        (fields.keys, keys),
        (fields.groups, groups),
        (fields.whole, whole.collect()),
        (fields.codes, codes.collect()),
        (fields.body, body),
    ] {
        indexed.add_pre_tokenized_text(field, tokenized(terms));
    }
    for category in &document.categories {
        indexed.add_text(fields.category, category);
    }
    if let Some(brand) = &document.brand {
        indexed.add_text(fields.brand, brand);
    }
    for (name, value) in &document.attributes {
        indexed.add_text(fields.attribute, format!("{name}{SEPARATOR}{value}"));
    }
    indexed.add_u64(fields.price, document.price);
    indexed
}

/// Returns the languages in which the words of a text have stems. A product's own texts may be in any.
fn stemmed(locale: &str) -> Vec<Stemmed> {
    if locale.is_empty() {
        Stemmed::ALL.to_vec()
    } else {
        Stemmed::of(locale).into_iter().collect()
    }
}

fn tokenized(terms: Vec<String>) -> PreTokenizedString {
    let tokens = terms.into_iter().enumerate().map(|(position, text)| Token {
        offset_from: 0,
        offset_to: 0,
        position,
        text,
        position_length: 1,
    });
    PreTokenizedString {
        text: String::new(),
        tokens: tokens.collect(),
    }
}

/// What an index consists of.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// All of it, in bytes.
    pub bytes: u64,
    /// How often a term is in a field of a document, each counted once for a document.
    pub postings: u64,
    /// What they take, in bytes.
    pub posting_bytes: u64,
}

/// Returns the size of `index`.
///
/// # Errors
/// Returns [`SearchError`] if it cannot be read.
pub fn size(index: &Index) -> Result<Size, SearchError> {
    let searcher = index.reader()?.searcher();
    let usage = searcher.space_usage()?;
    let of_postings = usage.segments().iter();
    let of_postings = of_postings.map(|segment| segment.postings().total().get_bytes());
    let mut postings = 0;
    for segment in searcher.segment_readers() {
        for (field, entry) in segment.schema().fields() {
            if entry.is_indexed() {
                let index = segment.inverted_index(field)?;
                let mut terms = index.terms().stream()?;
                while terms.advance() {
                    postings += u64::from(terms.value().doc_freq);
                }
            }
        }
    }
    Ok(Size {
        bytes: usage.total().get_bytes(),
        postings,
        posting_bytes: of_postings.sum(),
    })
}
