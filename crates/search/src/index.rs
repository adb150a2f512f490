//! Some segments that are one index.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roaring::RoaringBitmap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use tantivy::directory::{Directory as _, OwnedBytes, RamDirectory, TerminatingWrite as _};
use tantivy::fastfield::write_alive_bitset;
use tantivy::schema::Schema;
use tantivy::{BitSet, Index, IndexSettings};
use uuid::Uuid;

use crate::SearchError;
use crate::blocks::{Blocks, Place};
use crate::directory::{File, ReadOnly};
use crate::ids::Ids;

/// The name of the engine's description of an index.
pub(crate) const META: &str = "meta.json";

/// The name of the table of identifiers.
pub(crate) const IDS: &str = "ids";

/// What is known of a segment before any of it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The segment.
    pub id: Uuid,
    /// How many documents it has.
    pub documents: u32,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Where in it which file begins and ends.
    pub files: BTreeMap<String, (u64, u64)>,
    /// Which bytes are read whatever is searched.
    pub opened: Vec<(u64, u64)>,
}

/// Numbers of documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers(pub RoaringBitmap);

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let written = self.0.serialize_into(&mut bytes);
        written.map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        let numbers = RoaringBitmap::deserialize_from(bytes.as_slice());
        numbers.map(Self).map_err(serde::de::Error::custom)
    }
}

/// A segment of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The segment.
    pub segment: Layout,
    /// The documents that do not count any more, because another segment has a newer version of their product.
    pub gone: Numbers,
}

impl Part {
    /// Returns a segment of which every document counts.
    #[must_use]
    pub fn new(segment: Layout) -> Self {
        Self {
            segment,
            gone: Numbers::default(),
        }
    }

    /// Returns how many documents count.
    #[must_use]
    pub fn alive(&self) -> u64 {
        u64::from(self.segment.documents).saturating_sub(self.gone.0.len())
    }
}

impl Layout {
    pub(crate) fn place(&self, (start, end): (u64, u64)) -> Place {
        Place {
            segment: self.id,
            bytes: start..end,
        }
    }

    pub(crate) fn ids<'a>(&self, blocks: &'a Blocks) -> io::Result<Ids<'a>> {
        let (from, _) = *self.files.get(IDS).ok_or(io::ErrorKind::NotFound)?;
        Ok(Ids {
            blocks,
            segment: self.id,
            from,
            documents: self.documents,
        })
    }
}

/// Returns the index of `parts`, which have one schema: at least one.
///
/// # Errors
/// Returns [`SearchError`] if it cannot be read.
pub(crate) fn open(blocks: &Arc<Blocks>, parts: &[Part]) -> Result<Index, SearchError> {
    let first = parts
        .first()
        .ok_or(SearchError::Damaged("it has no segments"))?;
    let opened = parts.iter().flat_map(|part| {
        let places = part.segment.opened.iter();
        places.map(|place| part.segment.place(*place))
    });
    blocks.load(&opened.collect::<Vec<_>>())?;
    let mut files: HashMap<PathBuf, File> = HashMap::new();
    for part in parts {
        let segment = &part.segment;
        for (name, place) in &segment.files {
            let path = format!("{}.{name}", segment.id.as_simple());
            files.insert(path.into(), File::Stored(segment.place(*place)));
        }
    }
    let meta = first.segment.files.get(META);
    let meta = meta.ok_or(SearchError::Damaged("a segment is not described"))?;
    let meta = blocks.read(first.segment.place(*meta))?;
    let mut meta: Value = serde_json::from_slice(&meta).map_err(io::Error::other)?;
    let schema = Schema::deserialize(&meta["schema"]).map_err(io::Error::other)?;
    meta["segments"] = parts.iter().map(described).collect();
    for part in parts.iter().filter(|part| !part.gone.0.is_empty()) {
        let path: PathBuf = format!("{}.{GONE_OPSTAMP}.del", part.segment.id.as_simple()).into();
        let made = File::Made(alive(part, &path, schema.clone())?);
        files.insert(path, made);
    }
    let meta = serde_json::to_vec(&meta).map_err(io::Error::other)?;
    files.insert(META.into(), File::Made(OwnedBytes::new(meta)));
    Ok(Index::open(ReadOnly::new(Arc::clone(blocks), files))?)
}

/// The engine's number of the change after which documents were gone. It has a meaning only while an index is written.
const GONE_OPSTAMP: u64 = 1;

/// Returns what the engine's description of an index says of a segment.
fn described(part: &Part) -> Value {
    let gone = part.gone.0.len();
    let deletes = (gone > 0).then(|| json!({"num_deleted_docs": gone, "opstamp": GONE_OPSTAMP}));
    json!({
        "segment_id": part.segment.id,
        "max_doc": part.segment.documents,
        "deletes": deletes,
    })
}

/// Returns the engine's file of the documents of `part` that count.
fn alive(part: &Part, path: &Path, schema: Schema) -> Result<OwnedBytes, SearchError> {
    let mut alive = BitSet::with_max_value_and_full(part.segment.documents);
    for gone in &part.gone.0 {
        alive.remove(gone);
    }
    let memory = RamDirectory::create();
    // The directory of an index ends each file as the engine expects it.
    let index = Index::create(memory.clone(), schema, IndexSettings::default())?;
    let mut file = index
        .directory()
        .open_write(path)
        .map_err(tantivy::TantivyError::from)?;
    write_alive_bitset(&alive, &mut file)?;
    file.terminate()?;
    let file = memory
        .get_file_handle(path)
        .map_err(tantivy::TantivyError::from)?;
    Ok(file.read_bytes(0..file.len())?)
}
