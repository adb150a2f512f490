//! Lists, a page at a time.

use std::collections::HashMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;

/// Which page is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The most entries that the page may have: 1 to 100.
    pub limit: usize,
    /// The sort key of the last entry of the page before; `None` for the first page.
    pub after: Option<String>,
}

impl PageRequest {
    /// Reads `limit` (1 to 100, 20 if absent) and `cursor` of `request`, whose [`Request::query`] is `query`.
    ///
    /// # Errors
    /// [`Problem::InvalidParameters`], also for a cursor that another list, or this one with other filters, has given.
    pub fn read(request: &Request, query: &HashMap<&str, &str>) -> Result<Self, Problem> {
        let limit = match query.get("limit").map(|limit| limit.parse()) {
            None => 20,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(Ok(_) | Err(_)) => {
                return Err(Problem::parameter("?limit", "this must be from 1 to 100"));
            }
        };
        let after = query
            .get("cursor")
            .map(|cursor| position(cursor, request))
            .transpose()?;
        Ok(Self { limit, after })
    }
}

/// How many bytes of a cursor say to which list it belongs.
const LIST_BYTES: usize = 6;

/// Returns what tells lists apart: a hash of the path, of the filters, and of whose list it is.
fn list_of(request: &Request) -> [u8; LIST_BYTES] {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    add(&request.path);
    if let Some(identity) = &request.identity {
        add(&identity.caller.customer_id.to_string());
    }
    for (name, value) in &request.query {
        if name != "cursor" && name != "limit" {
            add(name);
            add(value);
        }
    }
    let hash = hash.finalize();
    std::array::from_fn(|at| hash[at])
}

/// Returns the cursor of the page of the request's list that begins after the sort key `position`.
fn cursor(position: &str, request: &Request) -> String {
    let mut bytes = list_of(request).to_vec();
    bytes.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the sort key in a cursor.
fn position(cursor: &str, request: &Request) -> Result<String, Problem> {
    let refuse = |detail: &str| Problem::parameter("?cursor", detail);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
    let parts = bytes.split_at_checked(LIST_BYTES);
    let text = parts.and_then(|(_, text)| String::from_utf8(text.to_vec()).ok());
    let text = text
        .filter(|text| !text.is_empty() && text.len() <= 400)
        .ok_or_else(|| refuse("this must be a cursor that a list gave"))?;
    if bytes.starts_with(&list_of(request)) {
        Ok(text)
    } else {
        Err(refuse(
            "this cursor was given for another list or with other filters; begin again without a cursor",
        ))
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The sort key after which the next page begins; `None` on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Returns the first `limit` of `items`, which has one more if there is a next page. `sort_key` gives an
    /// entry's place in the list.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: usize, sort_key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(sort_key);
        Self { items, next }
    }

    /// The same page of other entries.
    #[must_use]
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
        }
    }
}

/// The most bytes of a page's entries. Lambda returns 6 MB at most, in which the body stands as a text.
const MOST_BYTES: usize = 5_000_000;

impl<T> Page<T> {
    /// Returns the page of what `body` makes of each entry. It ends before the entry with which it would pass 5 MB, and
    /// the next page begins there. The first entry is always on it. `sort_key` gives an entry's place in the list.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn fitting<U: Serialize, E>(
        self,
        sort_key: impl Fn(&T) -> String,
        mut body: impl FnMut(T) -> Result<U, E>,
    ) -> Result<Page<U>, E> {
        let mut items = Vec::with_capacity(self.items.len());
        let (mut bytes, mut last) = (0, None);
        for entry in self.items {
            let position = sort_key(&entry);
            let entry = body(entry)?;
            bytes += Escaped::bytes(&entry);
            if bytes > MOST_BYTES && last.is_some() {
                return Ok(Page { items, next: last });
            }
            items.push(entry);
            last = Some(position);
        }
        Ok(Page {
            items,
            next: self.next,
        })
    }
}

/// Counts the bytes of JSON that stands in a JSON text.
#[derive(Default)]
struct Escaped(usize);

impl Escaped {
    /// Returns how many bytes `value` has then; what cannot be written has none, and fails when it is.
    fn bytes(value: &impl Serialize) -> usize {
        let mut counter = Self::default();
        let written = serde_json::to_writer(&mut counter, value);
        written.map_or(0, |()| counter.0)
    }
}

impl io::Write for Escaped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let escapes = bytes.iter().filter(|byte| matches!(byte, b'"' | b'\\'));
        self.0 += bytes.len() + escapes.count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Serialize)]
struct PageBody<'a, T, B> {
    #[serde(flatten)]
    beside: B,
    items: &'a [T],
    next_cursor: Option<&'a str>,
}

/// Nothing beside the list.
#[derive(Serialize)]
struct ListAlone {}

impl<T> Page<T> {
    /// Returns the cursor of the next page of the list that `request` reads, if there is one.
    fn cursor(&self, request: &Request) -> Option<String> {
        let next = self.next.as_ref();
        next.map(|next| cursor(next, request))
    }

