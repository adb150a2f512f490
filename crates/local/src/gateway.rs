//! The HTTP API: API Gateway in front of the functions.
//!
//! A request finds its route, passes the route's authoriser, and becomes an event in payload format
//! 2.0 for the route's function; what the function returns becomes the response.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::serve::ListenerExt;
use axum::{Router, routing};
use tokio::net::TcpListener;
use tokio::task::JoinError;

use crate::arn::Arns;
use crate::clock::Clock;
use crate::functions::{Functions, InvokeError, PAYLOAD_LIMIT};
use crate::model::Api;

use authorize::{Authorizers, Verdict};
use event::Incoming;
use route::Routes;

mod authorize;
mod cors;
mod encoding;
mod event;
mod head;
mod response;
mod route;
#[cfg(test)]
mod tests;

/// The largest request: 10 MB, in bytes.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const REQUEST_LIMIT: usize = 10 * 1024 * 1024;

/// How long API Gateway waits at most; what it does not wait for goes on.
#[derive(Clone, Copy)]
struct Timeouts {
    authorizer: Duration,
    integration: Duration,
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const TIMEOUTS: Timeouts = Timeouts {
    authorizer: Duration::from_secs(10),
    integration: Duration::from_secs(30),
};

/// The HTTP API of a stack. Clones are the same gateway.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    routes: Routes,
    authorizers: Authorizers,
    api: Api,
    functions: Functions,
    clock: Clock,
    arns: Arns,
    timeouts: Timeouts,
}

impl Gateway {
    /// The gateway of `api`.
    #[must_use]
    pub fn new(api: Api, functions: Functions, clock: Clock, arns: Arns) -> Self {
        Self::with_timeouts(api, functions, clock, arns, TIMEOUTS)
    }

    fn with_timeouts(
        api: Api,
        functions: Functions,
        clock: Clock,
        arns: Arns,
        timeouts: Timeouts,
    ) -> Self {
        let routes = Routes::new(&api.routes);
        let authorizers = Authorizers::default();
        Self {
            inner: Arc::new(Inner {
                routes,
                authorizers,
                api,
                functions,
                clock,
                arns,
                timeouts,
            }),
        }
    }

    /// Serves the API until the task is dropped.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let app = Router::new()
            .fallback(routing::any(handle))
            .with_state(self);
        let listener = listener.tap_io(|connection| {
            // Slower, but still right, where it is refused.
            let _ = connection.set_nodelay(true);
        });
        axum::serve(
            listener,
            app.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .await
    }

    /// Whether this is an OPTIONS request that no route takes. A route of `ANY` and `$default` take it with all others
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>).
    fn responds_to_options(&self, request: &Request) -> bool {
        let path = encoding::decode_path(request.uri().path());
        let method = request.method();
        method == Method::OPTIONS && self.inner.routes.find(method.as_str(), &path).is_none()
    }

    async fn answer(&self, request: Request, peer: SocketAddr, id: &str) -> Response {
        let inner = &self.inner;
        let (parts, body) = request.into_parts();
        if let Some(status) = head::refusal(&parts) {
            return message(status, status.canonical_reason().unwrap_or_default());
        }
        if !head::is_for_this_machine(&parts) {
            let text = "Host must be localhost or a loopback address, because this shop runs on one machine";
            return message(StatusCode::FORBIDDEN, text);
        }
        // Decoded before it finds its route, so that an encoded slash parts segments, too
        // (<https://github.com/aws/aws-lambda-dotnet/pull/1901>).
        let path = encoding::decode_path(parts.uri.path());
        let Some(matched) = inner.routes.find(parts.method.as_str(), &path) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let incoming = Incoming {
            parts: &parts,
            path: &path,
            matched: &matched,
            peer,
            id,
            now: inner.clock.now(),
        };
        let context = match self.authorize(&incoming).await {
            Verdict::Allowed(context) => context,
            Verdict::Denied => return message(StatusCode::FORBIDDEN, "Forbidden"),
            Verdict::Missing => return message(StatusCode::UNAUTHORIZED, "Unauthorized"),
            Verdict::Failed => return internal_error(),
        };
        let body = match to_bytes(body, REQUEST_LIMIT).await {
            Ok(body) => body,
            // The type of this error belongs to a crate that axum does not export.
            Err(error) if error.to_string() == "length limit exceeded" => return too_large(),
            Err(_) => return message(StatusCode::BAD_REQUEST, "Bad Request"),
        };
        let event = event::proxy(&incoming, &body, context.as_ref());
        if event.len() > PAYLOAD_LIMIT {
            return too_large();
        }
        self.invoke(&matched.route.function, event, &incoming).await
    }

    async fn authorize(&self, incoming: &Incoming<'_>) -> Verdict {
        let inner = &self.inner;
        let Some(name) = &incoming.matched.route.authorizer else {
            return Verdict::Allowed(None);
        };
        let Some(authorizer) = inner.api.authorizers.get(name) else {
            return Verdict::Failed;
        };
        let ask = |event| {
            self.within(
                inner.timeouts.authorizer,
                &authorizer.function,
                event,
                incoming,
            )
        };
        let authorizers = &inner.authorizers;
        authorizers
            .ask(name, authorizer, incoming, &inner.arns, ask)
            .await
    }

    /// Invokes a function. `None` if there is no response in time: the invocation goes on then, as it does when the
    /// client has gone.
    async fn within(
        &self,
        limit: Duration,
        function: &str,
        event: Bytes,
        incoming: &Incoming<'_>,
    ) -> Option<Result<Bytes, InvokeError>> {
        let trace = Some(incoming.trace());
        let (functions, name) = (self.inner.functions.clone(), function.to_owned());
        let invocation =
            tokio::spawn(async move { functions.invoke_traced(&name, event, trace).await });
        let ended = tokio::time::timeout(limit, invocation).await.ok()?;
        let broken = |error: JoinError| InvokeError::Exited {
            status: error.to_string(),
        };
        Some(ended.unwrap_or_else(|error| Err(broken(error))))
    }

    async fn invoke(&self, function: &str, event: Bytes, incoming: &Incoming<'_>) -> Response {
        let limit = self.inner.timeouts.integration;
        match self.within(limit, function, event, incoming).await {
            Some(Ok(answer)) => response::from_function(&answer).unwrap_or_else(|| {
                tracing::error!(function, "the function's response is not valid");
                internal_error()
            }),
            Some(Err(InvokeError::Throttled)) | None => {
                message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Some(Err(error)) => {
                tracing::error!(function, %error, "failed");
                internal_error()
            }
        }
    }
}

async fn handle(
    State(gateway): State<Gateway>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    let cors = gateway.inner.api.cors.as_ref();
    let mut response = match cors {
        Some(cors) if gateway.responds_to_options(&request) => {
            cors::preflight(cors, request.headers())
        }
        Some(cors) => {
            let origin = request.headers().get(header::ORIGIN).cloned();
            let mut response = gateway.answer(request, peer, &id).await;
            cors::complete(cors, origin.as_ref(), &mut response);
            response
        }
        None => gateway.answer(request, peer, &id).await,
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("apigw-requestid"), id);
    }
    response
}

/// A response of the gateway itself.
fn message(status: StatusCode, text: &str) -> Response {
    let body = format!(r#"{{"message":"{text}"}}"#);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn internal_error() -> Response {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn too_large() -> Response {
    message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}
