//! Requests and responses as handlers see them.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use http::HeaderMap;
use http::header::{AUTHORIZATION, IF_MATCH};

use crate::http::body::{self, Body};
use crate::http::problem::{Fault, Problem};
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::group::CustomerGroup;
use crate::values::id::CustomerId;
use crate::values::locale::Locale;

mod response;
mod tags;

pub use response::Response;
pub use tags::{InvalidTags, Tags};

/// The largest body that is accepted, in bytes: fifty order lines fit several times.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The largest headers that are accepted, names and values together, in bytes. API Gateway takes 10,240
/// with the request line.
pub const HEADERS_LIMIT_BYTES: usize = 10 * 1024;

/// The longest query that is accepted, names and values together, in bytes.
pub const QUERY_LIMIT_BYTES: usize = 4 * 1024;

/// Who is signed in, as the authoriser found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The customer; admins are customers with a role.
    pub customer_id: CustomerId,
    /// Whether the customer has the role `admin`.
    pub admin: bool,
    /// The group whose prices the customer has, if any.
    pub group: Option<CustomerGroup>,
    /// The language that the customer reads, if it is known.
    pub locale: Option<Locale>,
}

/// What the authoriser passed on of the access token; absent on open routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The caller.
    pub caller: Caller,
    /// When the token expires, in seconds since 1970.
    pub expires_at_seconds: i64,
}

impl Identity {
    /// Returns the caller whose `identity` is known and whose token has not expired `now`.
    fn caller(identity: Option<&Self>, now: Time) -> Result<Caller, Problem> {
        let identity = identity.ok_or(Problem::Unauthenticated("sign in to do this"))?;
        if now.as_seconds() >= identity.expires_at_seconds {
            return Err(Problem::Unauthenticated("the access token has expired"));
        }
        Ok(identity.caller.clone())
    }

    /// As [`Request::admin`], for an `identity` that API Gateway did not establish.
    pub(crate) fn admin(identity: Option<&Self>, now: Time) -> Result<Caller, Problem> {
        let caller = Self::caller(identity, now)?;
        if caller.admin {
            Ok(caller)
        } else {
            Err(Problem::Forbidden)
        }
    }
}

/// An HTTP request.
#[derive(Clone, Debug)]
pub struct Request {
    /// When the API received it: the current time for the handler.
    pub now: Time,
    /// The identifier that API Gateway gave it, which is in the response, in problems and in the logs.
    pub request_id: String,
    /// The path, as the client sent it.
    pub path: String,
    /// The client's IP address, as API Gateway saw it.
    pub source_ip: String,
    /// Headers, names in lower case.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    pub(crate) path_parameters: HashMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) identity: Option<Identity>,
}

/// Which state of a resource an update expects (`If-Match`, RFC 9110 section 13.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any state.
    Any,
    /// One of these strong entity tags, without their quotes.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Returns whether a resource with the entity tag `tag` is expected.
    #[must_use]
    pub fn allows(&self, tag: &str) -> bool {
        self.allows_one(|given| given == tag)
    }

    /// Returns whether a resource is expected of which one of the entity tags may be, as `matches` says.
    pub fn allows_one(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|given| matches(given)),
        }
    }
}