    /// Adds to `response` to `request` the `Link` to the next page (RFC 8288), if there is one.
    #[must_use]
    pub fn linked(&self, response: Response, request: &Request) -> Response {
        with_link(response, self.cursor(request).as_deref(), request)
    }
}

/// Adds to `response` to `request` the `Link` to the page that begins at `cursor`, if there is one.
fn with_link(response: Response, cursor: Option<&str>, request: &Request) -> Response {
    let Some(cursor) = cursor else {
        return response;
    };
    let query = request.query.iter();
    let query = query.map(|(name, value)| (name.as_str(), value.as_str()));
    let kept = query.filter(|(name, _)| *name != "cursor");
    let query = encode(kept.chain([("cursor", cursor)]));
    let link = format!("<{}?{query}>; rel=\"next\"", request.path);
    response.header("Link", link)
}

impl<T: Serialize> Page<T> {
    /// Returns the response to `request`: `{items, next_cursor}` and, if there is a next page, a `Link` to it
    /// (RFC 8288).
    ///
    /// # Errors
    /// As [`Response::json`].
    pub fn answer(self, request: &Request) -> Result<Response, Problem> {
        self.answer_beside(ListAlone {}, request)
    }

    /// As [`Page::answer`], with the fields of `beside` before the list.
    ///
    /// # Errors
    /// As [`Response::json`].
    pub fn answer_beside(
        self,
        beside: impl Serialize,
        request: &Request,
    ) -> Result<Response, Problem> {
        let next_cursor = self.cursor(request);
        let next_cursor = next_cursor.as_deref();
        let response = Response::ok(&PageBody {
            beside,
            items: &self.items,
            next_cursor,
        })?;
        Ok(with_link(response, next_cursor, request))
    }
}

/// Returns the query that has these `parameters`.
pub fn encode<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let parameters = parameters.map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    parameters.collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but RFC 3986's unreserved characters.
#[must_use]
pub fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;
    use crate::values::clock::Time;

    fn list(path: &str, query: &[(&str, &str)]) -> Request {
        let request = testing::request(Time::from_millis(0), &json!({}));
        let query = query.iter();
        Request {
            path: path.to_owned(),
            query: query
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..request
        }
    }

    #[test]
    fn a_cursor_belongs_to_one_list_with_its_filters() {
        let given = cursor("b", &list("/orders", &[("status", "failed")]));
        let read = |request: &Request| position(&given, request).ok();
        let more = [("cursor", "x"), ("limit", "7"), ("status", "failed")];
        assert_eq!(read(&list("/orders", &more)).as_deref(), Some("b"));
        let others = [
            list("/products", &[("status", "failed")]),
            list("/orders", &[("status", "pending")]),
            list("/orders", &[]),
            Request {
                identity: None,
                ..list("/orders", &[("status", "failed")])
            },
        ];
        for other in others {
            assert_eq!(read(&other), None, "{} {:?}", other.path, other.query);
        }
    }

    #[test]
    fn a_cursor_leads_to_the_entry_after_it() {
        let page = Page::cut(vec!["a", "b", "c"], 2, ToString::to_string);
        assert_eq!((page.items.len(), page.next.as_deref()), (2, Some("b")));
        let request = list("/products", &[]);
        let cursor = cursor("b", &request);
        let query = HashMap::from([("limit", "2"), ("cursor", cursor.as_str())]);
        let expected = PageRequest {
            limit: 2,
            after: Some("b".to_owned()),
        };
        assert_eq!(PageRequest::read(&request, &query).unwrap(), expected);
        assert_eq!(Page::cut(vec!["c"], 2, ToString::to_string).next, None);
    }

    #[test]
    fn a_page_ends_before_it_passes_five_megabytes() {
        let cut = |sizes: &[usize]| {
            let page = Page {
                items: sizes.to_vec(),
                next: Some("after all".to_owned()),
            };
            let text = |size| Ok::<_, Problem>("x".repeat(size - 4));
            let page = page.fitting(ToString::to_string, text).unwrap();
            (page.items.len(), page.next.unwrap())
        };
        assert_eq!(cut(&[2_000_000, 3_000_000]), (2, "after all".to_owned()));
        let at = "2000000".to_owned();
        assert_eq!(cut(&[2_000_000, 3_000_001, 10]), (1, at));
        assert_eq!(cut(&[6_000_000]), (1, "after all".to_owned()));
        assert_eq!(cut(&[6_000_000, 10]), (1, "6000000".to_owned()));
        assert_eq!(Escaped::bytes(&"\"\\\n"), 4 + 4 + 4 + 3);
    }

    #[test]
    fn limits_and_cursors_that_are_not_valid_are_refused() {
        for parameter in [
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "x"),
            ("cursor", "?"),
            ("cursor", ""),
        ] {
            let (request, query) = (list("/products", &[]), HashMap::from([parameter]));
            assert!(
                PageRequest::read(&request, &query).is_err(),
                "{parameter:?}"
            );
        }
    }
}
