//! `If-Match` and `If-None-Match`, of reads and of writes.

use axum::http::{HeaderMap, header};

use super::error::S3Error;
use crate::buckets::{Condition, Entry};

/// What the conditions of a read say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Read,
    NotModified,
}

/// The condition of a write. Of `If-None-Match`, S3 knows only `*`.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
pub(super) fn of_write(headers: &HeaderMap) -> Result<Condition, S3Error> {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let absent = match text(header::IF_NONE_MATCH) {
        None => false,
        Some("*") => true,
        Some(_) => {
            return Err(S3Error::not_emulated(
                "If-None-Match of a write with an entity tag",
            ));
        }
    };
    let etag = text(header::IF_MATCH).map(|tag| bare(tag).to_owned());
    if etag.as_deref() == Some("*") {
        return Err(S3Error::not_emulated("If-Match: * of a write"));
    }
    if absent && etag.is_some() {
        return Err(S3Error::not_emulated(
            "If-Match together with If-None-Match",
        ));
    }
    Ok(Condition { absent, etag })
}

/// Weighs the conditions of a read.
pub(super) fn of_read(headers: &HeaderMap, entry: &Entry) -> Result<Verdict, S3Error> {
    let names = |name| {
        let tags = headers.get(name)?.to_str().unwrap_or_default();
        let mut tags = tags.split(',').map(bare);
        Some(tags.any(|tag| tag == "*" || tag == entry.details.etag))
    };
    if names(header::IF_MATCH) == Some(false) {
        return Err(S3Error::precondition_failed("If-Match"));
    }
    Ok(match names(header::IF_NONE_MATCH) {
        Some(true) => Verdict::NotModified,
        Some(false) | None => Verdict::Read,
    })
}

/// An entity tag without its quotes.
pub(super) fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}
