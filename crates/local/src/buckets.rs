//! The stack's buckets: what S3 keeps, and what the control port shows of it.
//!
//! The bytes of an object lie in a file of their own, and an index says which. A file is named by
//! chance and never by its key, so a key may be any text. The files are in the data folder, or in a
//! temporary one that goes when the runner ends.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::clock::Clock;
use crate::model::Stack;

pub(crate) use index::{Condition, Details, Entry, Incoming, Store, Unmet};
pub(crate) use uploads::{CompletePart, Part, UploadError};

mod index;
mod uploads;

/// The most objects that the control port lists.
const LISTED_OBJECTS: usize = 1000;

/// The most bytes of bodies that the control port shows.
const LISTED_BYTES: u64 = 4 * 1024 * 1024;

/// The stack's buckets. Clones share them.
#[derive(Clone, Debug)]
pub struct Buckets {
    clock: Clock,
    /// By logical id: the physical name.
    names: Arc<BTreeMap<String, String>>,
    /// `None` if the stack has no buckets.
    store: Option<Arc<Store>>,
}

/// The body of `GET /_local/buckets/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The first objects of the bucket, by key.
    pub objects: Vec<Object>,
    /// Whether there are more objects, or longer bodies, than are shown.
    pub truncated: bool,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// What is in it, as text.
    pub body: String,
}

impl Buckets {
    /// The buckets of `stack`, in the folder `buckets/` of the folder `data` if there is one.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(stack: &Stack, clock: &Clock, data: Option<&Path>) -> io::Result<Self> {
        let names = stack.buckets.clone();
        let store = if names.is_empty() {
            None
        } else {
            let store = Store::open(data.map(|data| data.join("buckets")).as_deref())?;
            for name in names.values() {
                store.adopt(name, clock.now())?;
            }
            Some(Arc::new(store))
        };
        Ok(Self {
            clock: clock.clone(),
            names: Arc::new(names),
            store,
        })
    }

    /// Keeps the record of a failed invocation in a bucket (logical id), under a key as Lambda makes
    /// it: `aws/lambda/<what failed>/YYYY/MM/DD/<time>-<unique>`.
    pub fn put_failure(&self, bucket: &str, what: &str, now: Timestamp, body: &str) {
        let time = now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S");
        let key = format!("aws/lambda/{what}/{time}-{}", Uuid::new_v4());
        let name = self.names.get(bucket).map_or(bucket, String::as_str);
        let Some(store) = &self.store else { return };
        if let Err(error) = store.put_bytes(name, &key, body.as_bytes(), now) {
            tracing::error!(%error, bucket, "the record of a failure is lost");
        }
    }

    /// What is in a bucket, by physical name or logical id; `None` if the stack has no such bucket.
    /// At most 1,000 objects and 4 MiB are shown.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub fn list(&self, bucket: &str) -> io::Result<Option<Listing>> {
        let name = self.names.get(bucket).map_or(bucket, String::as_str);
        let Some(store) = self.store(name) else {
            return Ok(None);
        };
        let mut entries = store.list(name, "", "", LISTED_OBJECTS + 1)?;
        let mut listing = Listing {
            truncated: entries.len() > LISTED_OBJECTS,
            ..Listing::default()
        };
        entries.truncate(LISTED_OBJECTS);
        let mut left = LISTED_BYTES;
        for entry in entries {
            let Some((entry, file)) = store.open_object(name, &entry.key)? else {
                continue;
            };
            let mut body = Vec::new();
            file.take(left).read_to_end(&mut body)?;
            left = left.saturating_sub(entry.size);
            listing.truncated |= entry.size > body.len() as u64;
            listing.objects.push(Object {
                key: entry.key,
                size: entry.size,
                body: String::from_utf8_lossy(&body).into_owned(),
            });
        }
        Ok(Some(listing))
    }

    /// The store of a bucket, by physical name; `None` if the stack has no such bucket.
    pub(crate) fn store(&self, name: &str) -> Option<&Arc<Store>> {
        let store = self.store.as_ref()?;
        let is_bucket = self.names.values().any(|bucket| bucket == name);
        is_bucket.then_some(store)
    }

    /// The time that objects are modified at.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> Stack {
        Stack {
            buckets: [("Failed".to_owned(), "shop-failed".to_owned())].into(),
            ..Stack::default()
        }
    }

    fn open(data: Option<&Path>) -> Buckets {
        Buckets::open(&stack(), &Clock::manual(Timestamp::UNIX_EPOCH), data).unwrap()
    }

    #[test]
    fn what_was_put_is_there_again_when_the_folder_is_opened_again() {
        let data = tempfile::tempdir().unwrap();
        let buckets = open(Some(data.path()));
        buckets.put_failure("Failed", "shard", Timestamp::UNIX_EPOCH, "{}");
        let before = buckets.list("Failed").unwrap();
        drop(buckets);
        let again = open(Some(data.path()));
        assert_eq!(again.list("shop-failed").unwrap(), before);
        let object = &before.unwrap().objects[0];
        assert!(
            object
                .key
                .starts_with("aws/lambda/shard/1970/01/01/1970-01-01T00.00.00-"),
            "{object:?}"
        );
        assert_eq!(object.body, "{}");
        assert_eq!(again.list("other").unwrap(), None);
    }

    #[test]
    fn what_an_earlier_release_kept_as_files_is_taken_over() {
        let data = tempfile::tempdir().unwrap();
        let old = data.path().join("buckets/shop-failed/aws/lambda");
        std::fs::create_dir_all(&old).unwrap();
        std::fs::write(old.join("a"), "{}").unwrap();
        for _ in 0..2 {
            let listing = open(Some(data.path())).list("Failed").unwrap().unwrap();
            assert_eq!(listing.objects.len(), 1);
            assert_eq!(listing.objects[0].key, "aws/lambda/a");
            assert_eq!(listing.objects[0].body, "{}");
        }
        assert!(!data.path().join("buckets/shop-failed").exists());
    }

    #[test]
    fn a_file_that_was_being_written_is_removed_at_the_next_start() {
        let data = tempfile::tempdir().unwrap();
        open(Some(data.path())).put_failure("Failed", "a", Timestamp::UNIX_EPOCH, "{}");
        let files = data.path().join("buckets/.files");
        std::fs::write(files.join("half"), "x").unwrap();
        let again = open(Some(data.path()));
        assert!(!files.join("half").exists());
        assert_eq!(again.list("Failed").unwrap().unwrap().objects[0].body, "{}");
    }

    #[test]
    fn a_long_body_is_shown_in_part() {
        let buckets = open(None);
        let body = "x".repeat(5 * 1024 * 1024);
        buckets.put_failure("Failed", "a", Timestamp::UNIX_EPOCH, &body);
        let listing = buckets.list("Failed").unwrap().unwrap();
        assert!(listing.truncated);
        assert_eq!(listing.objects[0].size, 5 * 1024 * 1024);
        assert_eq!(listing.objects[0].body.len() as u64, LISTED_BYTES);
    }
}
