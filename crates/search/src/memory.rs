//! Segments in memory.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use crate::blocks::{Files, Place};
use crate::index::Layout;
use crate::segment::Segment;

/// Segments in memory. Those that it is cloned to are the same.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<RwLock<HashMap<Uuid, Vec<u8>>>>);

impl Memory {
    /// Keeps `segment`. Returns what is known of it.
    #[must_use]
    pub fn keep(&self, segment: Segment) -> Layout {
        self.put(segment.layout.id, segment.bytes);
        segment.layout
    }

    pub(crate) fn put(&self, id: Uuid, bytes: Vec<u8>) {
        let mut segments = self.0.write().unwrap_or_else(PoisonError::into_inner);
        segments.insert(id, bytes);
    }

    /// Returns the bytes of the segment `id`, which is not kept any more.
    #[must_use]
    pub fn take(&self, id: Uuid) -> Option<Vec<u8>> {
        let mut segments = self.0.write().unwrap_or_else(PoisonError::into_inner);
        segments.remove(&id)
    }
}

impl Files for Memory {
    fn read(&self, places: &[Place]) -> io::Result<Vec<Vec<u8>>> {
        let segments = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let read = places.iter().map(|place| {
            let segment = segments.get(&place.segment);
            let segment = segment.ok_or(io::ErrorKind::NotFound)?;
            let at =
                |at: u64| usize::try_from(at).map_or(segment.len(), |at| at.min(segment.len()));
            Ok(segment[at(place.bytes.start)..at(place.bytes.end)].to_vec())
        });
        read.collect()
    }
}
