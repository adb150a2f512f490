//! The port that `AWS_ENDPOINT_URL` names: finds out who calls what and whether they may, lets faults
//! happen, hands the call to its service, and records it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, Method, Response};
use axum::middleware;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::access::Access;
use crate::aws::{self, AwsError, Caller, Service};
use crate::calls::{CallLog, TimedCall};
use crate::faults::{Decision, Faults, Mode};
use crate::functions::Functions;
use crate::loopback;
use crate::model::Stack;
use crate::record::Record;
use crate::s3::S3;

use connection::{Client, Connections};
use injected::Partial;

mod connection;
mod injected;
mod objects;
#[cfg(test)]
mod tests;
mod wire;

/// The largest request that any of the services but S3 takes, in bytes: DynamoDB's 16 MB.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How the AWS services are reached. Give it its services, then [`Endpoint::serve`].
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    services: BTreeMap<&'static str, Arc<dyn Service>>,
    faults: Faults,
    record: Record,
    functions: Functions,
    access: Access,
    calls: Option<CallLog>,
    s3: Option<S3>,
    /// How long an invocation of each function may take, by logical id.
    timeouts: BTreeMap<String, Duration>,
}

/// How a call ends.
enum Outcome {
    Answer(Result<Bytes, AwsError>),
    /// The connection is closed without a response.
    Silence,
}

impl Endpoint {
    /// Binds the endpoint's port on loopback (0 for any free one), and returns its URL too.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(port: u16) -> io::Result<(TcpListener, String)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok((listener, url))
    }

    /// An endpoint without services, which allows every call.
    #[must_use]
    pub fn new(stack: &Stack, faults: &Faults, record: &Record, functions: &Functions) -> Self {
        let timeouts = stack
            .functions
            .iter()
            .map(|(id, f)| (id.clone(), f.timeout))
            .collect();
        let shared = Shared {
            services: BTreeMap::new(),
            faults: faults.clone(),
            record: record.clone(),
            functions: functions.clone(),
            access: Access::open(),
            calls: None,
            s3: None,
            timeouts,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Adds a service by the name that IAM has for it: `dynamodb`, `events`, `secretsmanager`,
    /// `ses`, `sqs` or `states`.
    #[must_use]
    pub fn with(mut self, name: &'static str, service: impl Service) -> Self {
        Arc::make_mut(&mut self.shared)
            .services
            .insert(name, Arc::new(service));
        self
    }

    /// Adds S3, which has requests of another kind.
    #[must_use]
    pub fn with_s3(mut self, s3: S3) -> Self {
        Arc::make_mut(&mut self.shared).s3 = Some(s3);
        self
    }

    /// Lets only those calls through that `access` allows.
    #[must_use]
    pub fn guarded(mut self, access: Access) -> Self {
        Arc::make_mut(&mut self.shared).access = access;
        self
    }

    /// Logs when each call of a function begins and ends.
    #[must_use]
    pub fn timed(mut self, calls: Option<CallLog>) -> Self {
        Arc::make_mut(&mut self.shared).calls = calls;
        self
    }

    /// Serves until dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let router = axum::Router::new()
            .fallback(handle)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::from_fn(loopback::only_local))
            .with_state(self);
        let service = router.into_make_service_with_connect_info::<Client>();
        axum::serve(Connections(listener), service).await
    }

    /// Carries out one call, faults included.
    async fn call(&self, caller: &Caller, service: &str, operation: &str, body: Value) -> Outcome {
        let Some(target) = self.shared.services.get(service) else {
            return Outcome::Answer(Err(AwsError::unknown_operation(service, operation)));
        };
        let access = &self.shared.access;
        if let Err(denied) = access.check(caller, service, operation, &body) {
            tracing::warn!("{}", denied.message);
            return Outcome::Answer(Err(denied));
        }
        let Decision { delay, mode } = self.shared.faults.for_call(caller, service, operation);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if let Some(outcome) = self.instead(mode, caller, service, operation, &body).await {
            return outcome;
        }
        if service != "dynamodb" {
            self.shared.record.call(caller, service, operation, &body);
        }
        let answer = match mode {
            Some(Mode::StaleRead) => target.call_stale(caller, operation, body).await,
            Some(Mode::Partial) => partial(&**target, caller, operation, body).await,
            Some(Mode::Duplicate) => {
                // The outcome of the first is not known, as after a lost response.
                let _ = target.call(caller, operation, body.clone()).await;
                target.call(caller, operation, body).await
            }
            Some(_) | None => target.call(caller, operation, body).await,
        };
        if mode == Some(Mode::KillAfter) {
            self.kill(caller);
        }
        if matches!(mode, Some(Mode::KillAfter | Mode::LostAnswer)) {
            return Outcome::Silence;
        }
        Outcome::Answer(answer)
    }

    /// What happens in the place of the call.
    async fn instead(
        &self,
        mode: Option<Mode>,
        caller: &Caller,
        service: &str,
        operation: &str,
        body: &Value,
    ) -> Option<Outcome> {
        let error = match mode? {
            Mode::Throttle => injected::throttled(service),
            Mode::Conflict => injected::conflict(operation, body),
            Mode::Error => injected::failed(service),
            Mode::TimeoutBefore => {
                tokio::time::sleep(self.timeout(caller)).await;
                return Some(Outcome::Silence);
            }
            Mode::KillBefore => {
                self.kill(caller);
                return Some(Outcome::Silence);
            }
            Mode::LostAnswer
            | Mode::StaleRead
            | Mode::Duplicate
            | Mode::Partial
            | Mode::Delay(_)
            | Mode::KillAfter
            | Mode::Keep
            | Mode::Reorder => return None,
        };
        Some(Outcome::Answer(Err(error)))
    }

    /// The entry of a call that begins, if calls are logged and a function makes it.
    fn begin(
        &self,
        caller: &Caller,
        connection: SocketAddr,
        service: &str,
        operation: &str,
    ) -> Option<TimedCall> {
        let started = self.shared.calls.as_ref()?.now();
        let process = caller.process.clone()?;
        Some(TimedCall {
            function: caller.function.clone()?,
            invocation: self.shared.functions.invocation_of(&process),
            process,
            connection,
            action: format!("{service}:{operation}"),
            started,
            ended: started,
        })
    }

    /// Logs the call, which ends now.
    fn end(&self, call: Option<TimedCall>) {
        if let (Some(calls), Some(call)) = (&self.shared.calls, call) {
            let ended = calls.now();
            calls.add(TimedCall { ended, ..call });
        }
    }

    fn kill(&self, caller: &Caller) {
        let process = caller.process.as_deref();
        if !process.is_some_and(|token| self.shared.functions.kill_process(token)) {
            tracing::warn!(?caller, "a fault found no process to kill");
        }
    }

    fn timeout(&self, caller: &Caller) -> Duration {
        let function = caller.function.as_ref();
        let timeout = function.and_then(|function| self.shared.timeouts.get(function));
        timeout.copied().unwrap_or(Duration::from_mins(1))
    }

    fn caller(&self, headers: &HeaderMap) -> Caller {
        let key = wire::access_key(headers);
        let function = key.filter(|key| self.shared.timeouts.contains_key(*key));
        let token = headers.get("x-amz-security-token");
        let process = function.and_then(|_| token?.to_str().ok());
        Caller {
            function: function.map(str::to_owned),
            process: process.map(str::to_owned),
        }
    }
}

