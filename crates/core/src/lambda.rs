//! The Lambda side: clients of AWS, and the loops that hand events to handlers.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use aws_types::sdk_config::{RetryConfig, TimeoutConfig};
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, service_fn};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::exchange::{Caller, Identity, Request, Response};
use crate::http::guard::{self, Guard};
use crate::http::problem::Problem;
use crate::http::routes::Route;
use crate::settings::Settings;
use crate::telemetry;
use crate::values::clock::Time;
use crate::values::id::OrderId;

pub use lambda_runtime::Error;

/// AWS, as this function reaches it.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    settings: Settings,
}

/// Starts logging and prepares the clients; makes no call.
///
/// # Errors
/// If Lambda's own environment variables are missing.
#[expect(
    clippy::unused_async,
    reason = "every main starts alike, and a start may have to wait"
)]
pub async fn start() -> Result<Aws, Error> {
    telemetry::start();
    Aws::from_environment(Settings::Environment)
}

fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set").into())
}

/// What Lambda puts in the environment, without the chain of other sources that an SDK would search.
fn config() -> Result<SdkConfig, Error> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    // Quick retries: most of what fails once succeeds at once, and a shopper waits for it.
    let retries = RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(40))
        .with_max_backoff(Duration::from_secs(1));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build();
    let mut config = SdkConfig::builder()
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .timeout_config(timeouts);
    config.set_endpoint_url(std::env::var("AWS_ENDPOINT_URL").ok());
    Ok(config.build())
}

impl Aws {
    /// AWS as `config` reaches it, for tests and for the command line.
    #[must_use]
    pub fn with(config: SdkConfig, settings: Settings) -> Self {
        // Pinned: a later version of the SDK may come with other defaults.
        let version = BehaviorVersion::v2026_01_12();
        let config = config.into_builder().behavior_version(version).build();
        Self { config, settings }
    }

    /// AWS with the region and the credentials that are in the environment.
    ///
    /// # Errors
    /// Names the variable that is not set: `AWS_REGION`, `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY`.
    pub fn from_environment(settings: Settings) -> Result<Self, Error> {
        Ok(Self::with(config()?, settings))
    }

    /// The settings of this function.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A client of DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of EventBridge.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    /// A client of Secrets Manager.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// A client of SES.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.config)
    }

    /// A client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Step Functions.
    #[must_use]
    pub fn states(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }
}

/// What a handler is doing.
type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Serves the HTTP route `route`: hands each request that its guard lets through to `handler`, and turns
/// problems into answers.
///
/// # Errors
/// If a setting of the limits is missing, or Lambda's runtime API cannot be reached.
pub async fn serve<F, Fut>(aws: &Aws, route: &'static Route, handler: F) -> Result<(), Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Result<Response, Problem>> + Send,
{
    let (guard, handler) = (&Guard::new(aws, route)?, &handler);
    serve_http(&|request| Box::pin(guard.pass(request, handler))).await
}

/// Serves the HTTP route `route`, of [`crate::http::routes::Class::Free`], as [`serve`] does the others.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_uncounted<F, Fut>(route: &'static Route, handler: F) -> Result<(), Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Result<Response, Problem>> + Send,
{
    let handler = &handler;
    serve_http(&|request| Box::pin(guard::pass_uncounted(route, request, handler))).await
}

/// Without a type of the caller's and boxed, so that the runtime is compiled once, here, and not with
/// each function: an `async fn` is compiled where it is awaited.
fn serve_http<'a>(
    answer: &'a (dyn Fn(Request) -> Doing<'a, Response> + Sync),
) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>> {
    Box::pin(lambda_http::run(service_fn(
        move |request: lambda_http::Request| async move { outgoing(answer(incoming(request)).await) },
    )))
}

