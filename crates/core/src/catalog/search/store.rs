//! The bucket of the search index: segments, and the manifest.

use std::io;
use std::sync::Arc;

use futures::future::try_join_all;
use oxcart_search::blocks::{Blocks, Files, Place};
use oxcart_search::index::Layout;
use oxcart_search::segment::Segment;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::model::Manifest;
use crate::aws::Aws;
use crate::aws::bucket::{Bucket, BucketError, Condition, Latest};
use crate::aws::settings::SettingError;
use crate::values::clock::Time;

/// The key of the manifest.
const MANIFEST: &str = "manifest.json";

/// How often a manifest that others replace meanwhile is read again.
const MOST_ATTEMPTS: usize = 20;

/// Why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The bucket failed.
    #[error("the bucket of the search index failed")]
    Bucket(#[from] BucketError),
    /// The table of products failed.
    #[error(transparent)]
    Store(#[from] crate::aws::dynamo::StoreError),
    /// The manifest cannot be read.
    #[error("the manifest of the search index cannot be read")]
    Manifest(#[from] serde_json::Error),
    /// The segments cannot be read or written.
    #[error(transparent)]
    Search(#[from] oxcart_search::SearchError),
    /// Others replaced the manifest again and again.
    #[error("the manifest of the search index is replaced too often")]
    Busy,
    /// A thread failed.
    #[error("a thread of the search failed")]
    Thread(#[from] tokio::task::JoinError),
}

/// The bucket of the index.
#[derive(Clone, Debug)]
pub struct IndexStore {
    bucket: Bucket,
    blocks: Arc<Blocks>,
}

/// A manifest as it was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// The manifest.
    pub manifest: Manifest,
    /// What it is replaced by; `None` if there is none yet.
    pub etag: Option<String>,
}

fn key(segment: Uuid) -> String {
    format!("segments/{segment}")
}

impl IndexStore {
    /// Returns the bucket that the settings name (`SEARCH_BUCKET`). At most `most_bytes` of segments stay in memory.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws, most_bytes: usize) -> Result<Self, SettingError> {
        let bucket = Bucket::of_search(aws)?;
        let files = InBucket(bucket.clone());
        Ok(Self {
            bucket,
            blocks: Arc::new(Blocks::new(files, most_bytes)),
        })
    }

    /// Returns the segments. They are read on a thread that may wait ([`tokio::task::spawn_blocking`]).
    #[must_use]
    pub fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    /// Returns the manifest and its entity tag, if it has another one than `known`; `None` if there is none, or if nothing
    /// has changed.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn changed(
        &self,
        known: Option<&str>,
    ) -> Result<Option<(Manifest, String)>, IndexError> {
        match self.bucket.latest(MANIFEST, known).await? {
            Latest::Changed { bytes, etag } => Ok(Some((serde_json::from_slice(&bytes)?, etag))),
            Latest::Same | Latest::Absent => Ok(None),
        }
    }

    /// Changes the manifest, which is made if there is none, as `change` says. If somebody else changes it meanwhile, it is
    /// read and changed again. Returns what `change` returned.
    ///
    /// # Errors
    /// Those of `change`, and [`IndexError`].
    pub async fn change<T, F>(&self, now: Time, change: F) -> Result<T, IndexError>
    where
        T: Send + 'static,
        F: Fn(&mut Manifest, &Arc<Blocks>) -> Result<T, IndexError> + Clone + Send + 'static,
    {
        for _ in 0..MOST_ATTEMPTS {
            let (mut manifest, condition) = match self.changed(None).await? {
                Some((manifest, etag)) => (manifest, Condition::Is(etag)),
                None => (Manifest::new(now), Condition::Absent),
            };
            let (before, blocks) = (manifest.clone(), Arc::clone(&self.blocks));
            let change = change.clone();
            let (manifest, outcome) = tokio::task::spawn_blocking(move || {
                let outcome = change(&mut manifest, &blocks);
                (manifest, outcome)
            })
            .await?;
            let outcome = outcome?;
            if manifest == before && condition != Condition::Absent {
                return Ok(outcome);
            }
            let bytes = serde_json::to_vec(&manifest)?;
            match self.bucket.put(MANIFEST, bytes, &condition).await {
                Ok(()) => return Ok(outcome),
                Err(BucketError::Changed) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(IndexError::Busy)
    }

    /// Stores `segment`. Returns what is known of it.
    ///
    /// # Errors
    /// [`IndexError::Bucket`].
    pub async fn put(&self, segment: Segment) -> Result<Layout, IndexError> {
        let key = key(segment.layout.id);
        self.bucket
            .put(&key, segment.bytes, &Condition::None)
            .await?;
        Ok(segment.layout)
    }

    /// Removes a segment.
    ///
    /// # Errors
    /// [`IndexError::Bucket`].
    pub async fn remove(&self, segment: Uuid) -> Result<(), IndexError> {
        Ok(self.bucket.remove(&key(segment)).await?)
    }
}

/// Segments in the bucket.
struct InBucket(Bucket);

impl Files for InBucket {
    fn read(&self, places: &[Place]) -> io::Result<Vec<Vec<u8>>> {
        let reads = places.iter().map(|place| async {
            let bytes = place.bytes.clone();
            self.0.read_range(&key(place.segment), bytes).await
        });
        // On a thread that may wait, beside the one that all requests are made on.
        let read = Handle::current().block_on(try_join_all(reads));
        read.map_err(io::Error::other)
    }
}
