//! S3: objects in buckets, by path-style requests on the port that `AWS_ENDPOINT_URL` names.
//!
//! There are `PutObject`, `GetObject` (also a range of it), `HeadObject`, `DeleteObject`,
//! `ListObjectsV2`, uploads in parts and by forms, with conditions on entity tags. Every other operation,
//! subresource, parameter and header of S3's own is refused by its name (`NotImplemented`). Buckets
//! have no versions here, whatever the template says.
//!
//! Bodies are read into files as they come. `Content-MD5`, the hash of the payload, and checksums by
//! CRC-32 and SHA-256 are verified; other checksums are refused. A body in chunks (`aws-chunked`) is
//! decoded, which is how the SDK for Rust sends a stream; the signatures of chunks are not verified.
//!
//! A presigned URL works as on AWS, by the runner's clock: a function that makes one has to say when
//! (`PresigningConfig::builder().start_time(..)`), if that clock is not the machine's.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use axum::http::request::Parts;
use serde_json::{Value, json};

use crate::arn::Arns;
use crate::buckets::{Buckets, Store};
use crate::functions::SECRET_ACCESS_KEY;
use crate::model::{BucketCors, Stack};
use crate::queues::Queues;

use events::{Created, Events};
use signature::Verifier;

pub(crate) use body::Received;
pub(crate) use cors::Origin;
pub(crate) use error::S3Error;
pub(crate) use post::{Form, bucket_of_form};
pub(crate) use request::{Operation, Request, is_for_s3};
pub(crate) use signature::Signer;

mod body;
mod checksum;
mod chunked;
mod conditions;
mod cors;
mod error;
mod events;
mod listing;
mod multipart;
mod objects;
mod policy;
mod post;
mod request;
mod signature;
#[cfg(test)]
mod tests;
mod uploads;
mod uri;
mod xml;

/// The largest list of parts, in bytes: 10,000 parts with their checksums are smaller.
const MAX_XML: u64 = 4 * 1024 * 1024;

/// S3 for the buckets of one stack.
#[derive(Clone, Debug)]
pub struct S3 {
    buckets: Buckets,
    arns: Arns,
    /// By physical name.
    cors: Arc<BTreeMap<String, Vec<BucketCors>>>,
    events: Events,
}

impl S3 {
    /// S3 for these buckets of a stack, which tell these queues.
    #[must_use]
    pub fn new(stack: &Stack, buckets: Buckets, queues: Queues, arns: Arns) -> Self {
        let events = Events::new(stack, queues, arns.clone(), buckets.now());
        let cors = stack.bucket_cors.iter().filter_map(|(id, rules)| {
            let name = stack.buckets.get(id)?;
            Some((name.clone(), rules.clone()))
        });
        Self {
            cors: Arc::new(cors.collect()),
            buckets,
            arns,
            events,
        }
    }

    /// Who has signed a request. `is_function` says whether an access key is a function's.
    pub(crate) fn signer(
        &self,
        parts: &Parts,
        is_function: &dyn Fn(&str) -> bool,
    ) -> Result<Signer, S3Error> {
        self.verifier(is_function).signer(parts)
    }

    /// What signatures are verified with.
    fn verifier<'a>(&'a self, is_function: &'a dyn Fn(&str) -> bool) -> Verifier<'a> {
        Verifier {
            region: self.arns.region(),
            secret: SECRET_ACCESS_KEY,
            now: self.buckets.now(),
            is_function,
        }
    }

    /// Whether the stack has a bucket of that name.
    pub(crate) fn has(&self, bucket: &str) -> bool {
        self.buckets.store(bucket).is_some()
    }

    /// Where a request comes from, if it is one of a page.
    pub(crate) fn origin(parts: &Parts) -> Option<Origin> {
        let (bucket, _) = request::bucket_and_key(parts.uri.path())?;
        Origin::of(parts, bucket)
    }

    /// The response to a browser that asks whether a page may make a request.
    pub(crate) fn preflight(&self, origin: Option<&Origin>) -> Result<Response<Body>, S3Error> {
        let origin = origin.ok_or_else(|| {
            let message = "Insufficient information. Origin request header needed.";
            S3Error::client("BadRequest", message)
        })?;
        origin.preflight(self.cors_of(origin))
    }

