//! Requests of clients, as API Gateway passes them to the functions of its routes.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Error;

/// The identifier of the admin, who has no account: the authoriser is not asked.
const ADMIN: &str = "01941f29-7c00-7000-8000-000000000001";

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    Anyone,
    Admin,
    /// The customer with this identifier.
    Customer(&'a str),
}

/// A request, as API Gateway passes it to the function of its route.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    function: &'static str,
    method: &'static str,
    path: &'static str,
    who: Who<'a>,
    parameters: Vec<(&'static str, String)>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

/// A response.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u64,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Value,
}

/// What a function behind a route returns.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Returned {
    pub(super) status_code: u64,
    #[serde(default)]
    pub(super) headers: HashMap<String, String>,
    #[serde(default)]
    pub(super) body: Option<String>,
}

impl<'a> Request<'a> {
    /// A request to the route `path` (with the names of its parameters in braces), which `function` serves.
    pub(super) fn new(function: &'static str, method: &'static str, path: &'static str) -> Self {
        Self {
            function,
            method,
            path,
            who: Who::Anyone,
            parameters: Vec::new(),
            query: Vec::new(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: None,
        }
    }

    pub(super) fn by(mut self, who: Who<'a>) -> Self {
        self.who = who;
        self
    }

    pub(super) fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The route and the query, for tables.
    pub(super) fn name(&self) -> String {
        let query = self.raw_query();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{query}", self.method, self.path)
    }

    pub(super) fn function(&self) -> &'static str {
        self.function
    }

    /// The path that it is sent to, without the query.
    fn sent_path(&self) -> String {
        let mut path = self.path.to_owned();
        for (name, value) in &self.parameters {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        path
    }

    fn raw_query(&self) -> String {
        let query = self.query.iter();
        let query = query.map(|(name, value)| format!("{name}={value}"));
        query.collect::<Vec<_>>().join("&")
    }

    /// The path with the query, by which caches know the response.
    pub(super) fn address(&self) -> String {
        format!("{}?{}", self.sent_path(), self.raw_query())
    }

    /// The event, in API Gateway's payload format 2.0.
    pub(super) fn event(&self, now: Timestamp) -> Value {
        let path = self.sent_path();
        let texts = |pairs: &[(&'static str, String)]| -> Map<String, Value> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
                .collect()
        };
        let mut context = json!({
            "http": {
                "method": self.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "",
            },
            "routeKey": format!("{} {}", self.method, self.path),
            "stage": "$default",
            "requestId": "year",
            "timeEpoch": now.as_millisecond(),
        });
        let identity = match self.who {
            Who::Anyone => None,
            Who::Admin => Some((ADMIN, "admin customer")),
            Who::Customer(id) => Some((id, "customer")),
        };
        if let Some((id, roles)) = identity {
            let expires = now.as_second() + 900;
            let identity = json!({"sub": id, "roles": roles, "exp": expires.to_string()});
            context["authorizer"] = json!({"lambda": identity});
        }
        json!({
            "version": "2.0",
            "routeKey": format!("{} {}", self.method, self.path),
            "rawPath": path,
            "rawQueryString": self.raw_query(),
            "headers": texts(&self.headers),
            "queryStringParameters": texts(&self.query),
            "pathParameters": texts(&self.parameters),
            "requestContext": context,
            "body": self.body.as_ref().map(Value::to_string),
            "isBase64Encoded": false,
        })
    }
}

impl Response {
    /// Returns the body if the status is one of these.
    ///
    /// # Errors
    /// The response, if it has another status.
    pub(super) fn expect(self, statuses: &[u64]) -> Result<Value, Error> {
        if statuses.contains(&self.status) {
            return Ok(self.body);
        }
        Err(format!("unexpected response {}: {}", self.status, self.body).into())
    }
}
