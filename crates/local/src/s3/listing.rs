//! `ListObjectsV2`.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::S3Error;
use super::objects::{empty, quoted, set};
use super::request::Request;
use super::uri;
use super::xml;
use crate::buckets::{Entry, Store};

/// The most keys on one page.
const MAX_KEYS: usize = 1000;

pub(super) fn list(store: &Store, request: &Request) -> Result<Response<Body>, S3Error> {
    if request.parameter("list-type") != Some("2") {
        return Err(S3Error::not_emulated("a list of another type than 2"));
    }
    let encodes = match request.parameter("encoding-type") {
        None => false,
        Some("url") => true,
        Some(_) => {
            let message = "Invalid Encoding Method specified in Request";
            return Err(S3Error::invalid_argument("encoding-type", message));
        }
    };
    let most = match request.parameter("max-keys").map(str::parse::<usize>) {
        None => MAX_KEYS,
        Some(Ok(most)) => most.min(MAX_KEYS),
        Some(Err(_)) => {
            let message = "Provided max-keys not an integer or within integer range";
            return Err(S3Error::invalid_argument("max-keys", message));
        }
    };
    let prefix = request.parameter("prefix").unwrap_or_default();
    let start_after = request.parameter("start-after").unwrap_or_default();
    let token = request.parameter("continuation-token");
    let after = match token {
        None => start_after.to_owned(),
        Some(token) => key_of(token).ok_or_else(|| {
            let message = "The continuation token provided is incorrect";
            S3Error::invalid_argument("continuation-token", message)
        })?,
    };
    let mut entries = store.list(&request.bucket, prefix, &after, most + 1)?;
    let truncated = most > 0 && entries.len() > most;
    entries.truncate(most);
    let text = |text: &str| {
        if encodes {
            uri::encode(text, "/")
        } else {
            text.to_owned()
        }
    };
    let mut content = String::new();
    xml::element(&mut content, "Name", &request.bucket);
    xml::element(&mut content, "Prefix", &text(prefix));
    xml::element(&mut content, "KeyCount", &entries.len().to_string());
    xml::element(&mut content, "MaxKeys", &most.to_string());
    xml::element(
        &mut content,
        "IsTruncated",
        if truncated { "true" } else { "false" },
    );
    if !start_after.is_empty() {
        xml::element(&mut content, "StartAfter", &text(start_after));
    }
    if let Some(token) = token {
        xml::element(&mut content, "ContinuationToken", token);
    }
    if encodes {
        xml::element(&mut content, "EncodingType", "url");
    }
    if truncated && let Some(last) = entries.last() {
        let next = URL_SAFE_NO_PAD.encode(&last.key);
        xml::element(&mut content, "NextContinuationToken", &next);
    }
    for entry in &entries {
        content.push_str(&written(entry, &text(&entry.key)));
    }
    let mut response = empty(StatusCode::OK);
    set(&mut response, "content-type", "application/xml");
    *response.body_mut() = xml::document("ListBucketResult", &content).into();
    Ok(response)
}

fn written(entry: &Entry, key: &str) -> String {
    let mut one = String::from("<Contents>");
    let modified = entry.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z");
    xml::element(&mut one, "Key", key);
    xml::element(&mut one, "LastModified", &modified.to_string());
    xml::element(&mut one, "ETag", &quoted(&entry.details.etag));
    xml::element(&mut one, "Size", &entry.size.to_string());
    xml::element(&mut one, "StorageClass", "STANDARD");
    one.push_str("</Contents>");
    one
}

/// The key that a token was made of: the last one of the page before.
fn key_of(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
