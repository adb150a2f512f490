//! Cross-origin requests: the gateway responds to preflights and completes every response.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::model::Cors;

/// The response to OPTIONS on any path. It has CORS headers if the request is a preflight, that is, if it has an origin
/// and says which method is to follow, and if the origin is configured.
pub(super) fn preflight(cors: &Cors, request: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let is_preflight = request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = request.get(header::ORIGIN).filter(|_| is_preflight);
    if origin.is_some_and(|origin| allow_origin(cors, origin, headers)) {
        list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
        list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
        if let Some(max_age) = cors.max_age {
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, max_age.as_secs().into());
        }
    }
    response
}

/// Completes a response. What the function itself says about origins is ignored.
pub(super) fn complete(cors: &Cors, origin: Option<&HeaderValue>, response: &mut Response) {
    let headers = response.headers_mut();
    for own in [
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        header::ACCESS_CONTROL_MAX_AGE,
    ] {
        headers.remove(own);
    }
    if origin.is_some_and(|origin| allow_origin(cors, origin, headers)) {
        list(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose);
    }
}

/// Says that the origin is allowed, if it is.
fn allow_origin(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) -> bool {
    let Ok(text) = origin.to_str() else {
        return false;
    };
    let every_scheme = |allowed: &str| {
        let scheme = allowed
            .strip_suffix('*')
            .filter(|scheme| scheme.ends_with("://"));
        scheme.is_some_and(|scheme| text.starts_with(scheme))
    };
    let any = cors.origins.iter().any(|allowed| allowed == "*");
    let listed = || {
        let mut origins = cors.origins.iter();
        origins.any(|allowed| allowed.eq_ignore_ascii_case(text) || every_scheme(allowed))
    };
    if !any && !listed() {
        return false;
    }
    let allowed = if any {
        HeaderValue::from_static("*")
    } else {
        origin.clone()
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    true
}

fn list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let Ok(joined) = HeaderValue::from_str(&values.join(","))
        && !values.is_empty()
    {
        headers.insert(name, joined);
    }
}
