//! An HTTP client that reads like the requests that it sends.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::contract::contract;

/// One request being put together.
pub(crate) struct Call {
    request: reqwest::RequestBuilder,
    what: String,
    /// Method and path of a request to the shop, whose response must be as documented.
    documented: Option<(Method, String)>,
    /// The body, if it is a text of JSON.
    json: Option<String>,
}

/// A response, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    what: String,
}

impl Call {
    pub(crate) fn new(client: &reqwest::Client, method: Method, url: &str) -> Self {
        let what = format!("{method} {url}");
        let request = client.request(method, url);
        Self {
            request,
            what,
            documented: None,
            json: None,
        }
    }

    /// Returns a request whose response must be as the OpenAPI document says.
    pub(crate) fn documented(
        client: &reqwest::Client,
        method: Method,
        url: &str,
        path: &str,
    ) -> Self {
        Self {
            documented: Some((method.clone(), path.to_owned())),
            ..Self::new(client, method, url)
        }
    }

    /// One more header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self {
            request: self.request.header(name, value),
            ..self
        }
    }

    /// With an access token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With an idempotency key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        let json = Some(body.to_string());
        let call = self.raw("application/json", body.to_string());
        Self { json, ..call }
    }

    /// With any body.
    pub(crate) fn raw(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        let call = self.header("content-type", content_type);
        Self {
            request: call.request.body(body),
            ..call
        }
    }

    pub(crate) async fn send(self) -> Answer {
        let what = self.what;
        let answer = self.request.send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
        let answer = Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
            what,
        };
        if let Some((method, path)) = self.documented {
            contract().check(method.as_str(), &path, self.json.as_deref(), &answer);
        }
        answer
    }
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("{}: {} {}", self.what, self.status, self.text))
    }

    /// Returns this response, if its status is `status`.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    /// The header `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
