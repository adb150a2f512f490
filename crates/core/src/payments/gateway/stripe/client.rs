//! The adapter to Stripe's API: one request at a time over HTTPS, with the HTTP client that the SDKs of AWS bring along.
//! docs/decisions/0047-stripe-client.md says why there is no other client.
//!
//! Neither keys nor bodies are logged, and the messages in errors are not read, because they may quote what was sent.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use serde::de::DeserializeOwned;

use super::api_key::{ApiKey, ApiKeys};
use super::wire::{ErrorBody, Failure};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::http::problem::Source;
use crate::payments::gateway::GatewayError;

/// The version of the API that this code was written for (<https://docs.stripe.com/api/versioning>). From
/// 2026-09-30.endive on, `payment_method_types` is not taken any more.
pub(super) const API_VERSION: &str = "2026-07-29.dahlia";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the first byte of a response is waited for.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of a response that are read. A page of a hundred refunds has about 80,000.
const MOST_BYTES: usize = 1 << 20;

/// What it means that the response to a call is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The call moves no money, or it does not matter how often it is carried out: make it again.
    Harmless,
    /// Money may have moved: ask first.
    MovesMoney,
}

/// One call of the API.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: http::Method,
    path: String,
    form: String,
    idempotency_key: Option<String>,
    loss: Loss,
}

impl Call {
    /// Returns a call that reads `path`, which includes the query.
    pub(super) fn get(path: String) -> Self {
        Self {
            method: http::Method::GET,
            path,
            form: String::new(),
            idempotency_key: None,
            loss: Loss::Harmless,
        }
    }

    /// Returns a call that sends `fields` to `path`.
    pub(super) fn post(path: String, fields: &[(&str, &str)], loss: Loss) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self {
            method: http::Method::POST,
            path,
            form: form.finish(),
            idempotency_key: None,
            loss,
        }
    }

    /// Returns this call with an idempotency key: for 24 hours at least, Stripe answers a repeated call as the first
    /// (<https://docs.stripe.com/api/idempotent_requests>).
    pub(super) fn keyed(self, key: String) -> Self {
        let idempotency_key = Some(key);
        Self {
            idempotency_key,
            ..self
        }
    }
}

/// A call that Stripe understood and did not carry out (400, 402 or 404).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) failure: Failure,
    /// The parameter that it is about.
    pub(super) param: Option<String>,
}

impl Refusal {
    /// Returns the refusal as an error, for calls that have no use for it.
    pub(super) fn into_error(self, loss: Loss) -> GatewayError {
        let code = self.failure.code.unwrap_or_default();
        lost(
            loss,
            format!("Stripe refuses: {} {code}", self.status).into(),
        )
    }
}

/// Stripe's API. Clones share connections and the key.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Without a slash at its end.
    url: String,
    keys: ApiKeys,
    connector: Arc<OnceLock<SharedHttpConnector>>,
}

impl Client {
    /// Returns the client of the API at the setting `STRIPE_URL`. It makes no call.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub(super) fn new(aws: &Aws) -> Result<Self, SettingError> {
        let url: String = aws.settings().read(Setting::StripeUrl)?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            keys: ApiKeys::new(aws)?,
            connector: Arc::default(),
        })
    }

    /// Returns the secrets of the account.
    pub(super) fn keys(&self) -> &ApiKeys {
        &self.keys
    }

    /// Returns the client that uses the API key of another account.
    pub(super) fn account(&self, name: Option<&str>) -> Self {
        Self {
            keys: self.keys.account(name),
            ..self.clone()
        }
    }

    /// Makes `call` and returns what Stripe says.
    ///
    /// # Errors
    /// [`GatewayError::Busy`] if nothing was done, or it does not matter; [`GatewayError::Unknown`] if money may have
    /// moved.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<Result<T, Refusal>, GatewayError> {
        let key = self.keys.current(Instant::now()).await;
        let key = key.map_err(GatewayError::Busy)?;
        let mut answer = self.exchange(call, &key).await?;
        if answer.status == 401 {
            let next = self.keys.after(&key, Instant::now()).await;
            if let Some(next) = next.map_err(GatewayError::Busy)? {
                answer = self.exchange(call, &next).await?;
            }
        }
        answer.read(call.loss)
    }

    /// Reads the key as if it were `now`.
    #[cfg(test)]
    pub(super) async fn read_key_at(&self, now: Instant) {
        self.keys.current(now).await.unwrap();
    }

    /// Sends `call` once.
    async fn exchange(&self, call: &Call, key: &ApiKey) -> Result<Answer, GatewayError> {
        let request = self.request(call, key).map_err(GatewayError::Busy)?;
        let connector = self.connector.get_or_init(connect);
        let failed = |error: Source| {
            tracing::warn!(
                error = crate::aws::telemetry::chain(&*error),
                "Stripe cannot be reached"
            );
            lost(call.loss, error)
        };
        let response = connector.call(request).await;
        let response = response.map_err(|error| failed(error.into()))?;
        Answer::receive(response).await.map_err(failed)
    }

    fn request(&self, call: &Call, key: &ApiKey) -> Result<HttpRequest, Source> {
        let mut request = http::Request::builder()
            .method(&call.method)
            .uri(format!("{}{}", self.url, call.path))
            .header(AUTHORIZATION, format!("Bearer {}", key.reveal()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, concat!("oxcart/", env!("CARGO_PKG_VERSION")))
            .header("stripe-version", API_VERSION);
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(SdkBody::from(call.form.clone()))?;
        Ok(HttpRequest::try_from(request)?)
    }
}

