//! `PostObject`: an upload by a browser's form, which a function has signed.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use futures::StreamExt;
use jiff::Timestamp;

use super::body::{MAX_BODY, Received, Writer, incomplete};
use super::error::S3Error;
use super::events::{Created, How};
use super::multipart::{Piece, Reader};
use super::objects::{details, empty, quoted, set};
use super::policy::Policy;
use super::request;
use super::signature::{
    ALGORITHM, Credential, Signer, Verifier, does_not_match, unknown_key, verifies,
};
use super::xml;
use crate::buckets::{Condition, Details, Store};

/// Fields that ask for what is not emulated.
const REFUSED: [&str; 4] = ["acl", "redirect", "success_action_redirect", "tagging"];

/// Fields of S3's own that are known.
const KNOWN: [&str; 5] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];

/// A form of which all but the file was read.
pub(crate) struct Form {
    pub(crate) bucket: String,
    /// With the name of the file in it, if it asks for that.
    pub(crate) key: String,
    /// By their names in lower case.
    fields: BTreeMap<String, String>,
    host: String,
    reader: Reader,
    body: BodyDataStream,
    /// What was read of the file.
    pieces: VecDeque<Piece>,
    /// The least and the most bytes that the file may have.
    range: (u64, u64),
}

/// The bucket that a form is sent to.
pub(crate) fn bucket_of_form(parts: &Parts) -> Option<String> {
    let (bucket, key) = request::bucket_and_key(parts.uri.path())?;
    let kind = parts.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let is_form = parts.method == Method::POST
        && key.is_empty()
        && parts.uri.query().is_none()
        && kind.to_ascii_lowercase().starts_with("multipart/form-data");
    is_form.then_some(bucket)
}

impl Form {
    /// Reads a form up to its file.
    pub(super) async fn read(bucket: String, parts: &Parts, body: Body) -> Result<Self, S3Error> {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let reader = text(header::CONTENT_TYPE).and_then(Reader::new);
        let mut form = Self {
            bucket,
            key: String::new(),
            fields: BTreeMap::new(),
            host: text(header::HOST).unwrap_or_default().to_owned(),
            reader: reader.ok_or_else(|| {
                let message = "The form has no boundary.";
                S3Error::client("MalformedPOSTRequest", message)
            })?,
            body: body.into_data_stream(),
            pieces: VecDeque::new(),
            range: (0, MAX_BODY),
        };
        let file = loop {
            match form.next().await? {
                Some(Piece::Field(name, value)) => {
                    if form.fields.insert(name.clone(), value).is_some() {
                        let message = format!("POST requires exactly one field {name}.");
                        return Err(S3Error::invalid_argument("POST", message));
                    }
                }
                Some(Piece::File(name)) => break name,
                Some(Piece::Bytes(_) | Piece::End) | None => {
                    let message = "POST requires exactly one file upload per request.";
                    return Err(S3Error::invalid_argument("file", message));
                }
            }
        };
        form.expand(&file)?;
        Ok(form)
    }

    /// Who has signed a form, which has to be as its policy says.
    pub(super) fn signer(&mut self, verifier: &Verifier<'_>) -> Result<Signer, S3Error> {
        let Verifier {
            region,
            secret,
            now,
            is_function,
        } = *verifier;
        let field = |name: &str| self.fields.get(name).map(String::as_str);
        let Some(policy) = field("policy") else {
            return Err(S3Error::denied("Access Denied"));
        };
        let missing = |name: &str| {
            let message = format!("Bucket POST must contain a field named '{name}'.");
            S3Error::client("InvalidArgument", message)
        };
        if field("x-amz-algorithm") != Some(ALGORITHM) {
            return Err(missing("x-amz-algorithm"));
        }
        let credential = field("x-amz-credential").and_then(Credential::parse);
        let credential = credential.ok_or_else(|| missing("x-amz-credential"))?;
        let date = field("x-amz-date").ok_or_else(|| missing("x-amz-date"))?;
        let signature = field("x-amz-signature").ok_or_else(|| missing("x-amz-signature"))?;
        credential.check(region, date)?;
        if is_function(&credential.key) && field("x-amz-security-token").is_none() {
            return Err(unknown_key());
        }
        if !verifies(&credential, secret, policy, signature)? {
            return Err(does_not_match(&credential.key).with("StringToSign", policy));
        }
        let range = Policy::parse(policy)?.check(&self.fields, now)?;
        self.range = range.unwrap_or(self.range);
        Ok(Signer {
            key: credential.key,
            token: None,
        })
    }

