//! Hashes that tell contents apart.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of `content`, in hexadecimal: 64 characters.
pub(crate) fn sha256_hex(content: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(content))
}

/// Returns `bytes` in hexadecimal, two characters for each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
