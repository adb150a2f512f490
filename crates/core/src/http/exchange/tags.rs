//! Entity tags and the conditions that requests make of them (RFC 9110 sections 8.8.3 and 13.1).

use http::{HeaderMap, HeaderName};

/// What a request says about the state of a resource: `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any state.
    Any,
    /// One of these.
    List(Vec<EntityTag>),
}

/// An entity tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag {
    /// Whether it says only that two states are as good as the same.
    pub weak: bool,
    /// What stands between the quotes.
    pub tag: String,
}

/// A header is not a list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTags;

impl Tags {
    /// Reads all lines of the header `name`; `None` if there is none.
    ///
    /// # Errors
    /// [`InvalidTags`].
    pub fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, InvalidTags> {
        let lines = headers.get_all(name).iter();
        let lines: Vec<&str> = lines
            .map(|line| line.to_str().map(str::trim))
            .collect::<Result<_, _>>()
            .map_err(|_| InvalidTags)?;
        match lines.as_slice() {
            [] => Ok(None),
            ["*"] => Ok(Some(Self::Any)),
            lines => {
                let mut tags = Vec::new();
                for line in lines {
                    entity_tags(line, &mut tags).ok_or(InvalidTags)?;
                }
                Ok(Some(Self::List(tags)))
            }
        }
    }

    /// Returns whether `tag` is one of these by the weak comparison, as `If-None-Match` wants it.
    #[must_use]
    pub fn match_weakly(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|given| given.tag == tag),
        }
    }
}

/// Adds the entity tags of `line` to `tags`. Between the quotes there may be commas. Empty elements of the list are
/// skipped (RFC 9110 section 5.6.1).
fn entity_tags(line: &str, tags: &mut Vec<EntityTag>) -> Option<()> {
    let mut rest = line.trim_start_matches([',', ' ', '\t']);
    while !rest.is_empty() {
        let weak = rest.starts_with("W/");
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, after) = quoted.split_once('"')?;
        let visible = |c: char| c == '!' || ('#'..='~').contains(&c) || !c.is_ascii();
        if !tag.chars().all(visible) {
            return None;
        }
        tags.push(EntityTag {
            weak,
            tag: tag.to_owned(),
        });
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return None;
        }
        rest = after.trim_start_matches([',', ' ', '\t']);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use http::header::IF_MATCH;

    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Tags>, InvalidTags> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, line.parse().unwrap());
        }
        Tags::read(&headers, &IF_MATCH)
    }

    fn shown(lines: &[&str]) -> String {
        match read(lines) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(Tags::Any)) => "any".to_owned(),
            Ok(Some(Tags::List(tags))) => {
                let tags = tags.iter();
                let tags =
                    tags.map(|tag| format!("{}{}", if tag.weak { "W/" } else { "" }, tag.tag));
                tags.collect::<Vec<String>>().join(" ")
            }
            Err(InvalidTags) => "invalid".to_owned(),
        }
    }

    #[test]
    fn lists_of_entity_tags_are_read_as_rfc_9110_writes_them() {
        for (lines, expected) in [
            (&[][..], "nothing"),
            (&["*"], "any"),
            (&["\"a\""], "a"),
            (&[" \"a\" , W/\"b\",\"c,d\""], "a W/b c,d"),
            (&["\"a\"", "\"b\""], "a b"),
            (&[", ,\"a\",,"], "a"),
            (&["\"\""], ""),
            (&["a"], "invalid"),
            (&["\"a"], "invalid"),
            (&["\"a\" \"b\""], "invalid"),
            (&["w/\"a\""], "invalid"),
            (&["\"a b\""], "invalid"),
            (&["*", "\"a\""], "invalid"),
        ] {
            assert_eq!(shown(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_weak_tag_is_the_same_by_the_weak_comparison() {
        let tags = read(&["W/\"1\", \"2\""]).unwrap().unwrap();
        let found = ["1", "2", "3"].map(|tag| tags.match_weakly(tag));
        assert_eq!(found, [true, true, false]);
        assert!(Tags::Any.match_weakly("1"));
    }
}
