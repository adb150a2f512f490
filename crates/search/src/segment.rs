//! Segments: indexes of some documents, which do not change once they are written, each as one file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tantivy::directory::{Directory as _, RamDirectory};
use tantivy::index::SegmentComponent;
use tantivy::indexer::merge_indices;
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, TantivyDocument};
use uuid::Uuid;

use crate::SearchError;
use crate::analysis::{self, Stemmed};
use crate::blocks::{self, Blocks, Place};
use crate::document::Document;
use crate::facets;
use crate::ids::{self, Entry};
use crate::index::{self, IDS, Layout, META, Part};
use crate::memory::Memory;
use crate::schema::{Fields, SEPARATOR};

/// What the engine plans its table of terms by, in bytes. It is not a limit: a segment is written in as much memory as its
/// documents need.
const MEMORY_BYTES: usize = 1 << 30;

/// A segment that was written.
#[derive(Clone, Debug)]
pub struct Segment {
    /// What is known of it before it is read.
    pub layout: Layout,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Returns the segment of `documents`, each of another product.
///
/// # Errors
/// Returns [`SearchError::Index`] if the engine fails.
pub fn write(documents: impl IntoIterator<Item = Document>) -> Result<Segment, SearchError> {
    let fields = Fields::new();
    let memory = RamDirectory::create();
    let index = Index::builder().schema(fields.schema.clone());
    let mut writer = index.single_segment_index_writer(memory.clone(), MEMORY_BYTES)?;
    let mut entries = Vec::new();
    for document in documents {
        entries.push(Entry {
            id: document.id,
            version: document.version,
        });
        writer.add_document(indexed(&fields, &document))?;
    }
    packed(&writer.finalize()?, &memory, &entries)
}

/// Returns one segment of the documents of `parts` that count; `None` if there are none.
///
/// # Errors
/// Returns [`SearchError`] if they cannot be read.
pub fn merge(blocks: &Arc<Blocks>, parts: &[Part]) -> Result<Option<Segment>, SearchError> {
    let parts: Vec<Part> = parts
        .iter()
        .filter(|part| part.alive() > 0)
        .cloned()
        .collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let whole = parts
        .iter()
        .map(|part| part.segment.place((0, part.segment.bytes)));
    blocks.load(&whole.collect::<Vec<_>>())?;
    let mut entries = Vec::new();
    for part in &parts {
        let of_part = part.segment.ids(blocks)?.all()?;
        let numbered = (0..).zip(of_part);
        entries.extend(
            numbered
                .filter(|(number, _)| !part.gone.0.contains(*number))
                .map(|(_, entry)| entry),
        );
    }
    let memory = RamDirectory::create();
    let index = merge_indices(&[index::open(blocks, &parts)?], memory.clone())?;
    packed(&index, &memory, &entries).map(Some)
}

/// The engine's files of a segment. Those that are read together stand together.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FieldNorms,
    SegmentComponent::FastFields,
    SegmentComponent::Store,
    SegmentComponent::Terms,
];

/// Returns the only segment of `index`, which is in `memory`, as one file.
fn packed(index: &Index, memory: &RamDirectory, entries: &[Entry]) -> Result<Segment, SearchError> {
    let metas = index.searchable_segment_metas()?;
    let meta = metas.first();
    let meta = meta.ok_or(SearchError::Damaged("nothing was written"))?;
    if usize::try_from(meta.max_doc()).ok() != Some(entries.len()) {
        return Err(io::Error::other("the segment has other documents than were written").into());
    }
    let id = Uuid::parse_str(&meta.id().uuid_string()).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    let mut files = BTreeMap::new();
    let mut add = |name: &str, file: &[u8]| {
        let start = bytes.len() as u64;
        bytes.extend_from_slice(file);
        files.insert(name.to_owned(), (start, bytes.len() as u64));
    };
    for component in COMPONENTS {
        let path = meta.relative_path(component.clone());
        if memory.exists(&path).unwrap_or(false) {
            add(&component.to_string(), &raw(memory, &path)?);
        }
    }
    add(META, &raw(memory, Path::new(META))?);
    add(IDS, &ids::write(entries));
    let mut layout = Layout {
        id,
        documents: meta.max_doc(),
        bytes: bytes.len() as u64,
        files,
        opened: Vec::new(),
    };
    let kept = Memory::default();
    kept.put(id, bytes);
    layout.opened = opened(&layout, &kept)?;
    let bytes = kept.take(id).unwrap_or_default();
    Ok(Segment { layout, bytes })
}

fn raw(memory: &RamDirectory, path: &Path) -> Result<Vec<u8>, SearchError> {
    let file = memory
        .get_file_handle(path)
        .map_err(tantivy::TantivyError::from)?;
    Ok(file.read_bytes(0..file.len())?.to_vec())
}

/// Returns which bytes of a segment are read whatever is searched: to open it, with the dictionaries of the fields in which
/// words are looked for, and the columns of what is counted.
fn opened(layout: &Layout, kept: &Memory) -> Result<Vec<(u64, u64)>, SearchError> {
    let blocks = Arc::new(Blocks::new(kept.clone(), 0));
    let mut outcome = Ok(());
    let mut places = blocks::noted(false, || {
        outcome = index::open(&blocks, &[Part::new(layout.clone())]).and_then(|index| {
            let fields = Fields::of(&index.schema())?;
            for segment in index.reader()?.searcher().segment_readers() {
                for field in [
                    fields.name,
                    fields.keys,
                    fields.groups,
                    fields.body,
                    fields.whole,
                ] {
                    segment.inverted_index(field)?;
                }
                facets::read_columns(segment)?;
            }
            Ok(())
        });
    });
    outcome?;
    places.sort_unstable_by_key(|place| place.bytes.start);
    let mut opened: Vec<(u64, u64)> = Vec::new();
    for Place { bytes, .. } in places {
        match opened.last_mut() {
            Some((_, end)) if *end >= bytes.start => *end = bytes.end.max(*end),
            _ => opened.push((bytes.start, bytes.end)),
        }
    }
    Ok(opened)
}
/// Returns `document` as the engine takes it.
fn indexed(fields: &Fields, document: &Document) -> TantivyDocument {
    let mut indexed = TantivyDocument::new();
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
