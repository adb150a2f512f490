//! Uploads in parts.

use std::fs::File;
use std::io;

use jiff::Timestamp;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::index::{Condition, Details, Incoming, Store, Unmet, failed, find, insert, json};

/// The least size of a part that is not the last, in bytes.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const MIN_PART: u64 = 5 * 1024 * 1024;

/// A part that was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The MD5 of its bytes in hexadecimal digits, which is its entity tag.
    pub(crate) md5: String,
    /// The CRC-32 of its bytes.
    pub(crate) crc32: u32,
    #[serde(skip)]
    pub(crate) size: u64,
    /// The file that it lies in, once it is kept.
    #[serde(skip)]
    pub(crate) file: String,
}

/// A part as it is named when an upload is completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CompletePart {
    pub(crate) number: u32,
    /// Without its quotes.
    pub(crate) etag: String,
    /// The CRC-32 of its bytes, in base64.
    pub(crate) crc32: Option<String>,
}

/// Why an upload cannot go on.
#[derive(Debug, Error)]
pub(crate) enum UploadError {
    #[error("there is no such upload")]
    Missing,
    #[error("part {0} is not there, or another")]
    Part(u32),
    #[error("part {number} has {size} bytes only")]
    Small { number: u32, size: u64 },
    #[error("the condition does not hold")]
    Unmet(Unmet),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<rusqlite::Error> for UploadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Io(failed(error))
    }
}

impl Store {
    /// Begins an upload, and returns its id.
    pub(crate) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        details: &Details,
    ) -> io::Result<String> {
        let id = Uuid::new_v4().simple().to_string();
        let details = serde_json::to_string(details)?;
        let insert = "INSERT INTO uploads (id, bucket, key, details) VALUES (?1, ?2, ?3, ?4)";
        let values = (&id, bucket, key, details);
        self.lock().execute(insert, values).map_err(failed)?;
        Ok(id)
    }

    /// What an upload was begun with.
    pub(crate) fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Details, UploadError> {
        let find = "SELECT details FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3";
        let connection = self.lock();
        let details: Option<String> = connection
            .query_row(find, (id, bucket, key), |row| row.get(0))
            .optional()?;
        let details = details.ok_or(UploadError::Missing)?;
        Ok(json(&details)?)
    }

    /// Adds a part, in the place of one with its number.
    pub(crate) fn put_part(
        &self,
        upload: &str,
        number: u32,
        incoming: &Incoming,
        part: &Part,
    ) -> Result<(), UploadError> {
        let connection = self.lock();
        let exists = "SELECT 1 FROM uploads WHERE id = ?1";
        if !connection.prepare_cached(exists)?.exists([upload])? {
            return Err(UploadError::Missing);
        }
        let before: Option<String> = connection
            .query_row(
                "SELECT file FROM parts WHERE upload = ?1 AND number = ?2",
                (upload, number),
                |row| row.get(0),
            )
            .optional()?;
        let file = self.link(incoming)?;
        let details = serde_json::to_string(part).map_err(io::Error::from)?;
        connection.execute(
            "INSERT OR REPLACE INTO parts (upload, number, file, size, details)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (upload, number, file, part.size, details),
        )?;
        drop(connection);
        self.forget(before.iter().map(String::as_str));
        Ok(())
    }

    /// The parts that are to be put together, if they are there and large enough.
    pub(crate) fn parts(
        &self,
        upload: &str,
        named: &[CompletePart],
    ) -> Result<Vec<Part>, UploadError> {
        let connection = self.lock();
        let mut find = connection.prepare_cached(
            "SELECT file, size, details FROM parts WHERE upload = ?1 AND number = ?2",
        )?;
        let mut parts = Vec::new();
        for (position, one) in named.iter().enumerate() {
            let row = find.query_row((upload, one.number), |row| {
                let details: String = row.get(2)?;
                Ok(Part {
                    file: row.get(0)?,
                    size: row.get(1)?,
                    ..json(&details)?
                })
            });
            let part = row.optional()?.filter(|part| part.md5 == one.etag);
            let part = part.ok_or(UploadError::Part(one.number))?;
            if part.size < MIN_PART && position + 1 < named.len() {
                return Err(UploadError::Small {
                    number: one.number,
                    size: part.size,
                });
            }
            parts.push(part);
        }
        Ok(parts)
    }

    /// Makes one object of parts, and ends the upload. This reads and writes all of their bytes.
    #[expect(clippy::too_many_arguments, reason = "an object has that many parts")]
    pub(crate) fn complete(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        parts: &[Part],
        now: Timestamp,
        details: &Details,
        condition: &Condition,
    ) -> Result<(), UploadError> {
        let incoming = self.incoming();
        let mut whole = File::create(incoming.path())?;
        let mut size = 0;
        for part in parts {
            size += io::copy(&mut File::open(self.file(&part.file))?, &mut whole)?;
        }
        drop(whole);
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let present = find(&transaction, bucket, key)?;
        condition
            .check(present.as_ref())
            .map_err(UploadError::Unmet)?;
        if transaction.execute("DELETE FROM uploads WHERE id = ?1", [upload])? == 0 {
            return Err(UploadError::Missing);
        }
        let files = part_files(&transaction, upload)?;
        let file = self.link(&incoming)?;
        insert(&transaction, bucket, key, &file, size, now, details)?;
        transaction.commit()?;
        drop(connection);
        let replaced = present.map(|entry| entry.file);
        self.forget(files.iter().chain(&replaced).map(String::as_str));
        Ok(())
    }

    /// Ends an upload without an object.
    pub(crate) fn abort_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<(), UploadError> {
        self.upload(bucket, key, id)?;
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM uploads WHERE id = ?1", [id])?;
        let files = part_files(&transaction, id)?;
        transaction.commit()?;
        drop(connection);
        self.forget(files.iter().map(String::as_str));
        Ok(())
    }
}

/// Forgets the parts of an upload, and returns their files.
fn part_files(connection: &rusqlite::Connection, upload: &str) -> rusqlite::Result<Vec<String>> {
    let mut files =
        connection.prepare_cached("DELETE FROM parts WHERE upload = ?1 RETURNING file")?;
    files.query_map([upload], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_comes_after_the_end_of_its_upload_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path())).unwrap();
        let id = store.create_upload("b", "k", &Details::default()).unwrap();
        let incoming = store.incoming();
        std::fs::write(incoming.path(), "part").unwrap();
        let part = Part::default();
        store.put_part(&id, 1, &incoming, &part).unwrap();
        store.abort_upload("b", "k", &id).unwrap();
        let late = store.put_part(&id, 1, &incoming, &part);
        assert!(matches!(late, Err(UploadError::Missing)), "{late:?}");
        drop(incoming);
        let files = std::fs::read_dir(folder.path().join(".files")).unwrap();
        assert_eq!(files.count(), 0);
    }
}
