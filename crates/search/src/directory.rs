//! The files of some segments, as the engine reads them.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, WatchCallback, WatchHandle, WritePtr,
};

use crate::blocks::{Blocks, Place};

/// Files that can only be read.
#[derive(Clone)]
pub(crate) struct ReadOnly {
    blocks: Arc<Blocks>,
    files: Arc<HashMap<PathBuf, File>>,
}

/// Where a file is.
#[derive(Clone, Debug)]
pub(crate) enum File {
    /// In a segment.
    Stored(Place),
    /// In memory.
    Made(OwnedBytes),
}

impl fmt::Debug for ReadOnly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReadOnly").finish_non_exhaustive()
    }
}

impl ReadOnly {
    pub(crate) fn new(blocks: Arc<Blocks>, files: HashMap<PathBuf, File>) -> Self {
        Self {
            blocks,
            files: Arc::new(files),
        }
    }

    fn stored(&self, path: &Path, place: &Place) -> Result<Stored, OpenReadError> {
        let length = place.bytes.end - place.bytes.start;
        let failed =
            |error| OpenReadError::wrap_io_error(io::Error::other(error), path.to_path_buf());
        Ok(Stored {
            blocks: Arc::clone(&self.blocks),
            length: usize::try_from(length).map_err(failed)?,
            place: place.clone(),
        })
    }
}

/// A file in a segment.
#[derive(Debug)]
struct Stored {
    blocks: Arc<Blocks>,
    place: Place,
    length: usize,
}

impl HasLen for Stored {
    fn len(&self) -> usize {
        self.length
    }
}

impl FileHandle for Stored {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let at = |offset: usize| -> io::Result<u64> {
            Ok(self.place.bytes.start + u64::try_from(offset).map_err(io::Error::other)?)
        };
        self.blocks.read(Place {
            segment: self.place.segment,
            bytes: at(range.start)?..at(range.end)?,
        })
    }
}

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "segments are only read")
}

impl Directory for ReadOnly {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        match self.files.get(path) {
            Some(File::Stored(place)) => Ok(Arc::new(self.stored(path, place)?)),
            Some(File::Made(bytes)) => Ok(Arc::new(bytes.clone())),
            None => Err(OpenReadError::FileDoesNotExist(path.to_path_buf())),
        }
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError {
            io_error: Arc::new(unsupported()),
            filepath: path.to_path_buf(),
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.files.contains_key(path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(
            unsupported(),
            path.to_path_buf(),
        ))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let file = self.get_file_handle(path)?;
        let bytes = file.read_bytes(0..file.len());
        let failed = |error| OpenReadError::wrap_io_error(error, path.to_path_buf());
        Ok(bytes.map_err(failed)?.to_vec())
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(unsupported())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
