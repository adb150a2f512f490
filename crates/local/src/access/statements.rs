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
        let action = permission.action.to_lowercase();
        let on = |pattern: &String| matches(pattern.as_bytes(), permission.resource.as_bytes());
        let does = |pattern: &String| matches(pattern.to_lowercase().as_bytes(), action.as_bytes());
        self.actions.iter().any(does) && self.resources.iter().any(on)
    }
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => matches(rest, text),
        (Some((b'*', rest)), Some((_, further))) => {
            matches(rest, text) || matches(pattern, further)
        }
        (Some((b'?', rest)), Some((_, further))) => matches(rest, further),
        (Some((one, rest)), Some((other, further))) => one == other && matches(rest, further),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
