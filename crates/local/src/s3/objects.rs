//! Objects as a whole: put, got, looked at, deleted.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures::stream;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt};
use uuid::Uuid;

use super::body::Received;
use super::conditions::{self, Verdict};
use super::error::S3Error;
use super::events::{Created, How};
use super::request::Request;
use crate::buckets::{Details, Entry, Store};

/// How much of an object is read at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// The most user metadata, in bytes of names and values.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const MAX_METADATA: usize = 2048;

/// Headers that an object is put with and is got with, beside `x-amz-meta-*`.
const KEPT: [HeaderName; 6] = [
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::EXPIRES,
];

pub(super) fn put(
    store: &Store,
    request: &Request,
    received: &Received,
    now: Timestamp,
) -> Result<(Response<Body>, Created), S3Error> {
    let condition = conditions::of_write(&request.headers)?;
    let details = Details {
        etag: received.etag(),
        checksums: received.checksums.clone(),
        ..details(&request.headers)?
    };
    let (bucket, key, size) = (&request.bucket, &request.key, received.size);
    store
        .put(bucket, key, &received.file, size, now, &details, &condition)?
        .map_err(|unmet| S3Error::unmet(unmet, condition.absent, key))?;
    let mut response = empty(StatusCode::OK);
    set(&mut response, header::ETAG.as_str(), &quoted(&details.etag));
    for (name, value) in &details.checksums {
        set(&mut response, name, value);
    }
    let created = Created {
        how: How::Put,
        size,
        etag: details.etag,
    };
    Ok((response, created))
}

pub(super) fn get(
    store: &Store,
    request: &Request,
    may_list: bool,
) -> Result<Response<Body>, S3Error> {
    let found = store.open_object(&request.bucket, &request.key)?;
    let (entry, mut file) = found.ok_or_else(|| missing(request, may_list))?;
    if conditions::of_read(&request.headers, &entry)? == Verdict::NotModified {
        return Ok(not_modified(&entry));
    }
    let range = range(request, entry.size)?;
    let (start, length) = range.unwrap_or((0, entry.size));
    let mut response = described(request, &entry, range);
    file.seek(SeekFrom::Start(start))?;
    *response.body_mut() = if length == 0 {
        Body::empty()
    } else {
        bytes_of(file, length)
    };
    Ok(response)
}

pub(super) fn head(
    store: &Store,
    request: &Request,
    may_list: bool,
) -> Result<Response<Body>, S3Error> {
    let found = store.get(&request.bucket, &request.key)?;
    let entry = found.ok_or_else(|| missing(request, may_list))?;
    if conditions::of_read(&request.headers, &entry)? == Verdict::NotModified {
        return Ok(not_modified(&entry));
    }
    Ok(described(request, &entry, range(request, entry.size)?))
}

pub(super) fn delete(store: &Store, request: &Request) -> Result<Response<Body>, S3Error> {
    store.delete(&request.bucket, &request.key)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// What is kept of the headers of an object.
pub(super) fn details(headers: &HeaderMap) -> Result<Details, S3Error> {
    let mut details = Details::default();
    let mut metadata = 0;
    for (name, value) in headers {
        let user = name.as_str().strip_prefix("x-amz-meta-");
        if user.is_none() && !KEPT.contains(name) {
            continue;
        }
        let value = value.to_str().unwrap_or_default();
        metadata += user.map_or(0, |user| user.len() + value.len());
        let value = if *name == header::CONTENT_ENCODING {
            let encodings = value.split(',').map(str::trim);
            let own: Vec<_> = encodings.filter(|one| *one != "aws-chunked").collect();
            own.join(",")
        } else {
            value.to_owned()
        };
        if !value.is_empty() {
            details.headers.insert(name.as_str().to_owned(), value);
        }
    }
    if metadata > MAX_METADATA {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(S3Error::client("MetadataTooLarge", message));
    }
    Ok(details)
}

/// An entity tag as it is sent.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    set(
        &mut response,
        "x-amz-request-id",
        &Uuid::new_v4().to_string(),
    );
    response
}

/// Sets a header.
pub(super) fn set(response: &mut Response<Body>, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
        response.headers_mut().insert(name, value);
    }
}

/// Who may not list a bucket does not learn what is not in it.
fn missing(request: &Request, may_list: bool) -> S3Error {
    if may_list {
        S3Error::no_such_key(&request.key)
    } else {
        S3Error::denied("Access Denied")
    }
}

fn not_modified(entry: &Entry) -> Response<Body> {
    let mut response = empty(StatusCode::NOT_MODIFIED);
    set(
        &mut response,
        header::ETAG.as_str(),
        &quoted(&entry.details.etag),
    );
    response
}

/// The response to a read of an object, or of its range `(start, length)`, without its body.
fn described(request: &Request, entry: &Entry, range: Option<(u64, u64)>) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    let Details {
        etag,
        headers,
        checksums,
    } = &entry.details;
    let time = entry.modified.strftime("%a, %d %b %Y %H:%M:%S GMT");
    set(&mut response, "content-type", "binary/octet-stream");
    set(&mut response, "accept-ranges", "bytes");
    set(&mut response, "etag", &quoted(etag));
    set(&mut response, "last-modified", &time.to_string());
    for (name, value) in headers {
        set(&mut response, name, value);
    }
    let length = if let Some((start, length)) = range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let content = format!("bytes {start}-{}/{}", start + length - 1, entry.size);
        set(&mut response, "content-range", &content);
        length
    } else {
        // The checksum of a part of an object is not known.
        if request.header("x-amz-checksum-mode") == Some("ENABLED") {
            for (name, value) in checksums {
                set(&mut response, name, value);
            }
        }
        entry.size
    };
    set(&mut response, "content-length", &length.to_string());
    response
}

/// Start and length of the one range that is asked for. What is not understood is passed over, as
/// RFC 9110 (section 14.2) has it.
fn range(request: &Request, size: u64) -> Result<Option<(u64, u64)>, S3Error> {
    let Some(text) = request.header("range") else {
        return Ok(None);
    };
    let Some(ranges) = text.trim().strip_prefix("bytes=") else {
        return Ok(None);
    };
    if ranges.contains(',') {
        return Err(S3Error::not_emulated("more than one range"));
    }
    let Some((first, last)) = ranges.trim().split_once('-') else {
        return Ok(None);
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let bounds = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Some((first, last)),
        (Some(first), None) if last.is_empty() => Some((first, u64::MAX)),
        // The last so many bytes.
        (None, Some(last)) if first.is_empty() => Some((size.saturating_sub(last), u64::MAX)),
        _ => None,
    };
    let Some((first, last)) = bounds else {
        return Ok(None);
    };
    if first >= size {
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        let message = "The requested range is not satisfiable";
        return Err(S3Error::new(status, "InvalidRange", message)
            .with("RangeRequested", text)
            .with("ActualObjectSize", size.to_string()));
    }
    Ok(Some((first, last.min(size - 1) - first + 1)))
}

/// A body of the next `length` bytes of a file.
fn bytes_of(file: File, length: u64) -> Body {
    let file = tokio::fs::File::from_std(file).take(length);
    Body::from_stream(stream::try_unfold(file, next_piece))
}

async fn next_piece<R: AsyncRead + Unpin>(mut from: R) -> std::io::Result<Option<(Bytes, R)>> {
    let mut piece = BytesMut::with_capacity(PIECE);
    let read = from.read_buf(&mut piece).await?;
    Ok((read > 0).then(|| (piece.freeze(), from)))
}
