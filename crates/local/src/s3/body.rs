//! Reads a body into a file, and verifies what was said of it.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::StreamExt;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

use super::checksum::{Computed, Digests, Expected, hex};
use super::chunked::Decoder;
use super::error::S3Error;
use crate::buckets::{Incoming, Store};
use std::collections::BTreeMap;

/// How much is gathered before it is written, in bytes.
const BUFFER: usize = 256 * 1024;

/// A body that was received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(super) file: Incoming,
    /// In bytes.
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) crc32: u32,
    /// The checksums that it came with, by the names of their headers.
    pub(super) checksums: BTreeMap<String, String>,
}

impl Received {
    /// The MD5 in hexadecimal digits, which is the entity tag of what was sent in one piece.
    pub(super) fn etag(&self) -> String {
        hex(&self.md5)
    }
}

/// What a body is written to as it comes.
struct Writer {
    file: BufWriter<File>,
    digests: Digests,
    size: u64,
    limit: u64,
}

impl Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), S3Error> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.size, self.limit));
        }
        self.digests.add(bytes);
        Ok(self.file.write_all(bytes).await?)
    }

    async fn finish(mut self) -> Result<(u64, Computed), S3Error> {
        self.file.flush().await?;
        Ok((self.size, self.digests.finish()))
    }
}

/// Receives a body of at most `limit` bytes.
pub(super) async fn receive(
    store: &Store,
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<Received, S3Error> {
    let mut expected = Expected::of(headers)?;
    let announced = announced(headers, expected.chunked)?;
    if let Some(size) = announced.filter(|size| *size > limit) {
        return Err(too_large(size, limit));
    }
    let file = store.incoming();
    let mut writer = Writer {
        file: BufWriter::with_capacity(BUFFER, File::create(file.path()).await?),
        digests: Digests::new(),
        size: 0,
        limit,
    };
    let mut decoder = expected.chunked.then(Decoder::default);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece: Bytes = piece.map_err(|_| incomplete())?;
        match &mut decoder {
            None => writer.write(&piece).await?,
            Some(decoder) => {
                for piece in decoder.push(&piece)? {
                    writer.write(&piece).await?;
                }
            }
        }
    }
    if let Some(decoder) = decoder {
        expected.take(decoder.finish()?)?;
    }
    let (size, computed) = writer.finish().await?;
    if announced.is_some_and(|announced| announced != size) {
        return Err(incomplete());
    }
    expected.check(&computed)?;
    Ok(Received {
        file,
        size,
        md5: computed.md5,
        crc32: computed.crc32,
        checksums: expected.checksums,
    })
}

/// How many bytes the headers say that the body has.
fn announced(headers: &HeaderMap, chunked: bool) -> Result<Option<u64>, S3Error> {
    let name = if chunked {
        "x-amz-decoded-content-length"
    } else {
        header::CONTENT_LENGTH.as_str()
    };
    let Some(length) = headers.get(name) else {
        if chunked || headers.contains_key(header::TRANSFER_ENCODING) {
            let message = "You must provide the Content-Length HTTP header.";
            let status = axum::http::StatusCode::LENGTH_REQUIRED;
            return Err(S3Error::new(status, "MissingContentLength", message));
        }
        return Ok(None);
    };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.map(Some).ok_or_else(incomplete)
}

fn too_large(size: u64, limit: u64) -> S3Error {
    let message = "Your proposed upload exceeds the maximum allowed size";
    S3Error::client("EntityTooLarge", message)
        .with("ProposedSize", size.to_string())
        .with("MaxSizeAllowed", limit.to_string())
}

fn incomplete() -> S3Error {
    let message =
        "You did not provide the number of bytes specified by the Content-Length HTTP header";
    S3Error::client("IncompleteBody", message)
}
