//! Which objects there are, and the files that they lie in.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use uuid::Uuid;

/// The file of the index. The name of a bucket does not begin with a dot.
const INDEX: &str = ".index.sqlite";

/// The folder of the objects' bytes.
const FILES: &str = ".files";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS objects (
        bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
        modified INTEGER NOT NULL, details TEXT NOT NULL, PRIMARY KEY (bucket, key)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS uploads (
        id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, details TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS parts (
        upload TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
        details TEXT NOT NULL, PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;
";

/// The objects of all buckets of a stack.
#[derive(Debug)]
pub(crate) struct Store {
    files: PathBuf,
    connection: Mutex<Connection>,
    /// Removes the folder when the store is dropped.
    _temporary: Option<TempDir>,
}

/// What is known of an object beside its name, size and time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// The entity tag, without its quotes.
    pub(crate) etag: String,
    /// Headers that it was put with and is got with, by their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The checksums that it was put with, by the names of their headers.
    #[serde(default)]
    pub(crate) checksums: BTreeMap<String, String>,
}

/// An object, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(super) file: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
    pub(crate) details: Details,
}

/// What has to be so for a write to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// There is no such object.
    pub(crate) absent: bool,
    /// The object has this entity tag, without its quotes.
    pub(crate) etag: Option<String>,
}

/// Why a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// The object is there, or is another.
    Differs,
    /// There is no object that could have the entity tag.
    Missing,
}

/// A file that is being written. It is removed when this is dropped; what is kept is a link to it.
#[derive(Debug)]
pub(crate) struct Incoming(PathBuf);

impl Incoming {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

impl Condition {
    /// Whether a write may happen to what is there.
    pub(super) fn check(&self, present: Option<&Entry>) -> Result<(), Unmet> {
        match (present, &self.etag) {
            (Some(_), _) if self.absent => Err(Unmet::Differs),
            (Some(entry), Some(etag)) if entry.details.etag != *etag => Err(Unmet::Differs),
            (None, Some(_)) => Err(Unmet::Missing),
            (Some(_), _) | (None, None) => Ok(()),
        }
    }
}

impl Store {
    /// The store in `folder`, or in a temporary folder.
    pub(super) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let (folder, temporary) = if let Some(folder) = folder {
            (folder.to_owned(), None)
        } else {
            let temporary = tempfile::tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        };
        let files = folder.join(FILES);
        fs::create_dir_all(&files)?;
        let connection = Connection::open(folder.join(INDEX)).map_err(failed)?;
        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;";
        connection.execute_batch(pragmas).map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        let store = Self {
            files,
            connection: Mutex::new(connection),
            _temporary: temporary,
        };
        store.sweep()?;
        Ok(store)
    }

    /// Removes the files that were being written when an earlier runner ended.
    fn sweep(&self) -> io::Result<()> {
        let connection = self.lock();
        let mut known = connection
            .prepare(
                "SELECT 1 FROM objects WHERE file = ?1 UNION SELECT 1 FROM parts WHERE file = ?1",
            )
            .map_err(failed)?;
        for entry in fs::read_dir(&self.files)? {
            let entry = entry?;
            let name = entry.file_name();
            if !known.exists([name.to_string_lossy()]).map_err(failed)? {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Takes over the objects of an earlier release, which lie under their keys.
    pub(super) fn adopt(&self, bucket: &str, now: Timestamp) -> io::Result<()> {
        let Some(folder) = self.files.parent().map(|folder| folder.join(bucket)) else {
            return Ok(());
        };
        if !folder.is_dir() {
            return Ok(());
        }
        let mut ahead = vec![(folder.clone(), String::new())];
        while let Some((path, prefix)) = ahead.pop() {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let key = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    ahead.push((entry.path(), format!("{key}/")));
                } else {
                    self.put_bytes(bucket, &key, &fs::read(entry.path())?, now)?;
                }
            }
        }
        fs::remove_dir_all(folder)
    }

    /// The name of a new file.
    pub(crate) fn incoming(&self) -> Incoming {
        Incoming(self.files.join(Uuid::new_v4().simple().to_string()))
    }

    /// Gives what was written a name of its own, so that it stays.
    pub(super) fn link(&self, incoming: &Incoming) -> io::Result<String> {
        let name = Uuid::new_v4().simple().to_string();
        let path = self.files.join(&name);
        if fs::hard_link(&incoming.0, &path).is_err() {
            // Not every file system has links.
            fs::copy(&incoming.0, &path)?;
        }
        Ok(name)
    }

    /// Puts an object that is in memory.
    pub(super) fn put_bytes(
        &self,
        bucket: &str,
        key: &str,
        body: &[u8],
        now: Timestamp,
    ) -> io::Result<()> {
        let incoming = self.incoming();
        fs::write(incoming.path(), body)?;
        let details = Details {
            etag: format!("{:x}", md5::compute(body)),
            ..Details::default()
        };
        let size = body.len() as u64;
        let put = self.put(
            bucket,
            key,
            &incoming,
            size,
            now,
            &details,
            &Condition::default(),
        );
        put.map(drop)
    }

    /// Puts an object, in the place of one that is there. The inner error says why it may not.
    #[expect(clippy::too_many_arguments, reason = "an object has that many parts")]
    pub(crate) fn put(
        &self,
        bucket: &str,
        key: &str,
        incoming: &Incoming,
        size: u64,
        now: Timestamp,
        details: &Details,
        condition: &Condition,
    ) -> io::Result<Result<(), Unmet>> {
        let connection = self.lock();
        let present = find(&connection, bucket, key)?;
        if let Err(unmet) = condition.check(present.as_ref()) {
            return Ok(Err(unmet));
        }
        let file = self.link(incoming)?;
        insert(&connection, bucket, key, &file, size, now, details)?;
        drop(connection);
        self.forget(present.iter().map(|entry| entry.file.as_str()));
        Ok(Ok(()))
    }

    /// An object, without its bytes.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> io::Result<Option<Entry>> {
        find(&self.lock(), bucket, key)
    }