/// The request that API Gateway's event describes.
#[must_use]
pub fn incoming(request: lambda_http::Request) -> Request {
    let context = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => Some(context),
        _ => None,
    };
    let now = Time::from_millis(context.map_or(0, |context| context.time_epoch));
    let source_ip = context.and_then(|context| context.http.source_ip.clone());
    let identity = context.and_then(identity);
    let path_parameters = request
        .path_parameters_ref()
        .map(|parameters| {
            parameters
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        })
        .unwrap_or_default();
    let mut query: Vec<(String, String)> = request
        .query_string_parameters_ref()
        .map(|query| {
            query
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        })
        .unwrap_or_default();
    // They come from a map without an order; a link made of them should not differ each time.
    query.sort();
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let body = match body {
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) => bytes,
        Body::Empty | _ => Vec::new(),
    };
    Request {
        now,
        path,
        source_ip: source_ip.unwrap_or_default(),
        headers: parts.headers,
        body,
        path_parameters,
        query,
        identity,
    }
}

/// What the authoriser passed on: `sub`, `roles` (separated by spaces) and `exp`, all texts.
fn identity(context: &ApiGatewayV2httpRequestContext) -> Option<Identity> {
    let fields = &context.authorizer.as_ref()?.fields;
    let text = |name: &str| fields.get(name)?.as_str();
    let caller = Caller {
        customer_id: text("sub")?.parse().ok()?,
        admin: text("roles")?.split(' ').any(|role| role == "admin"),
    };
    Some(Identity {
        caller,
        expires_at_seconds: text("exp")?.parse().ok()?,
    })
}

fn outgoing(response: Response) -> Result<lambda_http::Response<Body>, Error> {
    let mut builder = lambda_http::Response::builder().status(response.status);
    if !response.content_type.is_empty() {
        builder = builder.header("Content-Type", response.content_type);
    }
    let builder = response
        .headers
        .into_iter()
        .fold(builder, |builder, (name, value)| {
            builder.header(name, value)
        });
    let body = match String::from_utf8(response.body) {
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    };
    Ok(builder.body(body)?)
}

/// What each step of the order workflow is given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Step {
    /// The order.
    pub order_id: OrderId,
    /// When the state was entered: the step's now.
    pub now: Time,
    /// The error that led here, on the way to a compensation.
    #[serde(default)]
    pub error: Option<StepFailure>,
    /// How the payment ended, as the step before found, on the way out of a compensation.
    #[serde(default)]
    pub payment_status: Option<String>,
}

/// An error as Step Functions hand it to a `Catch`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepFailure {
    /// Its name, as [`StepError::name`].
    pub error: String,
    /// A JSON text with `errorMessage`, when a function failed.
    #[serde(default)]
    pub cause: String,
}

impl StepFailure {
    /// What the function said, or the whole cause when it is of another form.
    #[must_use]
    pub fn detail(&self) -> String {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Cause {
            error_message: String,
        }
        serde_json::from_str::<Cause>(&self.cause)
            .map_or_else(|_| self.cause.clone(), |cause| cause.error_message)
    }
}

/// An error of a step by its name in the state machine, which decides what follows: `Catch` for what
/// is decided (`OutOfStock`), `Retry` for what may go better (`Busy`, `Failed`).
#[derive(Debug)]
pub struct StepError {
    /// The error's name.
    pub name: &'static str,
    /// What the order's `failure` will say, or what is logged.
    pub detail: String,
}

impl StepError {
    /// The error `name`.
    pub fn new(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            detail: detail.into(),
        }
    }
}

impl StepError {
    fn log(&self) {
        let (name, detail) = (self.name, &self.detail);
        if matches!(name, "Busy" | "Failed" | "OrderNotFound") {
            tracing::error!(error = name, detail, "step failed");
        } else {
            tracing::info!(error = name, detail, "step diverted");
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.detail)
    }
}

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Self {
            error_type: error.name.to_owned(),
            error_message: error.detail,
        }
    }
}

impl From<crate::dynamo::StoreError> for StepError {
    fn from(error: crate::dynamo::StoreError) -> Self {
        let name = match error {
            crate::dynamo::StoreError::Busy(_) => "Busy",
            crate::dynamo::StoreError::Failed(_) | crate::dynamo::StoreError::Shape(_) => "Failed",
        };
        Self::new(name, telemetry::chain(&error))
    }
}

