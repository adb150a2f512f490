//! The loop of a function behind an HTTP route, and the conversion between API Gateway's shapes and ours.

use std::pin::Pin;

use aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use aws_lambda_events::encodings::Body;
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, service_fn};

use super::invocation::{Doing, Error};
use crate::aws::Aws;
use crate::http::exchange::{Caller, Identity, Request, Response};
use crate::http::guard::{self, Guard};
use crate::http::problem::Problem;
use crate::http::routes::Route;
use crate::values::clock::Time;

/// Serves the HTTP route `route`: passes each request that its guard admits to `handler`, and turns
/// problems into responses.
///
/// # Errors
/// If a setting of the limits is missing, or Lambda's runtime API cannot be reached.
pub async fn serve_http<F, Fut>(aws: &Aws, route: &'static Route, handler: F) -> Result<(), Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Result<Response, Problem>> + Send,
{
    let (guard, handler) = (&Guard::new(aws, route)?, &handler);
    run(&|request| Box::pin(guard.pass(request, handler))).await
}

/// Serves the HTTP route `route`, of [`crate::http::routes::Class::Free`], as [`serve_http`] does the others.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_http_uncounted<F, Fut>(route: &'static Route, handler: F) -> Result<(), Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Result<Response, Problem>> + Send,
{
    let handler = &handler;
    run(&|request| Box::pin(guard::pass_uncounted(route, request, handler))).await
}

/// Takes a boxed handler without a type of the caller's, so that the runtime is compiled once, here, and
/// not with each function: an `async fn` is compiled where it is awaited.
fn run<'a>(
    handle: &'a (dyn Fn(Request) -> Doing<'a, Response> + Sync),
) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>> {
    Box::pin(lambda_http::run(service_fn(
        move |request: lambda_http::Request| async move { outgoing(handle(incoming(request)).await) },
    )))
}

/// Returns the request that API Gateway's event describes.
#[must_use]
fn incoming(request: lambda_http::Request) -> Request {
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
    // They come from a map without an order, and a link made of them must not differ each time.
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

/// Reads what the authoriser passed on: `sub`, `roles` (separated by spaces) and `exp`, all of them text.
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
