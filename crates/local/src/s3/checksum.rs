//! What a client says of a body, and whether it is so.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::error::S3Error;

/// What the headers of checksums begin with.
const PREFIX: &str = "x-amz-checksum-";

/// The header of the checksum that is kept of parts.
pub(super) const CRC32: &str = "x-amz-checksum-crc32";

const SHA256: &str = "x-amz-checksum-sha256";

/// What says in `x-amz-content-sha256` that the body is in chunks. The SDK for Rust signs them where
/// there is no TLS. The signatures of chunks are not verified: checksums are.
const CHUNKED: [&str; 3] = [
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
];

/// The signature of what comes after the body.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Headers with that prefix that are not checksums.
const ABOUT_CHECKSUMS: [&str; 3] = [
    "x-amz-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-checksum-type",
];

/// What a body is computed into as it comes.
pub(super) struct Digests {
    md5: md5::Context,
    sha256: Sha256,
    crc32: crc32fast::Hasher,
}

/// What was computed of a body.
pub(super) struct Computed {
    pub(super) md5: [u8; 16],
    pub(super) crc32: u32,
    sha256: Vec<u8>,
}

/// What a client says of a body.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// `Content-MD5`.
    md5: Option<String>,
    /// `x-amz-content-sha256`, if it is a hash.
    payload: Option<String>,
    /// Checksums, by the names of their headers.
    pub(super) checksums: BTreeMap<String, String>,
    /// The headers of checksums that come after the body.
    announced: Vec<String>,
    /// Whether the body is in chunks.
    pub(super) chunked: bool,
}

impl Digests {
    pub(super) fn new() -> Self {
        Self {
            md5: md5::Context::new(),
            sha256: Sha256::new(),
            crc32: crc32fast::Hasher::new(),
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.md5.consume(bytes);
        self.sha256.update(bytes);
        self.crc32.update(bytes);
    }

    pub(super) fn finish(self) -> Computed {
        Computed {
            md5: self.md5.compute().0,
            crc32: self.crc32.finalize(),
            sha256: self.sha256.finalize().to_vec(),
        }
    }
}

impl Expected {
    /// What these headers say.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, S3Error> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut expected = Self {
            md5: text("content-md5").map(str::to_owned),
            ..Self::default()
        };
        match text("x-amz-content-sha256") {
            None | Some("UNSIGNED-PAYLOAD") => {}
            Some(kind) if CHUNKED.contains(&kind) => expected.chunked = true,
            Some(hash) if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
                expected.payload = Some(hash.to_ascii_lowercase());
            }
            Some(other) => {
                return Err(S3Error::not_emulated(&format!(
                    "x-amz-content-sha256: {other}"
                )));
            }
        }
        let encodings = text("content-encoding").unwrap_or_default();
        let says_chunked = encodings.split(',').any(|one| one.trim() == "aws-chunked");
        if says_chunked && !expected.chunked {
            return Err(S3Error::not_emulated(
                "aws-chunked without STREAMING- in x-amz-content-sha256",
            ));
        }
        for (name, value) in headers {
            let name = name.as_str();
            if name.starts_with(PREFIX) && !ABOUT_CHECKSUMS.contains(&name) {
                known(name)?;
                let value = value.to_str().unwrap_or_default();
                expected.checksums.insert(name.to_owned(), value.to_owned());
            }
        }
        for name in text("x-amz-trailer")
            .into_iter()
            .flat_map(|names| names.split(','))
        {
            let name = name.trim().to_ascii_lowercase();
            known(&name)?;
            expected.announced.push(name);
        }
        Ok(expected)
    }

    /// Takes the checksums that came after the body: those that were announced, and no others.
    pub(super) fn take(&mut self, trailers: Vec<(String, String)>) -> Result<(), S3Error> {
        let mut missing = std::mem::take(&mut self.announced);
        for (name, value) in trailers {
            if name == TRAILER_SIGNATURE {
                continue;
            }
            let Some(at) = missing.iter().position(|announced| *announced == name) else {
                return Err(malformed_trailer());
            };
            missing.swap_remove(at);
            self.checksums.insert(name, value);
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(malformed_trailer())
        }
    }

    /// Compares.
    pub(super) fn check(&self, computed: &Computed) -> Result<(), S3Error> {
        if let Some(md5) = &self.md5 {
            let decoded = STANDARD.decode(md5).ok().filter(|bytes| bytes.len() == 16);
            let decoded = decoded.ok_or_else(|| {
                S3Error::client(
                    "InvalidDigest",
                    "The Content-MD5 you specified was invalid.",
                )
            })?;
            if decoded != computed.md5 {
                let message = "The Content-MD5 you specified did not match what we received.";
                return Err(S3Error::client("BadDigest", message));
            }
        }
        if let Some(payload) = &self.payload
            && *payload != hex(&computed.sha256)
        {
            return Err(S3Error::client(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        for (name, value) in &self.checksums {
            let (algorithm, computed) = match name.as_str() {
                CRC32 => ("CRC32", crc32_text(computed.crc32)),
                SHA256 => ("SHA256", STANDARD.encode(&computed.sha256)),
                other => return Err(S3Error::not_emulated(other)),
            };
            if *value != computed {
                let message =
                    format!("The {algorithm} you specified did not match the calculated checksum.");
                return Err(S3Error::client("BadDigest", message));
            }
        }
        Ok(())
    }
}

/// A CRC-32 as S3 writes it.
pub(super) fn crc32_text(crc32: u32) -> String {
    STANDARD.encode(crc32.to_be_bytes())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |digit: u8| char::from_digit(digit.into(), 16).unwrap_or('0');
    digits.map(digit).collect()
}

fn known(name: &str) -> Result<(), S3Error> {
    match name {
        CRC32 | SHA256 => Ok(()),
        other => Err(S3Error::not_emulated(other)),
    }
}

fn malformed_trailer() -> S3Error {
    let message = "The request contained trailing data that was not well-formed or did not conform to our \
                   published schema.";
    S3Error::client("MalformedTrailerError", message)
}