impl Request {
    /// Refuses a request whose headers or query are too large.
    ///
    /// # Errors
    /// [`Problem::HeadersTooLarge`], [`Problem::InvalidParameters`].
    pub fn bounded(&self) -> Result<(), Problem> {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.as_str().len() + value.len());
        if headers.sum::<usize>() > HEADERS_LIMIT_BYTES {
            return Err(Problem::HeadersTooLarge {
                limit_bytes: HEADERS_LIMIT_BYTES,
            });
        }
        let query = self.query.iter();
        let query = query.map(|(name, value)| name.len() + value.len());
        if query.sum::<usize>() > QUERY_LIMIT_BYTES {
            return Err(Problem::parameter(
                "?",
                format!("the query must have at most {QUERY_LIMIT_BYTES} bytes"),
            ));
        }
        Ok(())
    }

    /// Returns the header `name`, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns whether the caller says who they are, truly or not.
    #[must_use]
    pub fn names_caller(&self) -> bool {
        self.identity.is_some() || self.headers.contains_key(AUTHORIZATION)
    }

    /// Returns the query parameter `name` as a value, if it is there. `query` is what [`Request::query`] returned.
    ///
    /// # Errors
    /// Returns [`Problem::InvalidParameters`] with what the value should have been.
    pub fn parameter<T>(query: &HashMap<&str, &str>, name: &str) -> Result<Option<T>, Problem>
    where
        T: FromStr<Err: Display>,
    {
        let given = query.get(name).map(|text| text.parse()).transpose();
        given.map_err(|invalid: T::Err| Problem::parameter(format!("?{name}"), invalid.to_string()))
    }

    /// Returns the path parameter `name` as the identifier of a `what`.
    ///
    /// # Errors
    /// Returns [`Problem::NotFound`] if it is not an identifier, because nothing has such an address.
    pub fn id<T: FromStr>(&self, name: &str, what: &'static str) -> Result<T, Problem> {
        let text = self
            .path_parameters
            .get(name)
            .ok_or(Problem::NotFound(what))?;
        text.parse().map_err(|_| Problem::NotFound(what))
    }

    /// Returns the query parameters, of which only those in `known` may occur, each at most once. There, `name[*]` stands for
    /// all `name[...]`.
    ///
    /// # Errors
    /// [`Problem::InvalidParameters`].
    pub fn query(&self, known: &[&str]) -> Result<HashMap<&str, &str>, Problem> {
        let mut found = HashMap::new();
        let mut faults = Vec::new();
        for (name, value) in &self.query {
            let (code, detail) = if !known.iter().any(|known| is_parameter(known, name)) {
                (
                    "unknown_parameter",
                    format!("known are: {}", known.join(", ")),
                )
            } else if found.insert(name.as_str(), value.as_str()).is_some() {
                ("repeated", "this may be given once".to_owned())
            } else {
                continue;
            };
            faults.push(Fault {
                pointer: format!("?{name}"),
                code,
                detail,
            });
        }
        if faults.is_empty() {
            Ok(found)
        } else {
            Err(Problem::InvalidParameters(faults))
        }
    }

    /// Reads the JSON body; see [`body::read`].
    ///
    /// # Errors
    /// [`Problem::UnsupportedMediaType`], [`Problem::TooLarge`], or as [`body::read`].
    pub fn json<T>(&self, read: impl FnOnce(&mut Body) -> Option<T>) -> Result<T, Problem> {
        let media_type = self.header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::UnsupportedMediaType);
        }
        if self.body.len() > BODY_LIMIT_BYTES {
            return Err(Problem::TooLarge {
                limit_bytes: BODY_LIMIT_BYTES,
            });
        }
        body::read(&self.body, read)
    }

    /// Returns the caller who is signed in.
    ///
    /// # Errors
    /// Returns [`Problem::Unauthenticated`] if nobody is, or if the token has expired.
    pub fn caller(&self) -> Result<Caller, Problem> {
        Identity::caller(self.identity.as_ref(), self.now)
    }

    /// Returns the caller who is signed in and is an admin.
    ///
    /// # Errors
    /// Returns [`Problem::Unauthenticated`], or [`Problem::Forbidden`] for a caller who is not an admin.
    pub fn admin(&self) -> Result<Caller, Problem> {
        Identity::admin(self.identity.as_ref(), self.now)
    }

    /// Returns the `Idempotency-Key`, if one is sent: 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// Returns [`Problem::IdempotencyKeyRequired`] if it does not have that form.
    pub fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        match value.to_str() {
            Ok(key) if is_key(key) => Ok(Some(key)),
            Ok(_) | Err(_) => Err(Problem::IdempotencyKeyRequired),
        }
    }

    /// Returns a hash of the body (SHA-256, hexadecimal, of the JSON without insignificant whitespace),
    /// which tells a repeated request from a different one with the same key.
    #[must_use]
    pub fn body_hash(&self) -> String {
        let canonical = serde_json::from_slice::<serde_json::Value>(&self.body)
            .and_then(|json| serde_json::to_vec(&json))
            .unwrap_or_else(|_| self.body.clone());
        sha256_hex(canonical)
    }

    /// Returns `If-Match`, which an update needs.
    ///
    /// # Errors
    /// [`Problem::PreconditionRequired`] without it, [`Problem::InvalidParameters`] if it cannot be
    /// read.
    pub fn if_match(&self) -> Result<IfMatch, Problem> {
        let invalid = |_| {
            let detail = "this must be entity tags as ETag gave them, or *";
            Problem::parameter("If-Match", detail)
        };
        match Tags::read(&self.headers, &IF_MATCH).map_err(invalid)? {
            None => Err(Problem::PreconditionRequired),
            Some(Tags::Any) => Ok(IfMatch::Any),
            // A weak tag never matches (RFC 9110 section 13.1.1).
            Some(Tags::List(tags)) => {
                let strong = tags.into_iter().filter(|tag| !tag.weak);
                Ok(IfMatch::Tags(strong.map(|tag| tag.tag).collect()))
            }
        }
    }

    /// Returns `If-Match`, or `None` without it: for what creates or updates a resource.
    ///
    /// # Errors
    /// As [`Request::if_match`], but for a header that is missing.
    pub fn if_match_or_none(&self) -> Result<Option<IfMatch>, Problem> {
        let given = self.header("if-match").map(|_| self.if_match());
        given.transpose()
    }

    /// Returns the client's trace context, `traceparent`, if it has the form of version 00 (W3C Trace
    /// Context). It is stored with the event of a change.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        let value = self.header("traceparent")?;
        let parts: Vec<&str> = value.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let hexadecimal = |part: &&str| {
            part.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let valid = lengths == [2, 32, 16, 2] && parts.iter().all(hexadecimal);
        valid.then(|| value.to_owned())
    }

    /// Returns how many seconds the client is ready to wait for an outcome: `Prefer: wait=5` (RFC 7240 section
    /// 4.3), at most 20.
    #[must_use]
    pub fn wait_seconds(&self) -> u64 {
        let preferences = self.header("prefer").unwrap_or_default();
        let wait = preferences
            .split([',', ';'])
            .find_map(|preference| preference.trim().strip_prefix("wait=")?.trim().parse().ok());
        wait.unwrap_or(0).min(20)
    }
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns whether `known` stands for the query parameter `name`.
fn is_parameter(known: &str, name: &str) -> bool {
    let Some(known) = known.strip_suffix("[*]") else {
        return known == name;
    };
    let key = name.strip_prefix(known);
    let key = key.and_then(|key| key.strip_prefix('[')?.strip_suffix(']'));
    key.is_some_and(|key| !key.is_empty())
}