    /// An object, and its bytes, which stay as they are even if another takes its place meanwhile.
    pub(crate) fn open_object(&self, bucket: &str, key: &str) -> io::Result<Option<(Entry, File)>> {
        let connection = self.lock();
        let Some(entry) = find(&connection, bucket, key)? else {
            return Ok(None);
        };
        let file = File::open(self.files.join(&entry.file))?;
        Ok(Some((entry, file)))
    }

    /// Deletes an object, whether it is there or not.
    pub(crate) fn delete(&self, bucket: &str, key: &str) -> io::Result<()> {
        let connection = self.lock();
        let present = find(&connection, bucket, key)?;
        connection
            .execute(
                "DELETE FROM objects WHERE bucket = ?1 AND key = ?2",
                (bucket, key),
            )
            .map_err(failed)?;
        drop(connection);
        self.forget(present.iter().map(|entry| entry.file.as_str()));
        Ok(())
    }

    /// The first `most` objects whose keys begin with `prefix` and come after `after`, in the order
    /// of the keys' bytes.
    pub(crate) fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: &str,
        most: usize,
    ) -> io::Result<Vec<Entry>> {
        let connection = self.lock();
        let mut found = connection
            .prepare_cached(
                "SELECT key, file, size, modified, details FROM objects
                 WHERE bucket = ?1 AND key >= ?2 AND key > ?3 ORDER BY key LIMIT ?4",
            )
            .map_err(failed)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = found
            .query_map((bucket, prefix, after, most), entry)
            .map_err(failed)?;
        let rows =
            rows.take_while(|row| !matches!(row, Ok(entry) if !entry.key.starts_with(prefix)));
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files.join(name)
    }

    /// Removes files that nothing refers to any more.
    pub(super) fn forget<'a>(&self, files: impl Iterator<Item = &'a str>) {
        for file in files {
            remove(&self.files.join(file));
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // SQLite keeps what was written whole.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "a file stays until the next start");
    }
}

pub(super) fn failed(error: rusqlite::Error) -> io::Error {
    io::Error::other(error)
}

/// What is stored as JSON.
pub(super) fn json<T: for<'a> Deserialize<'a>>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(error))
    })
}

pub(super) fn find(connection: &Connection, bucket: &str, key: &str) -> io::Result<Option<Entry>> {
    let mut found = connection
        .prepare_cached(
            "SELECT key, file, size, modified, details FROM objects WHERE bucket = ?1 AND key = ?2",
        )
        .map_err(failed)?;
    found
        .query_row((bucket, key), entry)
        .optional()
        .map_err(failed)
}

pub(super) fn insert(
    connection: &Connection,
    bucket: &str,
    key: &str,
    file: &str,
    size: u64,
    now: Timestamp,
    details: &Details,
) -> io::Result<()> {
    let details = serde_json::to_string(details)?;
    // S3 keeps whole seconds.
    let modified = now.as_second();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO objects (bucket, key, file, size, modified, details)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .and_then(|mut insert| insert.execute((bucket, key, file, size, modified, details)))
        .map(drop)
        .map_err(failed)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let details: String = row.get(4)?;
    Ok(Entry {
        key: row.get(0)?,
        file: row.get(1)?,
        size: row.get(2)?,
        modified: Timestamp::from_second(row.get(3)?).unwrap_or_default(),
        details: json(&details)?,
    })
}
