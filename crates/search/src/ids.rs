//! Which product each document of a segment is, and in which version: a table of its own beside the engine's files.
//!
//! It has an entry for each document, in their order, and then the numbers of the documents in the order of their
//! identifiers.

use std::cmp::Ordering;
use std::io;
use std::ops::Range;

use uuid::Uuid;

use crate::blocks::{Blocks, Place};

/// A document's product, and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The product.
    pub id: Uuid,
    /// Its version, from 1.
    pub version: u64,
}

/// The size of an entry, in bytes.
const ENTRY: u64 = 24;

/// The size of the number of a document, in bytes.
const NUMBER: u64 = 4;

/// Returns the table of these entries.
pub(crate) fn write(entries: &[Entry]) -> Vec<u8> {
    let numbered = entries.iter().map(|entry| entry.id).zip(0_u32..);
    let mut numbered: Vec<(Uuid, u32)> = numbered.collect();
    numbered.sort_unstable();
    let mut bytes = Vec::with_capacity(entries.len() * 28);
    for entry in entries {
        bytes.extend_from_slice(entry.id.as_bytes());
        bytes.extend_from_slice(&entry.version.to_be_bytes());
    }
    bytes.extend(numbered.iter().flat_map(|(_, number)| number.to_be_bytes()));
    bytes
}

/// The table of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids<'a> {
    pub(crate) blocks: &'a Blocks,
    pub(crate) segment: Uuid,
    /// Where in the file of the segment it begins.
    pub(crate) from: u64,
    pub(crate) documents: u32,
}

impl Ids<'_> {
    /// Returns where the entry of a document is.
    pub(crate) fn place(&self, document: u32) -> Place {
        let start = self.from + u64::from(document) * ENTRY;
        self.at(start..start + ENTRY)
    }

    /// Returns the entry of a document.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn get(&self, document: u32) -> io::Result<Entry> {
        entry(self.blocks.read(self.place(document))?.as_slice())
    }

    /// Returns all entries.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn all(&self) -> io::Result<Vec<Entry>> {
        let end = self.from + u64::from(self.documents) * ENTRY;
        let bytes = self.blocks.read(self.at(self.from..end))?;
        let size = usize::try_from(ENTRY).map_err(io::Error::other)?;
        bytes.as_slice().chunks(size).map(entry).collect()
    }

    /// Returns the document of the product `id`, and its version.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) fn find(&self, id: Uuid) -> io::Result<Option<(u32, u64)>> {
        let order = self.from + u64::from(self.documents) * ENTRY;
        let (mut low, mut high) = (0, self.documents);
        while low < high {
            let middle = low + (high - low) / 2;
            let start = order + u64::from(middle) * NUMBER;
            let number = self.blocks.read(self.at(start..start + NUMBER))?;
            let number = number.as_slice().try_into().map_err(io::Error::other)?;
            let number = u32::from_be_bytes(number);
            let entry = self.get(number)?;
            match entry.id.cmp(&id) {
                Ordering::Equal => return Ok(Some((number, entry.version))),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn at(&self, bytes: Range<u64>) -> Place {
        Place {
            segment: self.segment,
            bytes,
        }
    }
}

fn entry(bytes: &[u8]) -> io::Result<Entry> {
    let (id, version) = bytes
        .split_at_checked(16)
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Entry {
        id: Uuid::from_slice(id).map_err(io::Error::other)?,
        version: u64::from_be_bytes(version.try_into().map_err(io::Error::other)?),
    })
}