    /// Lets the page that made a request read its response, if a rule says so.
    pub(crate) fn mark(&self, origin: &Origin, response: &mut Response<Body>) {
        origin.mark(self.cors_of(origin), response);
    }

    fn cors_of(&self, origin: &Origin) -> &[BucketCors] {
        self.cors.get(&origin.bucket).map_or(&[], Vec::as_slice)
    }

    /// Reads the body of a request as its operation needs it.
    pub(crate) async fn receive(&self, request: &Request, body: Body) -> Result<Received, S3Error> {
        let store = self.store(&request.bucket)?;
        let limit = match request.operation {
            Operation::PutObject | Operation::UploadPart => body::MAX_BODY,
            Operation::CompleteMultipartUpload => MAX_XML,
            Operation::AbortMultipartUpload
            | Operation::CreateMultipartUpload
            | Operation::DeleteObject
            | Operation::GetObject
            | Operation::HeadObject
            | Operation::ListObjectsV2 => 0,
        };
        body::receive(store, &request.headers, body, limit).await
    }

    /// Carries out a request whose body was received. `may_list` is whether the caller may know that
    /// an object is not there, `who` the caller in events.
    pub(crate) async fn call(
        &self,
        request: &Request,
        received: &Received,
        may_list: bool,
        who: &str,
    ) -> Result<Response<Body>, S3Error> {
        let store = self.store(&request.bucket)?;
        let now = self.buckets.now();
        match request.operation {
            Operation::PutObject => {
                let put = objects::put(store, request, received, now)?;
                Ok(self.tell(request, who, put))
            }
            Operation::GetObject => objects::get(store, request, may_list),
            Operation::HeadObject => objects::head(store, request, may_list),
            Operation::DeleteObject => objects::delete(store, request),
            Operation::ListObjectsV2 => listing::list(store, request),
            Operation::CreateMultipartUpload => uploads::create(store, request),
            Operation::UploadPart => uploads::part(store, request, received),
            Operation::CompleteMultipartUpload => {
                let put = uploads::complete(store, request, received, now).await?;
                Ok(self.tell(request, who, put))
            }
            Operation::AbortMultipartUpload => uploads::abort(store, request),
        }
    }

    /// Reads a form up to its file.
    pub(crate) async fn read_form(
        &self,
        bucket: String,
        parts: &Parts,
        body: Body,
    ) -> Result<Form, S3Error> {
        self.store(&bucket)?;
        Form::read(bucket, parts, body).await
    }

    /// Who has signed a form, which has to be as its policy says.
    pub(crate) fn signer_of_form(
        &self,
        form: &mut Form,
        is_function: &dyn Fn(&str) -> bool,
    ) -> Result<Signer, S3Error> {
        form.signer(&self.verifier(is_function))
    }

    /// Receives the file of a form.
    pub(crate) async fn receive_file(&self, form: &mut Form) -> Result<Received, S3Error> {
        let store = self.store(&form.bucket)?;
        form.receive(store).await
    }

    /// Makes an object of the file of a form, and tells queues of it.
    pub(crate) fn post(
        &self,
        form: &Form,
        received: &Received,
        who: &str,
    ) -> Result<Response<Body>, S3Error> {
        let now = self.buckets.now();
        let (response, created) = form.put(self.store(&form.bucket)?, received, now)?;
        self.events
            .created(&form.bucket, &form.key, who, &created, now);
        Ok(response)
    }

    /// Tells queues of an object that was made, and returns the response to its maker.
    fn tell(
        &self,
        request: &Request,
        who: &str,
        (response, created): (Response<Body>, Created),
    ) -> Response<Body> {
        let (bucket, key, now) = (&request.bucket, &request.key, self.buckets.now());
        self.events.created(bucket, key, who, &created, now);
        response
    }

    fn store(&self, bucket: &str) -> Result<&Arc<Store>, S3Error> {
        let store = self.buckets.store(bucket);
        store.ok_or_else(|| S3Error::no_such_bucket(bucket))
    }
}

/// What policies, records and faults see of a request.
pub(crate) fn parameters(bucket: &str, key: &str) -> Value {
    json!({"Bucket": bucket, "Key": key})
}