/// Serves a step of the order workflow. What it failed of is logged here; that it found the order on
/// another way, which the state machine takes by `Catch`, is no failure.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_step<A, F, Fut>(handler: F) -> Result<(), Error>
where
    A: Serialize,
    F: Fn(Step) -> Fut + Sync,
    Fut: Future<Output = Result<A, StepError>> + Send,
{
    let handler = &handler;
    serve_json(&|event| {
        Box::pin(async move {
            let done = handler(read(event)?).await;
            write(&done.inspect_err(StepError::log)?)
        })
    })
    .await
}

/// Serves what is neither HTTP nor a step: a stream, a schedule, the authoriser. `handler` gets the
/// event as `E`; what it answers goes back as JSON. Each failure is logged here.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_event<E, A, X, F, Fut>(handler: F) -> Result<(), Error>
where
    E: DeserializeOwned + Send,
    A: Serialize,
    X: Into<Diagnostic> + fmt::Debug,
    F: Fn(E) -> Fut + Sync,
    Fut: Future<Output = Result<A, X>> + Send,
{
    let handler = &handler;
    serve_json(&|event| {
        Box::pin(async move {
            let answer = handler(read(event)?).await;
            let answer = answer.inspect_err(|error| tracing::error!(?error, "invocation failed"));
            write(&answer.map_err(Into::into)?)
        })
    })
    .await
}

fn read<E: DeserializeOwned>(event: Value) -> Result<E, Diagnostic> {
    serde_json::from_value(event).map_err(|error| not_json("UnreadableEvent", &error))
}

fn write(answer: &impl Serialize) -> Result<Value, Diagnostic> {
    serde_json::to_value(answer).map_err(|error| not_json("UnwritableAnswer", &error))
}

fn not_json(name: &str, error: &serde_json::Error) -> Diagnostic {
    tracing::error!(%error, "invocation failed");
    Diagnostic {
        error_type: name.to_owned(),
        error_message: error.to_string(),
    }
}

/// As [`serve_http`], for all else.
fn serve_json<'a>(
    answer: &'a (dyn Fn(Value) -> Doing<'a, Result<Value, Diagnostic>> + Sync),
) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>> {
    Box::pin(lambda_runtime::run(service_fn(
        move |event: LambdaEvent<Value>| async move { answer(event.payload).await },
    )))
}

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same for every delivery.
    pub id: String,
    /// What was sent; [`crate::values::event::Delivered::parse`] reads it when a rule sent it.
    pub body: String,
    /// When it was sent: the consumer's now, for a message that says no other.
    pub sent_at: Time,
    /// How often it has been delivered by now, from 1.
    pub receive_count: u32,
}

impl Message {
    fn new(message: SqsMessage) -> Self {
        let sent = message.attributes.get("SentTimestamp");
        let sent_millis = sent.and_then(|millis| millis.parse().ok()).unwrap_or(0);
        let received = message.attributes.get("ApproximateReceiveCount");
        let receive_count = received.and_then(|count| count.parse().ok()).unwrap_or(1);
        Self {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            sent_at: Time::from_millis(sent_millis),
            receive_count,
        }
    }
}

/// Serves a queue: hands each message to `handler`; those that fail are delivered again (partial
/// batch answers), until the queue gives them up. Each failure is logged here.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_queue<X, F, Fut>(handler: F) -> Result<(), Error>
where
    X: std::error::Error + Send,
    F: Fn(Message) -> Fut + Sync,
    Fut: Future<Output = Result<(), X>> + Send,
{
    let handler = &handler;
    serve_json(&|event| Box::pin(async move { write(&batch(read(event)?, handler).await) })).await
}

/// Hands all messages of `event` to `handler`, side by side, and names those that failed.
pub async fn batch<X, F, Fut>(event: SqsEvent, handler: F) -> SqsBatchResponse
where
    X: std::error::Error,
    F: Fn(Message) -> Fut,
    Fut: Future<Output = Result<(), X>>,
{
    let messages = event.records.into_iter().map(|record| {
        let message = Message::new(record);
        let id = message.id.clone();
        let outcome = handler(message);
        async move { outcome.await.map_err(|error| (id, error)) }
    });
    let mut answer = SqsBatchResponse::default();
    for failed in futures::future::join_all(messages).await {
        if let Err((id, error)) = failed {
            let error = telemetry::chain(&error);
            tracing::error!(message.id = id, error, "message failed");
            answer.add_failure(id);
        }
    }
    answer
}
