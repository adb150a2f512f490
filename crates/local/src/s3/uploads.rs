//! Uploads in parts.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;

use super::body::Received;
use super::checksum::{CRC32, crc32_text};
use super::conditions::{self, bare};
use super::error::S3Error;
use super::events::{Created, How};
use super::objects::{details, empty, quoted, set};
use super::request::Request;
use super::xml;
use crate::buckets::{CompletePart, Details, Part, Store};

/// The largest number of a part.
const MAX_PART: u32 = 10_000;

/// Where an upload remembers that each of its parts has a CRC-32.
const ALGORITHM: &str = "x-amz-checksum-algorithm";

pub(super) fn create(store: &Store, request: &Request) -> Result<Response<Body>, S3Error> {
    let mut details = details(&request.headers)?;
    let algorithm = request.header(ALGORITHM);
    match algorithm {
        None => {}
        Some("CRC32") => {
            details
                .checksums
                .insert(ALGORITHM.to_owned(), "CRC32".to_owned());
        }
        Some(other) => return Err(S3Error::not_emulated(&format!("{ALGORITHM}: {other}"))),
    }
    match request.header("x-amz-checksum-type") {
        None | Some("COMPOSITE") => {}
        Some(other) => {
            return Err(S3Error::not_emulated(&format!(
                "x-amz-checksum-type: {other}"
            )));
        }
    }
    let id = store.create_upload(&request.bucket, &request.key, &details)?;
    let mut content = String::new();
    xml::element(&mut content, "Bucket", &request.bucket);
    xml::element(&mut content, "Key", &request.key);
    xml::element(&mut content, "UploadId", &id);
    let mut response = written("InitiateMultipartUploadResult", &content);
    if algorithm.is_some() {
        set(&mut response, ALGORITHM, "CRC32");
        set(&mut response, "x-amz-checksum-type", "COMPOSITE");
    }
    Ok(response)
}

pub(super) fn part(
    store: &Store,
    request: &Request,
    received: &Received,
) -> Result<Response<Body>, S3Error> {
    let number = request.parameter("partNumber").unwrap_or_default();
    let number = number
        .parse()
        .ok()
        .filter(|number| (1..=MAX_PART).contains(number));
    let number = number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        S3Error::invalid_argument("partNumber", message)
    })?;
    let upload = request.parameter("uploadId").unwrap_or_default();
    let (bucket, key) = (&request.bucket, &request.key);
    let part = Part {
        md5: received.etag(),
        crc32: received.crc32,
        size: received.size,
        ..Part::default()
    };
    store
        .upload(bucket, key, upload)
        .and_then(|_| store.put_part(upload, number, &received.file, &part))
        .map_err(|error| S3Error::of_upload(error, false, key))?;
    let mut response = empty(StatusCode::OK);
    set(&mut response, "etag", &quoted(&part.md5));
    for (name, value) in &received.checksums {
        set(&mut response, name, value);
    }
    Ok(response)
}

pub(super) async fn complete(
    store: &Arc<Store>,
    request: &Request,
    received: &Received,
    now: Timestamp,
) -> Result<(Response<Body>, Created), S3Error> {
    let condition = conditions::of_write(&request.headers)?;
    let upload = request.parameter("uploadId").unwrap_or_default().to_owned();
    let (bucket, key) = (request.bucket.clone(), request.key.clone());
    let refused = |error| S3Error::of_upload(error, condition.absent, &key);
    let begun = store.upload(&bucket, &key, &upload).map_err(refused)?;
    let body = tokio::fs::read_to_string(received.file.path()).await;
    let named = body
        .ok()
        .and_then(|body| named_parts(&body))
        .ok_or_else(malformed)?;
    if !named.is_sorted_by(|a, b| a.number < b.number) {
        let message = "The list of parts was not in ascending order. The parts list must be \
                       specified in order by part number.";
        return Err(S3Error::client("InvalidPartOrder", message));
    }
    let parts = store.parts(&upload, &named).map_err(refused)?;
    let details = whole(begun, &named, &parts)?;
    let size = parts.iter().map(|part| part.size).sum();
    let blocking = {
        let (store, bucket, key) = (Arc::clone(store), bucket.clone(), key.clone());
        let (details, condition) = (details.clone(), condition.clone());
        move || store.complete(&bucket, &key, &upload, &parts, now, &details, &condition)
    };
    let completed = tokio::task::spawn_blocking(blocking).await;
    completed.map_err(std::io::Error::other)?.map_err(refused)?;
    let mut content = String::new();
    let host = request.header("host").unwrap_or_default();
    xml::element(
        &mut content,
        "Location",
        &format!("http://{host}/{bucket}/{key}"),
    );
    xml::element(&mut content, "Bucket", &bucket);
    xml::element(&mut content, "Key", &key);
    xml::element(&mut content, "ETag", &quoted(&details.etag));
    if let Some(crc32) = details.checksums.get(CRC32) {
        xml::element(&mut content, "ChecksumCRC32", crc32);
        xml::element(&mut content, "ChecksumType", "COMPOSITE");
    }
    let created = Created {
        how: How::Parts,
        size,
        etag: details.etag,
    };
    Ok((written("CompleteMultipartUploadResult", &content), created))
}

