//! Calls of S3, which are not JSON: who calls, whether they may, what goes wrong, and the call itself.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request as HttpRequest;
use axum::http::request::Parts;
use axum::http::{Method, Response};
use futures::StreamExt;

use super::connection::Client;
use super::{Endpoint, Outcome};
use crate::aws::Caller;
use crate::faults::{Decision, Mode};
use crate::s3::{
    Form, Received, Request, S3, S3Error, Signer, bucket_of_form, is_for_s3, parameters,
};

/// The name that IAM has for it.
const SERVICE: &str = "s3";

/// Who makes a request that is not a function's, in events.
const OPERATOR: &str = "operator";

/// How much of a body that is refused is read nevertheless, in bytes: so that a client that sends
/// first and reads afterwards learns why.
const DRAINED: usize = 16 * 1024 * 1024;

/// The response, or none: then the connection is closed.
type Answer = Option<Result<Response<Body>, S3Error>>;

impl Endpoint {
    /// S3, if there is one and a request is for it.
    pub(super) fn s3_of(&self, parts: &Parts) -> Option<S3> {
        let s3 = self.shared.s3.as_ref()?;
        is_for_s3(parts, |bucket| s3.has(bucket)).then(|| s3.clone())
    }

    /// Responds to a request of S3.
    pub(super) async fn serve_s3(
        &self,
        s3: &S3,
        client: Client,
        request: HttpRequest,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let mut body = Some(body);
        let origin = S3::origin(&parts);
        let answer = if parts.method == Method::OPTIONS {
            Some(s3.preflight(origin.as_ref()))
        } else {
            self.answer_s3(s3, &client, &parts, &mut body).await
        };
        if let Some(body) = body {
            drain(body).await;
        }
        let mut response = match answer {
            Some(Ok(response)) => response,
            Some(Err(error)) => {
                tracing::debug!(method = %parts.method, %error, "refused by S3");
                error.response(parts.uri.path(), parts.method == Method::HEAD)
            }
            None => {
                client.closer.close();
                return Response::new(Body::empty());
            }
        };
        if let Some(origin) = &origin {
            s3.mark(origin, &mut response);
        }
        response
    }

    async fn answer_s3(
        &self,
        s3: &S3,
        client: &Client,
        parts: &Parts,
        body: &mut Option<Body>,
    ) -> Answer {
        if let Some(bucket) = bucket_of_form(parts) {
            let read = s3.read_form(bucket, parts, body.take().unwrap_or_default());
            let mut form = match read.await {
                Ok(form) => form,
                Err(error) => return Some(Err(error)),
            };
            let answer = self.post_s3(s3, &mut form).await;
            *body = Some(form.into_body());
            return answer;
        }
        let (request, caller) = match self.read_s3(s3, parts) {
            Ok(read) => read,
            Err(error) => return Some(Err(error)),
        };
        let operation = request.operation.name();
        let logged = self.begin(&caller, client.address, SERVICE, operation);
        let answer = self.call_s3(s3, &caller, &request, body).await;
        self.end(logged);
        answer
    }

    /// The request, and who makes it.
    fn read_s3(&self, s3: &S3, parts: &Parts) -> Result<(Request, Caller), S3Error> {
        let signer = s3.signer(parts, &|key| self.is_function(key))?;
        let request = Request::parse(parts)?;
        if !s3.has(&request.bucket) {
            return Err(S3Error::no_such_bucket(&request.bucket));
        }
        Ok((request, self.caller_of(signer)))
    }

    fn is_function(&self, key: &str) -> bool {
        self.shared.timeouts.contains_key(key)
    }

    fn caller_of(&self, Signer { key, token }: Signer) -> Caller {
        let function = self.is_function(&key).then_some(key);
        Caller {
            // The user of a presigned URL is not the process that made it.
            process: token.filter(|_| function.is_some()),
            function,
        }
    }

