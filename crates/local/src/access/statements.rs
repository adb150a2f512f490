//! What statements allow, as IAM matches actions and resources.

use crate::model::{Permission, Statement};

/// Whether any of the statements allows it.
#[must_use]
pub fn allow(statements: &[Statement], permission: &Permission) -> bool {
    statements
        .iter()
        .any(|statement| statement.allows(permission))
}

impl Statement {
    /// Whether this statement alone allows it. The case of actions does not count.
    #[must_use]
    pub fn allows(&self, permission: &Permission) -> bool {
        let Permission { action, resource } = permission;
        let does = |pattern: &String| {
            pattern.eq_ignore_ascii_case(action)
                || (has_wildcard(pattern)
                    && matches(
                        pattern.to_lowercase().as_bytes(),
                        action.to_lowercase().as_bytes(),
                    ))
        };
        let on = |pattern: &String| like(pattern, resource);
        self.actions.iter().any(does) && self.resources.iter().any(on)
    }
}

/// Whether `text` is what `pattern` says.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    pattern == text || (has_wildcard(pattern) && matches(pattern.as_bytes(), text.as_bytes()))
}

/// Most patterns have none: then they are compared at once. Every call of a function is checked
/// against all of its statements.
fn has_wildcard(pattern: &str) -> bool {
    pattern.as_bytes().contains(&b'*') || pattern.as_bytes().contains(&b'?')
}

/// Whether `text` is what `pattern` says: `*` stands for any characters, `?` for any one.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let is_wildcard = |byte: &u8| matches!(byte, b'*' | b'?');
    let wildcard = pattern.iter().position(is_wildcard);
    let (literal, pattern) = pattern.split_at(wildcard.unwrap_or(pattern.len()));
    let Some(text) = text.strip_prefix(literal) else {
        return false;
    };
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some((b'*', rest)), None) => matches(rest, text),
        (Some((b'*', rest)), Some((_, further))) => {
            matches(rest, text) || matches(pattern, further)
        }
        (Some(_), None) => false,
        (Some((_, rest)), Some((_, further))) => matches(rest, further),
    }
}
