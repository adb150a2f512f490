//! `JSONPath` as Step Functions and EventBridge take it.

use serde_json::Value;
use serde_json_path::JsonPath;

/// A path: definite (`$.a['b'][0]`, one value) or a query (`$.a[*]`, any number of values).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Definite(Vec<Step>),
    Query(Box<JsonPath>),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(i64),
}

impl Path {
    /// Reads a path, which begins with `$`. Names need no quotes whatever they contain (AWS takes
    /// `$.detail-type`, which RFC 9535 does not).
    ///
    /// # Errors
    /// A sentence that contains the path.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let steps = text
            .strip_prefix('$')
            .ok_or_else(|| format!("{text:?} is not a path"))?;
        let kind = match definite(steps) {
            Some(steps) => Kind::Definite(steps),
            None => JsonPath::parse(text)
                .map(|query| Kind::Query(Box::new(query)))
                .map_err(|error| format!("{text:?} is not a path: {error}"))?,
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The value at a definite path, `None` if there is none; all values of a query, as an array.
    pub(crate) fn find(&self, root: &Value) -> Option<Value> {
        match &self.kind {
            Kind::Definite(steps) => {
                let found = steps.iter().try_fold(root, |value, step| match step {
                    Step::Key(key) => value.as_object()?.get(key),
                    Step::Index(index) => {
                        let items = value.as_array()?;
                        let length = i64::try_from(items.len()).ok()?;
                        let index = if *index < 0 { length + index } else { *index };
                        items.get(usize::try_from(index).ok()?)
                    }
                });
                found.cloned()
            }
            Kind::Query(query) => Some(Value::Array(
                query.query(root).all().into_iter().cloned().collect(),
            )),
        }
    }

    /// The keys of a path that has nothing else.
    pub(crate) fn keys(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Definite(steps) => steps
                .iter()
                .map(|step| match step {
                    Step::Key(key) => Some(key.as_str()),
                    Step::Index(_) => None,
                })
                .collect(),
            Kind::Query(_) => None,
        }
    }

    /// The path as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The steps of a definite path, or `None` if it is a query or no path.
fn definite(mut text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !text.is_empty() {
        let step = if let Some(rest) = text.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            text = rest;
            Some(name)
                .filter(|name| !name.is_empty() && *name != "*")
                .map(|name| Step::Key(name.to_owned()))
        } else {
            let (inside, rest) = bracket(text.strip_prefix('[')?)?;
            text = rest;
            Some(inside)
        };
        steps.push(step?);
    }
    Some(steps)
}

/// Reads up to the closing bracket: a quoted key or an index.
fn bracket(text: &str) -> Option<(Step, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(quote) = quote else {
        let (index, rest) = text.split_once(']')?;
        return Some((Step::Index(index.trim().parse().ok()?), rest));
    };
    let mut key = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => key.push(chars.next()?.1),
            c if c == quote => return Some((Step::Key(key), text[at + 1..].strip_prefix(']')?)),
            c => key.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn find(path: &str) -> Option<Value> {
        let root =
            json!({"a": {"b-c": [1, {"d e": 2}]}, "list": [{"n": 1}, {"n": 2}], "none": null});
        Path::parse(path).unwrap().find(&root)
    }

    #[test]
    fn a_definite_path_finds_one_value_or_nothing() {
        assert_eq!(find("$.a.b-c[0]"), Some(json!(1)));
        assert_eq!(find("$['a'][\"b-c\"][-1]['d e']"), Some(json!(2)));
        assert_eq!(find("$.none"), Some(Value::Null));
        assert_eq!(find("$.a.missing"), None);
        assert_eq!(find("$.list[2]"), None);
        assert!(find("$").unwrap().is_object());
    }

    #[test]
    fn a_query_finds_a_list() {
        assert_eq!(find("$.list[*].n"), Some(json!([1, 2])));
        assert_eq!(find("$..n"), Some(json!([1, 2])));
        assert_eq!(find("$.list[?(@.n > 1)].n"), Some(json!([2])));
        assert_eq!(find("$.list[5:].n"), Some(json!([])));
    }

    #[test]
    fn a_text_that_is_not_a_path_is_refused() {
        for text in ["", "a", "$.", "$.a[", "$[']"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