async fn partial(
    target: &dyn Service,
    caller: &Caller,
    operation: &str,
    body: Value,
) -> Result<Bytes, AwsError> {
    let Some(mut partial) = Partial::split(operation, body.clone()) else {
        return target.call(caller, operation, body).await;
    };
    let rest = match partial.rest.take() {
        Some(rest) => {
            let answer = target.call(caller, operation, rest).await?;
            serde_json::from_slice(&answer).unwrap_or_default()
        }
        None => json!({}),
    };
    Ok(aws::text(&partial.response(rest)))
}

async fn handle(
    State(endpoint): State<Endpoint>,
    ConnectInfo(client): ConnectInfo<Client>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Some(s3) = endpoint.s3_of(&parts) {
        let request = Request::from_parts(parts, body);
        return endpoint.serve_s3(&s3, client, request).await;
    }
    let (method, uri, headers) = (
        parts.method.clone(),
        parts.uri.clone(),
        parts.headers.clone(),
    );
    let body = match Bytes::from_request(Request::from_parts(parts, body), &()).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    if method == Method::GET && uri.path() == "/" {
        return Response::new(Body::from("healthy: dynamodb"));
    }
    let Some((service, operation)) = wire::operation(&method, uri.path(), &headers) else {
        let what = headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok());
        let what = what.map_or_else(|| format!("{method} {}", uri.path()), str::to_owned);
        let message = format!("{what} is not emulated on this machine");
        return wire::answer(
            Err(AwsError::client("UnknownOperationException", message)),
            &headers,
        );
    };
    let body = match wire::body(&body) {
        Ok(body) => body,
        Err(error) => return wire::answer(Err(error), &headers),
    };
    let caller = endpoint.caller(&headers);
    let logged = endpoint.begin(&caller, client.address, service, &operation);
    let outcome = endpoint.call(&caller, service, &operation, body).await;
    endpoint.end(logged);
    match outcome {
        Outcome::Answer(result) => {
            if let Err(error) = &result {
                let function = caller.function.as_deref().unwrap_or("operator");
                tracing::debug!(function, service, operation, %error, "refused");
            }
            wire::answer(result, &headers)
        }
        Outcome::Silence => {
            client.closer.close();
            Response::new(Body::empty())
        }
    }
}
