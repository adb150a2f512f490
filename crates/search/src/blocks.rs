//! The bytes of segments, wherever they are kept, read in blocks. Those that were needed last stay in memory.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use tantivy::directory::OwnedBytes;
use uuid::Uuid;

/// The size of a block, in bytes.
const BLOCK: u64 = 16 * 1024;

/// The most blocks that are read as one range.
const MOST_AT_ONCE: u64 = 256;

/// Some bytes of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The segment.
    pub segment: Uuid,
    /// Which bytes.
    pub bytes: Range<u64>,
}

/// Where segments are kept, each as one file.
pub trait Files: Send + Sync {
    /// Returns the bytes of each of `places`, of which the last one of a file may go beyond its end. They are read at the
    /// same time, if that is possible.
    ///
    /// # Errors
    /// If one of them cannot be read.
    fn read(&self, places: &[Place]) -> io::Result<Vec<Vec<u8>>>;
}

/// The blocks of segments.
pub struct Blocks {
    files: Box<dyn Files>,
    kept: Mutex<LruCache<(Uuid, u64), Kept>>,
}

/// A block: a part of a buffer that it shares with the blocks that it was read or put together with, so that these are
/// one piece without being copied.
#[derive(Clone)]
struct Kept {
    buffer: OwnedBytes,
    /// Where it begins.
    at: usize,
}

impl fmt::Debug for Blocks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blocks").finish_non_exhaustive()
    }
}

thread_local! {
    /// What is read of segments on this thread, while somebody wants to know.
    static NOTED: RefCell<Option<Noted>> = const { RefCell::new(None) };
}

/// What was noted of reads.
#[derive(Debug)]
struct Noted {
    places: Vec<Place>,
    /// Whether nothing is read.
    only: bool,
}

/// Returns which bytes of segments `read` needs. If they are `only` to be noted, each read fails.
pub(crate) fn noted(only: bool, read: impl FnOnce()) -> Vec<Place> {
    let places = Vec::new();
    NOTED.set(Some(Noted { places, only }));
    read();
    NOTED.take().map(|noted| noted.places).unwrap_or_default()
}

/// Notes that `place` is read. Returns whether that is all that is to be done.
fn note(place: &Place) -> bool {
    NOTED.with_borrow_mut(|noted| {
        noted.as_mut().is_some_and(|noted| {
            noted.places.push(place.clone());
            noted.only
        })
    })
}

