//! Buckets, as far as they are destinations: whatever could not be delivered is put here and can be
//! looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::model::Stack;

/// The stack's buckets. Clones share them.
#[derive(Clone, Debug)]
pub struct Buckets {
    folder: Option<PathBuf>,
    /// By logical id: the physical name.
    names: Arc<BTreeMap<String, String>>,
    /// By physical name, then key.
    objects: Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>,
}

/// The body of `GET /_local/buckets/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Everything in the bucket, by key.
    pub objects: Vec<Object>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// What is in it.
    pub body: String,
}

impl Buckets {
    /// The buckets of `stack`, in memory and, when there is a folder `data`, in `buckets/` there too.
    #[must_use]
    pub fn new(stack: &Stack, data: Option<&Path>) -> Self {
        let folder = data.map(|data| data.join("buckets"));
        let names = stack.buckets.clone();
        let mut objects: BTreeMap<_, _> = names
            .values()
            .map(|name| (name.clone(), BTreeMap::new()))
            .collect();
        if let Some(folder) = &folder {
            for (name, objects) in &mut objects {
                read_into(objects, &folder.join(name), "");
            }
        }
        Self {
            folder,
            names: Arc::new(names),
            objects: Arc::new(Mutex::new(objects)),
        }
    }

    /// Keeps the record of a failed invocation in a bucket (logical id), under a key as Lambda makes
    /// it: `aws/lambda/<what failed>/YYYY/MM/DD/<time>-<unique>`.
    pub fn put_failure(&self, bucket: &str, what: &str, now: Timestamp, body: String) {
        let time = now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S");
        self.put(
            bucket,
            &format!("aws/lambda/{what}/{time}-{}", Uuid::new_v4()),
            body,
        );
    }

    /// Puts an object in a bucket (logical id).
    pub fn put(&self, bucket: &str, key: &str, body: String) {
        let name = self.names.get(bucket).map_or(bucket, String::as_str);
        if let Some(folder) = &self.folder {
            let path = folder.join(name).join(key);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            if let Err(error) = made.and_then(|()| std::fs::write(&path, &body)) {
                tracing::warn!(%error, path = %path.display(), "an object is kept in memory only");
            }
        }
        self.lock()
            .entry(name.to_owned())
            .or_default()
            .insert(key.to_owned(), body);
    }

    /// What is in a bucket, by physical name or logical id; `None` if the stack has no such bucket.
    #[must_use]
    pub fn list(&self, bucket: &str) -> Option<Listing> {
        let name = self.names.get(bucket).map_or(bucket, String::as_str);
        let objects = self.lock();
        let objects = objects.get(name)?.iter();
        let object = |(key, body): (&String, &String)| Object {
            key: key.clone(),
            body: body.clone(),
        };
        Some(Listing {
            objects: objects.map(object).collect(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        // Each object is put whole or not at all.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the files under `folder`; what cannot be read is left out.
fn read_into(objects: &mut BTreeMap<String, String>, folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let key = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_into(objects, &entry.path(), &format!("{key}/"));
        } else if let Ok(body) = std::fs::read_to_string(entry.path()) {
            objects.insert(key, body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_there_again_when_the_folder_is_opened_again() {
        let data = tempfile::tempdir().unwrap();
        let stack = Stack {
            buckets: [("Failed".to_owned(), "shop-failed".to_owned())].into(),
            ..Stack::default()
        };
        let buckets = Buckets::new(&stack, Some(data.path()));
        buckets.put_failure("Failed", "shard", Timestamp::UNIX_EPOCH, "{}".to_owned());
        let again = Buckets::new(&stack, Some(data.path()));
        assert_eq!(again.list("shop-failed"), buckets.list("Failed"));
        let key = &again.list("Failed").unwrap().objects[0].key;
        assert!(
            key.starts_with("aws/lambda/shard/1970/01/01/1970-01-01T00.00.00-"),
            "{key}"
        );
        assert_eq!(again.list("other"), None);
    }
}
