//! Cross-origin requests: which pages a browser lets use a bucket.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, Response, StatusCode, header};

use super::error::S3Error;
use super::objects::{empty, set};
use crate::access::like;
use crate::model::BucketCors;

/// What a request says of where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(super) bucket: String,
    /// As in `http://localhost:3000`.
    page: String,
    method: String,
    /// In lower case, of a preflight.
    headers: Vec<String>,
}

impl Origin {
    /// The origin of a request; `None` if it names none.
    pub(super) fn of(parts: &Parts, bucket: String) -> Option<Self> {
        let text = |name: HeaderName| parts.headers.get(name)?.to_str().ok();
        let page = text(header::ORIGIN)?.to_owned();
        let method = text(header::ACCESS_CONTROL_REQUEST_METHOD);
        let headers = text(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
        let headers = headers
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase());
        Some(Self {
            bucket,
            page,
            method: method.unwrap_or(parts.method.as_str()).to_owned(),
            headers: headers.filter(|name| !name.is_empty()).collect(),
        })
    }

    /// The response to a preflight.
    pub(super) fn preflight(&self, rules: &[BucketCors]) -> Result<Response<Body>, S3Error> {
        let rule = self.rule(rules).ok_or_else(|| {
            let message = "CORSResponse: This CORS request is not allowed.";
            S3Error::new(StatusCode::FORBIDDEN, "AccessForbidden", message)
        })?;
        let mut response = empty(StatusCode::OK);
        self.allow(rule, &mut response);
        if !self.headers.is_empty() {
            let headers = self.headers.join(", ");
            set(&mut response, "access-control-allow-headers", &headers);
        }
        if let Some(seconds) = rule.max_age {
            set(
                &mut response,
                "access-control-max-age",
                &seconds.to_string(),
            );
        }
        Ok(response)
    }

    /// Lets the page read the response, if a rule says so.
    pub(super) fn mark(&self, rules: &[BucketCors], response: &mut Response<Body>) {
        if let Some(rule) = self.rule(rules) {
            self.allow(rule, response);
        }
    }

    /// The first rule that allows the request.
    fn rule<'a>(&self, rules: &'a [BucketCors]) -> Option<&'a BucketCors> {
        let allows = |patterns: &[String], text: &str| patterns.iter().any(|one| like(one, text));
        rules.iter().find(|rule| {
            let names: Vec<_> = rule
                .headers
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect();
            allows(&rule.origins, &self.page)
                && rule.methods.contains(&self.method)
                && self.headers.iter().all(|name| allows(&names, name))
        })
    }

    fn allow(&self, rule: &BucketCors, response: &mut Response<Body>) {
        let any = rule.origins.iter().any(|origin| origin == "*");
        let origin = if any { "*" } else { &self.page };
        set(response, "access-control-allow-origin", origin);
        set(
            response,
            "access-control-allow-methods",
            &rule.methods.join(", "),
        );
        if !any {
            set(response, "access-control-allow-credentials", "true");
        }
        if !rule.expose.is_empty() {
            set(
                response,
                "access-control-expose-headers",
                &rule.expose.join(", "),
            );
        }
        let vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
        set(response, "vary", vary);
    }
}
