//! Events in payload format 2.0, for functions and for authorisers.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::route::Matched;
use crate::arn::Arns;
use crate::model::ACCOUNT;
use crate::template::API_ID;

/// A request that has found its route.
pub(super) struct Incoming<'a> {
    pub(super) parts: &'a Parts,
    /// The path, decoded: what API Gateway calls `rawPath` nevertheless.
    pub(super) path: &'a str,
    pub(super) matched: &'a Matched<'a>,
    pub(super) peer: SocketAddr,
    pub(super) id: &'a str,
    pub(super) now: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_source: Option<&'a [String]>,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_base64_encoded: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'static str,
    api_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<AuthorizerContext<'a>>,
    domain_name: String,
    domain_prefix: &'static str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
struct AuthorizerContext<'a> {
    lambda: &'a Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: String,
}

/// The event for a function. `authorizer` is what the route's authoriser has said.
pub(super) fn proxy(incoming: &Incoming<'_>, body: &Bytes, authorizer: Option<&Value>) -> Bytes {
    let key = incoming.matched.key();
    let authorizer = authorizer.map(|lambda| AuthorizerContext { lambda });
    let mut event = common(incoming, &key, authorizer);
    if !body.is_empty() {
        event
            .headers
            .entry("content-length".to_owned())
            .or_insert_with(|| body.len().to_string());
    }
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|_| is_text(&incoming.parts.headers));
    event.is_base64_encoded = Some(!body.is_empty() && text.is_none());
    event.body = match text {
        _ if body.is_empty() => None,
        Some(text) => Some(text.into()),
        None => Some(BASE64_STANDARD.encode(body).into()),
    };
    serde_json::to_vec(&event).unwrap_or_default().into()
}

/// The event for an authoriser. `identity` is what its identity headers say.
pub(super) fn authorizer(incoming: &Incoming<'_>, identity: &[String], arns: &Arns) -> Bytes {
    let key = incoming.matched.key();
    let mut event = common(incoming, &key, None);
    event.kind = Some("REQUEST");
    let route = format!(
        "{API_ID}/$default/{}{}",
        incoming.parts.method, incoming.path
    );
    event.route_arn = Some(arns.build("execute-api", &route));
    event.identity_source = Some(identity);
    serde_json::to_vec(&event).unwrap_or_default().into()
}

fn common<'a>(
    incoming: &'a Incoming<'_>,
    key: &'a str,
    authorizer: Option<AuthorizerContext<'a>>,
) -> Event<'a> {
    let parts = incoming.parts;
    let method = parts.method.as_str();
    let text = |name| text(&parts.headers, name);
    Event {
        version: "2.0",
        kind: None,
        route_arn: None,
        identity_source: None,
        route_key: key,
        raw_path: incoming.path,
        raw_query_string: parts.uri.query().unwrap_or_default(),
        cookies: cookies(&parts.headers),
        headers: headers(incoming),
        query_string_parameters: query(parts),
        request_context: Context {
            account_id: ACCOUNT,
            api_id: API_ID,
            authorizer,
            domain_name: text(header::HOST),
            domain_prefix: API_ID,
            http: Http {
                method,
                path: incoming.path,
                protocol: "HTTP/1.1",
                source_ip: incoming.peer.ip().to_string(),
                user_agent: text(header::USER_AGENT),
            },
            request_id: incoming.id,
            route_key: key,
            stage: "$default",
            time: incoming.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: incoming.now.as_millisecond(),
        },
        path_parameters: &incoming.matched.parameters,
        body: None,
        is_base64_encoded: None,
    }
}

impl Incoming<'_> {
    /// The trace that the request is part of: the client's, or one of its own.
    pub(super) fn trace(&self) -> String {
        let given = text(
            &self.parts.headers,
            header::HeaderName::from_static("x-amzn-trace-id"),
        );
        if !given.is_empty() {
            return given;
        }
        // The request's id is random, and is what a trace's own id is made of.
        let id: String = self
            .id
            .chars()
            .filter(|character| *character != '-')
            .take(24)
            .collect();
        format!("Root=1-{:08x}-{id}", self.now.as_second())
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers
        .get(name)
        .map(|value| lossy(value.as_bytes()))
        .unwrap_or_default()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Headers in lower case, duplicates joined by commas, with those that API Gateway adds.
fn headers(incoming: &Incoming<'_>) -> BTreeMap<String, String> {
    let given = &incoming.parts.headers;
    let mut headers = BTreeMap::new();
    for name in given.keys() {
        let own = [
            header::COOKIE,
            header::CONNECTION,
            header::TRANSFER_ENCODING,
        ];
        if !own.contains(name) {
            let values: Vec<_> = given.get_all(name).iter().collect();
            let values: Vec<_> = values.iter().map(|value| lossy(value.as_bytes())).collect();
            headers.insert(name.as_str().to_owned(), values.join(","));
        }
    }
    let client = incoming.peer.ip().to_string();
    let forwarded = headers.entry("x-forwarded-for".to_owned());
    forwarded
        .and_modify(|before| {
            before.push_str(", ");
            before.push_str(&client);
        })
        .or_insert(client);
    let (_, port) = headers
        .get("host")
        .and_then(|host| host.rsplit_once(':'))
        .unwrap_or(("", "80"));
    headers.insert("x-forwarded-port".to_owned(), port.to_owned());
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers.insert("x-amzn-trace-id".to_owned(), incoming.trace());
    headers
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .map(|value| lossy(value.as_bytes()));
    let cookies = lines.flat_map(|line| {
        line.split(';')
            .map(|cookie| cookie.trim().to_owned())
            .collect::<Vec<_>>()
    });
    cookies.filter(|cookie| !cookie.is_empty()).collect()
}

/// Query parameters, decoded, duplicates joined by commas.
fn query(parts: &Parts) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    // An invalid query string has no parameters.
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|Query(pairs)| pairs);
    for (name, value) in pairs.unwrap_or_default() {
        joined
            .entry(name)
            .and_modify(|before| {
                before.push(',');
                before.push_str(&value);
            })
            .or_insert(value);
    }
    joined
}

/// Whether a body of this type is handed on as text. Forms and everything binary are not.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let content_type = lossy(content_type.as_bytes()).to_ascii_lowercase();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let known = [
        "application/json",
        "application/xml",
        "application/javascript",
    ];
    known.contains(&kind)
        || kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}