    /// Receives the file of a form.
    pub(super) async fn receive(&mut self, store: &Arc<Store>) -> Result<Received, S3Error> {
        let (least, most) = self.range;
        let mut writer = Writer::create(store, most.min(MAX_BODY)).await?;
        loop {
            match self.next().await? {
                Some(Piece::Bytes(bytes)) => writer.write(&bytes).await?,
                Some(Piece::End) => break,
                Some(Piece::Field(..) | Piece::File(_)) | None => return Err(incomplete()),
            }
        }
        let (received, _) = writer.finish(BTreeMap::new()).await?;
        if received.size < least {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            return Err(S3Error::client("EntityTooSmall", message)
                .with("ProposedSize", received.size.to_string())
                .with("MinSizeAllowed", least.to_string()));
        }
        Ok(received)
    }

    /// Makes an object of the file of a form at `now`. Returns the response to its sender, too.
    pub(super) fn put(
        &self,
        store: &Arc<Store>,
        received: &Received,
        now: Timestamp,
    ) -> Result<(Response<Body>, Created), S3Error> {
        let details = Details {
            etag: received.etag(),
            ..details(&self.headers()?)?
        };
        let (size, any) = (received.size, Condition::default());
        let (bucket, key, file) = (&self.bucket, &self.key, &received.file);
        store
            .put(bucket, key, file, size, now, &details, &any)?
            .map_err(|unmet| S3Error::unmet(unmet, false, key))?;
        let response = self.response(&details.etag);
        let created = Created {
            how: How::Post,
            size,
            etag: details.etag,
        };
        Ok((response, created))
    }

    /// The next piece; `None` once the body has ended.
    async fn next(&mut self) -> Result<Option<Piece>, S3Error> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Ok(Some(piece));
            }
            if self.reader.has_ended() {
                return Ok(None);
            }
            let Some(bytes) = self.body.next().await else {
                return Err(incomplete());
            };
            let bytes = bytes.map_err(|_| incomplete())?;
            self.pieces.extend(self.reader.push(&bytes)?);
        }
    }

    /// Reads what is left of the body, so that a client that sends first and reads afterwards learns
    /// why it is refused.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(self.body)
    }

    /// Fills in the name of the file, and checks that all fields are known.
    fn expand(&mut self, file: &str) -> Result<(), S3Error> {
        let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
        for value in self.fields.values_mut() {
            *value = value.replace("${filename}", file);
        }
        let unknown = self.fields.keys().find(|name| {
            let name = name.as_str();
            let of_s3 = name.starts_with("x-amz-") && !name.starts_with("x-amz-meta-");
            REFUSED.contains(&name) || (of_s3 && !KNOWN.contains(&name))
        });
        if let Some(name) = unknown {
            return Err(S3Error::not_emulated(&format!(
                "the field {name} of PostObject"
            )));
        }
        let key = self.fields.get("key").filter(|key| !key.is_empty());
        self.key = key.cloned().ok_or_else(|| {
            let message = "Bucket POST must contain a field named 'key'. If it is specified, please \
                           check the order of the fields.";
            S3Error::invalid_argument("key", message)
        })?;
        if self.key.len() > request::MAX_KEY {
            return Err(S3Error::client("KeyTooLongError", "Your key is too long"));
        }
        self.fields.insert("bucket".to_owned(), self.bucket.clone());
        Ok(())
    }

    /// The fields as headers that an object is put with.
    fn headers(&self) -> Result<HeaderMap, S3Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            // A name that a header cannot have is left out.
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                continue;
            };
            let value = HeaderValue::from_str(value).map_err(|_| {
                S3Error::client(
                    "InvalidArgument",
                    format!("{name} is not the value of a header"),
                )
            });
            if ["key", "policy"].contains(&name.as_str()) {
                continue;
            }
            headers.insert(header, value?);
        }
        Ok(headers)
    }

    fn response(&self, etag: &str) -> Response<Body> {
        let status = match self.fields.get("success_action_status").map(String::as_str) {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            Some(_) | None => StatusCode::NO_CONTENT,
        };
        let mut response = empty(status);
        let path = super::uri::encode(&self.key, "/");
        let location = format!("http://{}/{}/{path}", self.host, self.bucket);
        set(&mut response, "etag", &quoted(etag));
        set(&mut response, "location", &location);
        if status == StatusCode::CREATED {
            let mut content = String::new();
            xml::element(&mut content, "Location", &location);
            xml::element(&mut content, "Bucket", &self.bucket);
            xml::element(&mut content, "Key", &self.key);
            xml::element(&mut content, "ETag", &quoted(etag));
            set(&mut response, "content-type", "application/xml");
            let body = format!("{}<PostResponse>{content}</PostResponse>", xml::PROLOGUE);
            *response.body_mut() = body.into();
        }
        response
    }
}
