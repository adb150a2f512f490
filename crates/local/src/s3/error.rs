//! How S3 refuses.

use std::fmt::Write;
use std::io;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use uuid::Uuid;

use super::xml;
use crate::aws::AwsError;
use crate::buckets::{Unmet, UploadError};

/// An error of S3, as it goes over the wire.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct S3Error {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Further elements of the response.
    fields: Vec<(&'static str, String)>,
}

impl S3Error {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// The same with another element in its response.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Status 400.
    pub(super) fn client(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    /// What S3 has and this machine has not.
    pub(super) fn not_emulated(what: &str) -> Self {
        let message = format!("{what} is not emulated on this machine");
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn invalid_argument(name: &'static str, message: impl Into<String>) -> Self {
        Self::client("InvalidArgument", message).with("ArgumentName", name)
    }

    pub(crate) fn no_such_bucket(bucket: &str) -> Self {
        let message = "The specified bucket does not exist";
        Self::new(StatusCode::NOT_FOUND, "NoSuchBucket", message).with("BucketName", bucket)
    }

    pub(super) fn no_such_key(key: &str) -> Self {
        let message = "The specified key does not exist.";
        Self::new(StatusCode::NOT_FOUND, "NoSuchKey", message).with("Key", key)
    }

    /// Whether it says that an object is not there.
    pub(crate) fn is_missing_key(&self) -> bool {
        self.code == "NoSuchKey"
    }

    pub(super) fn precondition_failed(condition: &str) -> Self {
        let message = "At least one of the pre-conditions you specified did not hold";
        let status = StatusCode::PRECONDITION_FAILED;
        Self::new(status, "PreconditionFailed", message).with("Condition", condition)
    }

    /// A condition of a write that does not hold.
    pub(super) fn unmet(unmet: Unmet, absent: bool, key: &str) -> Self {
        match unmet {
            Unmet::Differs if absent => Self::precondition_failed("If-None-Match"),
            Unmet::Differs => Self::precondition_failed("If-Match"),
            Unmet::Missing => Self::no_such_key(key),
        }
    }

    /// What becomes of an upload that cannot go on.
    pub(super) fn of_upload(error: UploadError, absent: bool, key: &str) -> Self {
        match error {
            UploadError::Missing => Self::new(
                StatusCode::NOT_FOUND,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload \
                 may have been aborted or completed.",
            ),
            UploadError::Part(number) => Self::client(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been \
                 uploaded, or the specified entity tag may not match the part's entity tag.",
            )
            .with("PartNumber", number.to_string()),
            UploadError::Small { number, size } => Self::client(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            )
            .with("ProposedSize", size.to_string())
            .with("PartNumber", number.to_string()),
            UploadError::Unmet(unmet) => Self::unmet(unmet, absent, key),
            UploadError::Io(error) => error.into(),
        }
    }

    /// The response. One to `HEAD` has no body.
    pub(crate) fn response(&self, path: &str, is_head: bool) -> Response<Body> {
        let id = Uuid::new_v4().to_string();
        let mut text = String::new();
        xml::element(&mut text, "Code", &self.code);
        xml::element(&mut text, "Message", &self.message);
        for (name, value) in &self.fields {
            xml::element(&mut text, name, value);
        }
        xml::element(&mut text, "Resource", path);
        xml::element(&mut text, "RequestId", &id);
        let mut body = xml::PROLOGUE.to_owned();
        // Writing to a text does not fail.
        let _ = write!(body, "<Error>{text}</Error>");
        let body = if is_head { Body::empty() } else { body.into() };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let xml = HeaderValue::from_static("application/xml");
        headers.insert(header::CONTENT_TYPE, xml);
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert("x-amz-request-id", id);
        }
        response
    }
}

impl From<io::Error> for S3Error {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "a bucket cannot be used");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "We encountered an internal error. Please try again.",
        )
    }
}

/// What the endpoint refuses for every service, in S3's words.
impl From<AwsError> for S3Error {
    fn from(error: AwsError) -> Self {
        if error.code == "AccessDeniedException" {
            return Self::denied(error.message);
        }
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, error.code, error.message)
    }
}