    /// Carries out one call, faults included.
    async fn call_s3(
        &self,
        s3: &S3,
        caller: &Caller,
        request: &Request,
        body: &mut Option<Body>,
    ) -> Answer {
        let operation = request.operation.name();
        let before = self.before_s3(caller, operation, &request.bucket, &request.key);
        let mode = match before.await {
            Ok(mode) => mode,
            Err(instead) => return instead,
        };
        let received = s3.receive(request, body.take().unwrap_or_default()).await;
        let received = match received {
            Ok(received) => received,
            Err(error) => return Some(Err(error)),
        };
        if mode == Some(Mode::Duplicate) {
            // The outcome of the first is not known, as after a lost response.
            let _ = self.carry_out(s3, caller, request, &received).await;
        }
        let answer = self.carry_out(s3, caller, request, &received).await;
        self.after_s3(mode, caller, answer)
    }

    /// Carries out an upload by a form.
    async fn post_s3(&self, s3: &S3, form: &mut Form) -> Answer {
        let caller = match s3.signer_of_form(form, &|key| self.is_function(key)) {
            Ok(signer) => self.caller_of(signer),
            Err(error) => return Some(Err(error)),
        };
        let before = self.before_s3(&caller, "PostObject", &form.bucket, &form.key);
        let mode = match before.await {
            Ok(mode) => mode,
            Err(instead) => return instead,
        };
        let received = match s3.receive_file(form).await {
            Ok(received) => received,
            Err(error) => return Some(Err(error)),
        };
        let who = caller.function.as_deref().unwrap_or(OPERATOR);
        if mode == Some(Mode::Duplicate) {
            let _ = s3.post(form, &received, who);
        }
        self.after_s3(mode, &caller, s3.post(form, &received, who))
    }

    /// Whether a call may be made, and what goes wrong with it. The error is what happens in its
    /// place.
    async fn before_s3(
        &self,
        caller: &Caller,
        operation: &str,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Mode>, Answer> {
        let asked = parameters(bucket, key);
        let access = &self.shared.access;
        if let Err(denied) = access.check(caller, SERVICE, operation, &asked) {
            tracing::warn!("{}", denied.message);
            return Err(Some(Err(denied.into())));
        }
        let Decision { delay, mode } = self.shared.faults.for_call(caller, SERVICE, operation);
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
        match self.instead(mode, caller, SERVICE, operation, &asked).await {
            Some(Outcome::Answer(Err(error))) => return Err(Some(Err(error.into()))),
            Some(Outcome::Answer(Ok(_)) | Outcome::Silence) => return Err(None),
            None => {}
        }
        self.shared.record.call(caller, SERVICE, operation, &asked);
        Ok(mode)
    }

    /// What becomes of the response.
    fn after_s3(
        &self,
        mode: Option<Mode>,
        caller: &Caller,
        answer: Result<Response<Body>, S3Error>,
    ) -> Answer {
        if mode == Some(Mode::KillAfter) {
            self.kill(caller);
        }
        let is_lost = matches!(mode, Some(Mode::KillAfter | Mode::LostAnswer));
        (!is_lost).then_some(answer)
    }

    async fn carry_out(
        &self,
        s3: &S3,
        caller: &Caller,
        request: &Request,
        received: &Received,
    ) -> Result<Response<Body>, S3Error> {
        let bucket = parameters(&request.bucket, "");
        let lists = "ListObjectsV2";
        let may_list = self
            .shared
            .access
            .check(caller, SERVICE, lists, &bucket)
            .is_ok();
        let who = caller.function.as_deref().unwrap_or(OPERATOR);
        let answer = s3.call(request, received, may_list, who).await;
        if answer.as_ref().is_err_and(S3Error::is_missing_key) && request.operation.reads() {
            // That the object is not there was said because of this permission.
            self.shared.record.call(caller, SERVICE, lists, &bucket);
        }
        answer
    }
}

/// Reads what is left of a body, as far as that makes sense.
async fn drain(body: Body) {
    let mut left = DRAINED;
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        let Some(less) = left.checked_sub(piece.len()) else {
            return;
        };
        left = less;
    }
}