fn connect() -> SharedHttpConnector {
    let timeouts = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let connector = Connector::builder()
        .connector_settings(timeouts)
        .tls_provider(provider);
    SharedHttpConnector::new(connector.build())
}

fn lost(loss: Loss, error: Source) -> GatewayError {
    match loss {
        Loss::Harmless => GatewayError::Busy(error),
        Loss::MovesMoney => GatewayError::Unknown(error),
    }
}

/// A response.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    async fn receive(response: HttpResponse) -> Result<Self, Source> {
        let status = response.status().as_u16();
        let mut parts = ByteStream::new(response.into_body());
        let mut body = Vec::new();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part?);
            if body.len() > MOST_BYTES {
                return Err("the response is too long".into());
            }
        }
        Ok(Self { status, body })
    }

    /// Returns what the response says. What the statuses mean is in <https://docs.stripe.com/error-low-level>.
    fn read<T: DeserializeOwned>(&self, loss: Loss) -> Result<Result<T, Refusal>, GatewayError> {
        match self.status {
            200..=299 => match serde_json::from_slice(&self.body) {
                Ok(body) => Ok(Ok(body)),
                // The text of the error could quote the body.
                Err(_) => Err(lost(loss, "the response has another shape".into())),
            },
            400 | 402 | 404 => {
                // What is not read has no code.
                let body: ErrorBody = serde_json::from_slice(&self.body).unwrap_or_default();
                let error = body.error;
                if error.kind.as_deref() == Some("idempotency_error") {
                    tracing::error!("an idempotency key of Stripe was used for another request");
                    return Err(GatewayError::Busy("the idempotency key is taken".into()));
                }
                Ok(Err(Refusal {
                    status: self.status,
                    failure: Failure {
                        code: error.code,
                        decline_code: error.decline_code,
                    },
                    param: error.param,
                }))
            }
            401 | 403 => {
                tracing::error!(status = self.status, "Stripe refuses the API key");
                Err(GatewayError::Busy("Stripe refuses the API key".into()))
            }
            // Another call has the key or the object, or there are too many calls: nothing was done.
            409 | 429 => Err(GatewayError::Busy("Stripe is busy".into())),
            status => {
                tracing::warn!(status, "Stripe failed");
                Err(lost(loss, format!("Stripe failed: {status}").into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let said = |status, body: &str, loss| {
            let body = body.as_bytes().to_vec();
            let answer = Answer { status, body };
            match answer.read::<u64>(loss) {
                Ok(Ok(read)) => read.to_string(),
                Ok(Err(refusal)) => refusal.failure.code.unwrap_or_default(),
                Err(GatewayError::Busy(_)) => "busy".to_owned(),
                Err(GatewayError::Unknown(_)) => "unknown".to_owned(),
            }
        };
        let refused = r#"{"error": {"code": "c", "type": "card_error", "message": "m"}}"#;
        let taken = r#"{"error": {"type": "idempotency_error"}}"#;
        for (status, body, harmless, moves_money) in [
            (200, "7", "7", "7"),
            (200, "{", "busy", "unknown"),
            (400, refused, "c", "c"),
            (400, taken, "busy", "busy"),
            (402, refused, "c", "c"),
            (402, "{", "", ""),
            (404, refused, "c", "c"),
            (401, refused, "busy", "busy"),
            (403, refused, "busy", "busy"),
            (409, refused, "busy", "busy"),
            (429, refused, "busy", "busy"),
            (500, refused, "busy", "unknown"),
            (503, "", "busy", "unknown"),
            (302, "", "busy", "unknown"),
        ] {
            assert_eq!(said(status, body, Loss::Harmless), harmless, "{status}");
            assert_eq!(
                said(status, body, Loss::MovesMoney),
                moves_money,
                "{status}"
            );
        }
    }

    #[test]
    fn a_form_is_encoded() {
        let fields = [("metadata[a]", "b&c=d"), ("expand[]", "latest_charge")];
        let call = Call::post("/v1/x".to_owned(), &fields, Loss::Harmless);
        assert_eq!(
            call.form,
            "metadata%5Ba%5D=b%26c%3Dd&expand%5B%5D=latest_charge"
        );
    }
}
