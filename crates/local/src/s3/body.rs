//! Reads a body into a file, and verifies what was said of it.

use std::collections::BTreeMap;

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

/// The largest body of one request, in bytes: 5 GB.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub(super) const MAX_BODY: u64 = 5 * 1024 * 1024 * 1024;

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
pub(super) struct Writer {
    incoming: Incoming,
    file: BufWriter<File>,
    digests: Digests,
    size: u64,
    limit: u64,
}

impl Writer {
    /// A new file, which takes at most `limit` bytes.
    pub(super) async fn create(store: &Store, limit: u64) -> Result<Self, S3Error> {
        let incoming = store.incoming();
        let file = File::create(incoming.path()).await?;
        Ok(Self {
            incoming,
            file: BufWriter::with_capacity(BUFFER, file),
            digests: Digests::new(),
            size: 0,
            limit,
        })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), S3Error> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.size, self.limit));
        }
        self.digests.add(bytes);
        Ok(self.file.write_all(bytes).await?)
    }

    /// What was received, and what was computed of it.
    pub(super) async fn finish(
        mut self,
        checksums: BTreeMap<String, String>,
    ) -> Result<(Received, Computed), S3Error> {
        self.file.flush().await?;
        let computed = self.digests.finish();
        let received = Received {
            file: self.incoming,
            size: self.size,
            md5: computed.md5,
            crc32: computed.crc32,
            checksums,
        };
        Ok((received, computed))
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
    let mut writer = Writer::create(store, limit).await?;
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
    let checksums = expected.checksums.clone();
    let (received, computed) = writer.finish(checksums).await?;
    if announced.is_some_and(|announced| announced != received.size) {
        return Err(incomplete());
    }
    expected.check(&computed)?;
    Ok(received)
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

pub(super) fn incomplete() -> S3Error {
    let message =
        "You did not provide the number of bytes specified by the Content-Length HTTP header";
    S3Error::client("IncompleteBody", message)
}
