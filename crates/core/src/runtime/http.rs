//! The loop of a function behind an HTTP route, and the conversion between API Gateway's shapes and ours.

use std::pin::Pin;

use aws_lambda_events::apigw::{
    ApiGatewayV2httpRequest, ApiGatewayV2httpRequestContext, ApiGatewayV2httpResponse,
};
use aws_lambda_events::encodings::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_runtime::{LambdaEvent, service_fn};
use tracing::Instrument;

use super::invocation::{Doing, Error};
use crate::aws::Aws;
use crate::http::exchange::{Caller, Identity, Request, Response};
use crate::http::guard::{self, Guard};
use crate::http::problem::Problem;
use crate::http::routes::Route;
use crate::values::clock::Time;
use crate::values::moment;

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
    Box::pin(aws.connect()).await;
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
///
/// `lambda_http` would build a URL of the request before, and ends the process if the path, the query or the host are
/// not ones that it can parse: docs/decisions/0028-requests-as-the-gateway-sends-them.md.
fn run<'a>(
    handle: &'a (dyn Fn(Request) -> Doing<'a, Response> + Sync),
) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>> {
    Box::pin(lambda_runtime::run(service_fn(
        move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            let request = incoming(event.payload)?;
            // At the highest level, so that it is there whatever the level of the logs is.
            let named = tracing::error_span!("request", request.id = request.request_id);
            let handling = moment::during(request.now, handle(request));
            outgoing(handling.instrument(named).await)
        },
    )))
}

/// Returns the request that API Gateway's event describes.
///
/// # Errors
/// If the body is said to be in Base64 and is not.
fn incoming(event: ApiGatewayV2httpRequest) -> Result<Request, Error> {
    let context = event.request_context;
    let query = event.raw_query_string.unwrap_or_default();
    let mut query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    // The order must not matter to a link that is made of them.
    query.sort();
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        STANDARD.decode(body)?
    } else {
        body.into_bytes()
    };
    Ok(Request {
        now: Time::from_millis(context.time_epoch),
        request_id: context.request_id.clone().unwrap_or_default(),
        path: event.raw_path.unwrap_or_default(),
        source_ip: context.http.source_ip.clone().unwrap_or_default(),
        headers: event.headers,
        body,
        path_parameters: event.path_parameters,
        query,
        identity: identity(&context),
    })
}

/// Reads what the authoriser passed on: `sub`, `roles` (separated by spaces), `exp` `locale` and, if the customer is in
/// one, `group`, all of them text.
fn identity(context: &ApiGatewayV2httpRequestContext) -> Option<Identity> {
    let fields = &context.authorizer.as_ref()?.fields;
    let text = |name: &str| fields.get(name)?.as_str();
    let caller = Caller {
        customer_id: text("sub")?.parse().ok()?,
        admin: text("roles")?.split(' ').any(|role| role == "admin"),
        group: text("group").and_then(|group| group.parse().ok()),
        locale: text("locale").and_then(|locale| locale.parse().ok()),
    };
    Some(Identity {
        caller,
        expires_at_seconds: text("exp")?.parse().ok()?,
    })
}

fn outgoing(response: Response) -> Result<ApiGatewayV2httpResponse, Error> {
    let mut headers = HeaderMap::new();
    if !response.content_type.is_empty() {
        headers.append(
            CONTENT_TYPE,
            HeaderValue::from_static(response.content_type),
        );
    }
    for (name, value) in response.headers {
        headers.append(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(&value)?,
        );
    }
    let mut outgoing = ApiGatewayV2httpResponse::default();
    outgoing.status_code = response.status.as_u16().into();
    outgoing.headers = headers;
    match String::from_utf8(response.body) {
        Ok(text) => outgoing.body = Some(Body::Text(text)),
        Err(bytes) => {
            outgoing.is_base64_encoded = true;
            outgoing.body = Some(Body::Binary(bytes.into_bytes()));
        }
    }
    Ok(outgoing)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(change: impl FnOnce(&mut Value)) -> ApiGatewayV2httpRequest {
        let mut event: Value =
            serde_json::from_str(include_str!("../../../../events/list-products.json")).unwrap();
        change(&mut event);
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn no_host_path_or_query_ends_the_process() {
        let texts = [
            "a:b",
            "[::1",
            "\"<>",
            "%",
            "%zz",
            "\u{1f6d2}",
            "//",
            " ",
            "",
        ];
        let long = "x".repeat(70_000);
        for text in texts.into_iter().chain([long.as_str()]) {
            let request = incoming(event(|event| {
                event["headers"]["host"] = json!(text);
                event["requestContext"]["domainName"] = json!(text);
                event["rawPath"] = json!(format!("/products/{text}"));
                event["rawQueryString"] = json!(format!("q={text}&{text}"));
            }));
            assert_eq!(request.unwrap().path, format!("/products/{text}"));
        }
    }

    #[test]
    fn the_query_is_read_as_a_form_with_its_repetitions() {
        let request = incoming(event(|event| {
            event["rawQueryString"] = json!("b=%C3%BC+x&a=1,2&a=3&c");
        }));
        let query = request.unwrap().query;
        let query: Vec<_> = query
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(query, [("a", "1,2"), ("a", "3"), ("b", "ü x"), ("c", "")]);
    }

    #[test]
    fn a_body_in_base64_is_decoded_and_a_wrong_one_is_an_error() {
        let body = |body: &str| {
            incoming(event(|event| {
                event["body"] = json!(body);
                event["isBase64Encoded"] = json!(true);
            }))
        };
        assert_eq!(body("eyJhIjoxfQ==").unwrap().body, b"{\"a\":1}");
        assert!(body("{}").is_err());
    }

    #[test]
    fn a_response_has_all_its_headers_and_its_body_as_text() {
        let response = Response::ok(&json!({"a": 1})).unwrap();
        let response = response.header("Link", "</a>; rel=\"next\"".to_owned());
        let sent = serde_json::to_value(outgoing(response).unwrap()).unwrap();
        assert_eq!(sent["statusCode"], 200);
        assert_eq!(sent["body"], "{\"a\":1}");
        assert_eq!(sent["headers"]["link"], "</a>; rel=\"next\"");
        assert_eq!(sent["headers"]["content-type"], "application/json");
        assert_eq!(sent["isBase64Encoded"], false);
    }
}
