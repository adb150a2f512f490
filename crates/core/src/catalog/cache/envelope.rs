//! How an entry travels between processes: a line of JSON that says what it is, and its value.
//!
//! What comes back is used only if it is whole, has the name that was asked for, and is of a time that can be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::values::clock::Time;
use crate::values::digest::sha256_hex;

use super::known::Position;

/// The version of the shape of what is kept. It is part of the keys, so another release does not see what it cannot read.
pub const VERSION: u32 = 1;

/// How much later than this process's another one's time may be.
const SKEW: Duration = Duration::from_mins(1);

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last change that was known before it was read.
    pub position: Position,
    /// When it is too old.
    pub expires_at: Time,
    /// The value.
    pub value: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    begun: String,
    sequence: u64,
    expires_at: Time,
    /// The SHA-256 of all of it.
    sum: String,
}

impl Line {
    /// Returns the sum that the line has with `value`.
    fn sum_with(&self, value: &[u8]) -> String {
        let (key, begun) = (&self.key, &self.begun);
        let said = format!("{key}\n{begun}\n{}\n{}\n", self.sequence, self.expires_at);
        sha256_hex([said.as_bytes(), value].concat())
    }
}

impl Entry {
    /// Returns the entry called `key` as bytes.
    #[must_use]
    pub fn sealed(&self, key: &str) -> Option<Vec<u8>> {
        let mut line = Line {
            key: key.to_owned(),
            begun: self.position.begun.clone(),
            sequence: self.position.sequence,
            expires_at: self.expires_at,
            sum: String::new(),
        };
        line.sum = line.sum_with(&self.value);
        let mut bytes = serde_json::to_vec(&line).ok()?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.value);
        Some(bytes)
    }

    /// Returns the entry called `key`, which may be kept for `lifetime`, that `bytes` are at `now`; `None` if they are
    /// something else.
    #[must_use]
    pub fn open(bytes: &[u8], key: &str, lifetime: Duration, now: Time) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (line, value) = (bytes.get(..end)?, bytes.get(end + 1..)?);
        let line: Line = serde_json::from_slice(line).ok()?;
        let is_whole = line.key == key && line.sum == line.sum_with(value);
        let can_be = line.expires_at <= now.plus(lifetime + SKEW);
        (is_whole && can_be).then(|| Self {
            position: Position {
                begun: line.begun,
                sequence: line.sequence,
            },
            expires_at: line.expires_at,
            value: value.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_is_opened() {
        let now = Time::from_millis(1_750_000_000_000);
        let lifetime = Duration::from_mins(30);
        let entry = Entry {
            position: Position {
                begun: "7".to_owned(),
                sequence: 3,
            },
            expires_at: now.plus(lifetime),
            value: b"{\"name\":\"Tea\\n\"}\n".to_vec(),
        };
        let sealed = entry.sealed("product:1").unwrap();
        let open = |bytes: &[u8], key| Entry::open(bytes, key, lifetime, now);
        assert_eq!(open(&sealed, "product:1"), Some(entry.clone()));
        // Another name, a part of it, and every single byte changed.
        assert_eq!(open(&sealed, "product:2"), None);
        for at in 0..sealed.len() {
            assert_eq!(open(&sealed[..at], "product:1"), None);
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed, "product:1"), None, "{at}");
        }
        for nonsense in [&b""[..], b"\n", b"{}\n{}", b"null\n", &[0xff; 64]] {
            assert_eq!(open(nonsense, "product:1"), None);
        }
        let later = Entry {
            expires_at: now.plus(lifetime * 2),
            ..entry
        };
        assert_eq!(open(&later.sealed("product:1").unwrap(), "product:1"), None);
    }
}
