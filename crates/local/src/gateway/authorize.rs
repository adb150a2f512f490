//! Lambda authorisers with payload format 2.0 and simple responses.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::event::{self, Incoming};
use crate::arn::Arns;
use crate::functions::InvokeError;
use crate::model::Authorizer;

/// What an authoriser has made of a request.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// It may pass; the function gets what the authoriser says about the caller.
    Allowed(Option<Value>),
    /// It may not pass.
    Denied,
    /// It does not say who it comes from: the authoriser was not asked.
    Missing,
    /// The authoriser failed.
    Failed,
}

/// The responses of the authorisers, cached for as long as each says.
#[derive(Default)]
pub(super) struct Authorizers {
    cached: Mutex<CachedVerdicts>,
}

/// By the authoriser's name and what the identity headers say; with the time of expiry.
type CachedVerdicts = BTreeMap<(String, Vec<String>), (Timestamp, Verdict)>;

/// Above this many cached responses, expired ones are thrown away.
const MAX_CACHED: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimpleResponse {
    is_authorized: bool,
    #[serde(default)]
    context: Option<Value>,
}

impl Authorizers {
    /// Asks an authoriser with `invoke`, which returns `None` if there is no response in time, unless its verdict is
    /// cached.
    pub(super) async fn ask(
        &self,
        name: &str,
        authorizer: &Authorizer,
        incoming: &Incoming<'_>,
        arns: &Arns,
        invoke: impl AsyncFnOnce(Bytes) -> Option<Result<Bytes, InvokeError>>,
    ) -> Verdict {
        let Some(identity) = identity(authorizer, incoming) else {
            return Verdict::Missing;
        };
        let key = (name.to_owned(), identity);
        if let Some((until, verdict)) = self.lock().get(&key)
            && *until > incoming.now
        {
            return verdict.clone();
        }
        let event = event::authorizer(incoming, &key.1, arns);
        let verdict = match invoke(event).await {
            Some(Ok(answer)) => read(&answer),
            Some(Err(error)) => {
                tracing::error!(function = authorizer.function, %error, "authoriser failed");
                Verdict::Failed
            }
            None => {
                tracing::error!(function = authorizer.function, "authoriser took too long");
                Verdict::Failed
            }
        };
        let ttl = SignedDuration::try_from(authorizer.ttl).unwrap_or(SignedDuration::MAX);
        if !ttl.is_zero() && !matches!(verdict, Verdict::Failed) {
            let until = incoming.now.saturating_add(ttl).unwrap_or(Timestamp::MAX);
            let mut cached = self.lock();
            if cached.len() >= MAX_CACHED {
                cached.retain(|_, (until, _)| *until > incoming.now);
            }
            cached.insert(key, (until, verdict.clone()));
        }
        verdict
    }

    fn lock(&self) -> MutexGuard<'_, CachedVerdicts> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the identity headers say, if all of them are there.
fn identity(authorizer: &Authorizer, incoming: &Incoming<'_>) -> Option<Vec<String>> {
    let headers = &incoming.parts.headers;
    let names = authorizer.identity_headers.iter();
    names
        .map(|name| {
            let value = headers.get(name.as_str())?;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (!value.is_empty()).then_some(value)
        })
        .collect()
}

fn read(answer: &[u8]) -> Verdict {
    match serde_json::from_slice::<SimpleResponse>(answer) {
        Ok(SimpleResponse {
            is_authorized: true,
            context,
        }) => Verdict::Allowed(context),
        Ok(SimpleResponse {
            is_authorized: false,
            ..
        }) => Verdict::Denied,
        Err(error) => {
            tracing::error!(%error, "the authoriser's response is not a simple response");
            Verdict::Failed
        }
    }
}
