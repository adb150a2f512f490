//! What a request asks for.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use super::error::S3Error;
use super::signature;
use super::uri;

/// The longest key, in bytes.
pub(super) const MAX_KEY: usize = 1024;

/// What is emulated of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    DeleteObject,
    GetObject,
    HeadObject,
    ListObjectsV2,
    PutObject,
    UploadPart,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) bucket: String,
    /// The key, decoded; empty if the request is about the bucket.
    pub(crate) key: String,
    pub(crate) headers: HeaderMap,
    query: Vec<(String, String)>,
}

/// Headers of S3's own that every operation takes.
const HEADERS: &[&str] = &[
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
];

/// Headers of S3's own about the body of a request.
const BODY_HEADERS: &[&str] = &[
    "x-amz-checksum-crc32",
    "x-amz-checksum-sha256",
    "x-amz-decoded-content-length",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-trailer",
];

/// Headers that change what an operation does, and are refused where they are not emulated.
const CONDITIONS: &[&str] = &[
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// Parameters of a signature.
const SIGNATURE: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "x-id",
];

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::DeleteObject => "DeleteObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::PutObject => "PutObject",
            Self::UploadPart => "UploadPart",
        }
    }

    /// The parameters of the query, and the headers, that it takes beside those that all do.
    fn takes(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::AbortMultipartUpload => (&["uploadId"], &[]),
            Self::CompleteMultipartUpload => (&["uploadId"], &["if-match", "if-none-match"]),
            Self::CreateMultipartUpload => (
                &["uploads"],
                &["x-amz-checksum-algorithm", "x-amz-checksum-type"],
            ),
            Self::DeleteObject => (&[], &[]),
            Self::GetObject | Self::HeadObject => {
                let headers = &["if-match", "if-none-match", "range", "x-amz-checksum-mode"];
                (&[], headers)
            }
            Self::ListObjectsV2 => {
                let parameters = &[
                    "continuation-token",
                    "encoding-type",
                    "list-type",
                    "max-keys",
                    "prefix",
                    "start-after",
                ];
                (parameters, &[])
            }
            Self::PutObject => (&[], &["if-match", "if-none-match"]),
            Self::UploadPart => (&["partNumber", "uploadId"], &[]),
        }
    }

    fn has_body(self) -> bool {
        matches!(
            self,
            Self::CompleteMultipartUpload | Self::PutObject | Self::UploadPart
        )
    }

    /// Whether it reads one object.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::GetObject | Self::HeadObject)
    }

    fn has_metadata(self) -> bool {
        matches!(self, Self::CreateMultipartUpload | Self::PutObject)
    }
}

impl Request {
    /// Reads a request whose path has the bucket first.
    pub(crate) fn parse(parts: &Parts) -> Result<Self, S3Error> {
        let path = parts.uri.path().trim_start_matches('/');
        let (bucket, key) = bucket_and_key(parts.uri.path())
            .ok_or_else(|| S3Error::client("InvalidURI", "Couldn't parse the specified URI."))?;
        if key.len() > MAX_KEY {
            return Err(S3Error::client("KeyTooLongError", "Your key is too long"));
        }
        let query = uri::parameters(parts.uri.query().unwrap_or_default());
        let query = query
            .ok_or_else(|| S3Error::client("InvalidURI", "Couldn't parse the specified query."))?;
        let has = |name: &str| query.iter().any(|(key, _)| key == name);
        let operation = match (&parts.method, key.is_empty()) {
            (&Method::GET, true) if has("list-type") => Operation::ListObjectsV2,
            (&Method::GET, false) => Operation::GetObject,
            (&Method::HEAD, false) => Operation::HeadObject,
            (&Method::DELETE, false) if has("uploadId") => Operation::AbortMultipartUpload,
            (&Method::DELETE, false) => Operation::DeleteObject,
            (&Method::PUT, false) if has("uploadId") || has("partNumber") => Operation::UploadPart,
            (&Method::PUT, false) => Operation::PutObject,
            (&Method::POST, false) if has("uploads") => Operation::CreateMultipartUpload,
            (&Method::POST, false) if has("uploadId") => Operation::CompleteMultipartUpload,
            (method, _) => {
                let named: Vec<_> = query.iter().map(|(name, _)| name.as_str()).collect();
                let what = format!("{method} /{path}?{}", named.join("&"));
                return Err(S3Error::not_emulated(what.trim_end_matches('?')));
            }
        };
        let request = Self {
            operation,
            bucket,
            key,
            headers: parts.headers.clone(),
            query,
        };
        request.refuse_unknown()?;
        Ok(request)
    }

    /// Refuses every parameter, and every header of S3's own, that the operation does not take here.
    fn refuse_unknown(&self) -> Result<(), S3Error> {
        let operation = self.operation;
        let (parameters, headers) = operation.takes();
        let known = |name: &str| parameters.contains(&name) || SIGNATURE.contains(&name);
        if let Some((name, _)) = self.query.iter().find(|(name, _)| !known(name)) {
            let what = format!("the parameter {name} of {}", operation.name());
            return Err(S3Error::not_emulated(&what));
        }
        for (name, value) in &self.headers {
            let name = name.as_str();
            let of_s3 = name.starts_with("x-amz-") || CONDITIONS.contains(&name);
            let known = !of_s3
                || HEADERS.contains(&name)
                || headers.contains(&name)
                || (operation.has_body() && BODY_HEADERS.contains(&name))
                || (operation.has_metadata() && name.starts_with("x-amz-meta-"))
                || (name == "x-amz-storage-class" && value == "STANDARD");
            if !known {
                let what = format!("the header {name} of {}", operation.name());
                return Err(S3Error::not_emulated(&what));
            }
        }
        Ok(())
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// A header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The bucket and the key in a path; `None` if there is no bucket, or the key is not UTF-8.
pub(crate) fn bucket_and_key(path: &str) -> Option<(String, String)> {
    let path = path.strip_prefix('/')?;
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let bucket = uri::decode(bucket, false).filter(|bucket| !bucket.is_empty())?;
    Some((bucket, uri::decode(key, false)?))
}

/// Whether a request is for S3: it is signed for it, or has no signature and names a bucket.
pub(crate) fn is_for_s3(parts: &Parts, has_bucket: impl Fn(&str) -> bool) -> bool {
    if parts.headers.contains_key("x-amz-target") {
        return false;
    }
    match credential(parts) {
        Some(credential) => signature::Credential::parse(&credential).is_some(),
        None => bucket_and_key(parts.uri.path()).is_some_and(|(bucket, _)| has_bucket(&bucket)),
    }
}

/// The credential in a request's header, or in its query.
fn credential(parts: &Parts) -> Option<String> {
    if let Some(header) = parts.headers.get(header::AUTHORIZATION) {
        let (_, credential) = header.to_str().ok()?.split_once("Credential=")?;
        let credential = credential.split([',', ' ']).next()?;
        return Some(credential.to_owned());
    }
    let query = uri::parameters(parts.uri.query()?)?;
    let mut credentials = query
        .into_iter()
        .filter(|(name, _)| name == "X-Amz-Credential");
    credentials.next().map(|(_, credential)| credential)
}