impl Blocks {
    /// Returns the blocks of segments in `files`, of which at most `most_bytes` stay in memory.
    #[must_use]
    pub fn new(files: impl Files + 'static, most_bytes: usize) -> Self {
        let most = most_bytes / usize::try_from(BLOCK).unwrap_or(usize::MAX);
        Self {
            files: Box::new(files),
            kept: Mutex::new(LruCache::new(
                NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN),
            )),
        }
    }

    /// Returns the bytes at `place`.
    ///
    /// # Errors
    /// If they cannot be read, or are only to be noted.
    pub(crate) fn read(&self, place: Place) -> io::Result<OwnedBytes> {
        if note(&place) {
            return Err(io::Error::other("this is only noted"));
        }
        let Range { start, end } = place.bytes;
        if start >= end {
            return Ok(OwnedBytes::empty());
        }
        let (first, last) = (start / BLOCK, (end - 1) / BLOCK);
        let blocks = self.blocks(place.segment, first..last + 1)?;
        let within = |at: u64| usize::try_from(at - first * BLOCK).map_err(io::Error::other);
        let (start, end) = (within(start)?, within(end)?);
        let size = usize::try_from(BLOCK).map_err(io::Error::other)?;
        let together = blocks.windows(2).all(|pair| {
            pair[0].buffer.as_slice().as_ptr() == pair[1].buffer.as_slice().as_ptr()
                && pair[0].at + size == pair[1].at
        });
        let (whole, from) = match blocks.first() {
            Some(begin) if together => (begin.buffer.clone(), begin.at),
            _ => (self.joined(place.segment, first, &blocks, size), 0),
        };
        if from + end > whole.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(whole.slice(from + start..from + end))
    }

    /// Puts together `blocks` of `segment`, from block `first` on, and keeps them so.
    fn joined(&self, segment: Uuid, first: u64, blocks: &[Kept], size: usize) -> OwnedBytes {
        let mut joined = Vec::with_capacity(blocks.len() * size);
        for block in blocks {
            let end = (block.at + size).min(block.buffer.len());
            joined.extend_from_slice(&block.buffer[block.at..end]);
        }
        let joined = OwnedBytes::new(joined);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (block, at) in (first..).zip((0..joined.len()).step_by(size)) {
            let buffer = joined.clone();
            kept.put((segment, block), Kept { buffer, at });
        }
        joined
    }

    /// Reads what is not in memory of `places`, all at once, so that it is there when it is needed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn load(&self, places: &[Place]) -> io::Result<()> {
        let needed = places.iter().filter(|place| !place.bytes.is_empty());
        let mut needed: Vec<(Uuid, Range<u64>)> = needed
            .map(|place| {
                let Range { start, end } = place.bytes;
                (place.segment, start / BLOCK..end.div_ceil(BLOCK))
            })
            .collect();
        needed.sort_unstable_by_key(|(segment, blocks)| (*segment, blocks.start));
        let mut missing: Vec<(Uuid, u64)> = Vec::new();
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            for (segment, blocks) in needed {
                for block in blocks {
                    let key = (segment, block);
                    if missing.last() < Some(&key) && kept.get(&key).is_none() {
                        missing.push(key);
                    }
                }
            }
        }
        self.fetch(&missing).map(drop)
    }

    /// Returns these blocks of `segment`.
    fn blocks(&self, segment: Uuid, blocks: Range<u64>) -> io::Result<Vec<Kept>> {
        let mut missing = Vec::new();
        let mut found: Vec<Option<Kept>> = Vec::new();
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            for block in blocks {
                let bytes = kept.get(&(segment, block)).cloned();
                if bytes.is_none() {
                    missing.push((segment, block));
                }
                found.push(bytes);
            }
        }
        let mut fetched = self.fetch(&missing)?.into_iter();
        let found = found.into_iter();
        let all = found.map(|bytes| bytes.or_else(|| fetched.next()));
        let all: Option<Vec<Kept>> = all.collect();
        all.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Reads blocks that are sorted and not in memory. Returns them.
    fn fetch(&self, missing: &[(Uuid, u64)]) -> io::Result<Vec<Kept>> {
        let mut ranges: Vec<(Uuid, Range<u64>)> = Vec::new();
        for (segment, block) in missing {
            match ranges.last_mut() {
                Some((of, blocks))
                    if of == segment
                        && blocks.end == *block
                        && blocks.end - blocks.start < MOST_AT_ONCE =>
                {
                    blocks.end += 1;
                }
                _ => ranges.push((*segment, *block..block + 1)),
            }
        }
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let places = ranges.iter().map(|(segment, blocks)| Place {
            segment: *segment,
            bytes: blocks.start * BLOCK..blocks.end * BLOCK,
        });
        let read = self.files.read(&places.collect::<Vec<_>>())?;
        let mut fetched = Vec::with_capacity(missing.len());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = usize::try_from(BLOCK).map_err(io::Error::other)?;
        for ((segment, blocks), bytes) in ranges.into_iter().zip(read) {
            let buffer = OwnedBytes::new(bytes);
            for (block, at) in blocks.zip((0..buffer.len()).step_by(size)) {
                let buffer = buffer.clone();
                let read = Kept { buffer, at };
                kept.put((segment, block), read.clone());
                fetched.push(read);
            }
        }
        Ok(fetched)
    }
}