pub(super) fn abort(store: &Store, request: &Request) -> Result<Response<Body>, S3Error> {
    let upload = request.parameter("uploadId").unwrap_or_default();
    store
        .abort_upload(&request.bucket, &request.key, upload)
        .map_err(|error| S3Error::of_upload(error, false, &request.key))?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// What is known of an object that was uploaded in parts. Its entity tag is the MD5 of the parts'
/// MD5s, and its checksum the CRC-32 of their checksums, each followed by their number.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
fn whole(begun: Details, named: &[CompletePart], parts: &[Part]) -> Result<Details, S3Error> {
    let mut details = begun;
    let needs_crc32 = details.checksums.remove(ALGORITHM).is_some();
    let mut md5 = md5::Context::new();
    let mut crc32 = crc32fast::Hasher::new();
    for (one, part) in named.iter().zip(parts) {
        let digits = part.md5.as_bytes().chunks(2);
        let bytes = digits.filter_map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        md5.consume(bytes.collect::<Vec<_>>());
        crc32.update(&part.crc32.to_be_bytes());
        match &one.crc32 {
            None if needs_crc32 => {
                let message = format!(
                    "The upload was created using a crc32 checksum. The complete request must \
                     include the checksum for each part. It was missing for part {} in the request.",
                    one.number
                );
                return Err(S3Error::client("InvalidRequest", message));
            }
            Some(named) if *named != crc32_text(part.crc32) => {
                let message = "One or more of the specified parts could not be found. The part may \
                               not have been uploaded, or its checksum may not match.";
                return Err(S3Error::client("InvalidPart", message));
            }
            Some(_) | None => {}
        }
    }
    details.etag = format!("{:x}-{}", md5.compute(), parts.len());
    if needs_crc32 {
        let crc32 = format!("{}-{}", crc32_text(crc32.finalize()), parts.len());
        details.checksums.insert(CRC32.to_owned(), crc32);
    }
    Ok(details)
}

/// The parts in the body of `CompleteMultipartUpload`; `None` if it is not one.
fn named_parts(body: &str) -> Option<Vec<CompletePart>> {
    let document = xml::parse(body).filter(|root| root.name == "CompleteMultipartUpload")?;
    let part = |element: &xml::Element| {
        Some(CompletePart {
            number: element.text_of("PartNumber")?.parse().ok()?,
            etag: bare(element.text_of("ETag")?).to_owned(),
            crc32: element.text_of("ChecksumCRC32").map(str::to_owned),
        })
    };
    let parts = document.children.iter();
    let parts: Option<Vec<_>> = parts
        .map(|element| part(element).filter(|_| element.name == "Part"))
        .collect();
    parts.filter(|parts| !parts.is_empty())
}

fn written(name: &str, content: &str) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    set(&mut response, "content-type", "application/xml");
    *response.body_mut() = xml::document(name, content).into();
    response
}

fn malformed() -> S3Error {
    let message =
        "The XML you provided was not well-formed or did not validate against our published schema";
    S3Error::client("MalformedXML", message)
}
