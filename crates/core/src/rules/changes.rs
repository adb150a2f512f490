//! What may happen to a rule: pure decisions.

use super::model::{Draft, Rule, RuleError, RuleName};
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// Who changes a rule, and when.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// The admin.
    pub author: CustomerId,
    /// Now.
    pub now: Time,
}

/// What becomes of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is new.
    Made(Rule),
    /// It is another.
    Changed(Rule),
    /// It says that already, perhaps by this very request, whose answer was lost.
    Unchanged,
}

/// The rule `name` as `draft` says, after `stored`; of one that is new, `removed` is the version of
/// the one that once had the name.
///
/// # Errors
/// [`RuleError::BuiltIn`]; [`RuleError::Unconditional`] if there is one and `expected` says nothing;
/// [`RuleError::Stale`] if it expects another.
pub fn set(
    name: RuleName,
    stored: Option<&Rule>,
    removed: u64,
    draft: Draft,
    expected: Option<&IfMatch>,
    by: By,
) -> Result<Next, RuleError> {
    if name.is_built_in() {
        return Err(RuleError::BuiltIn(name));
    }
    let Some(stored) = stored else {
        if matches!(expected, Some(IfMatch::Tags(_))) {
            return Err(RuleError::Stale);
        }
        let version = removed + 1;
        return Ok(Next::Made(Rule {
            event: stamp(&name, version, "RuleSet", by.now),
            name,
            draft,
            version,
            author: by.author,
            created_at: by.now,
            updated_at: by.now,
        }));
    };
    let expected = expected.ok_or(RuleError::Unconditional)?;
    if stored.draft == draft {
        return Ok(Next::Unchanged);
    }
    if !expected.allows(&tag(stored)) {
        return Err(RuleError::Stale);
    }
    let version = stored.version + 1;
    let updated_at = by.now.no_earlier_than(stored.updated_at);
    Ok(Next::Changed(Rule {
        event: stamp(&name, version, "RuleSet", updated_at),
        name,
        draft,
        version,
        author: by.author,
        created_at: stored.created_at,
        updated_at,
    }))
}

/// The event of the removal of `stored`.
///
/// # Errors
/// [`RuleError::Stale`] if `expected` is another version.
pub fn remove(stored: &Rule, expected: &IfMatch, now: Time) -> Result<Stamp, RuleError> {
    if !expected.allows(&tag(stored)) {
        return Err(RuleError::Stale);
    }
    let at = now.no_earlier_than(stored.updated_at);
    Ok(stamp(&stored.name, stored.version + 1, "RuleRemoved", at))
}

/// The entity tag of a rule: its version.
#[must_use]
pub fn tag(rule: &Rule) -> String {
    rule.version.to_string()
}

/// What events call the rule `name`.
pub(super) fn aggregate(name: &RuleName) -> String {
    format!("rule#{name}")
}

fn stamp(name: &RuleName, version: u64, event_type: &str, at: Time) -> Stamp {
    Stamp::new(aggregate(name), version, event_type, at)
}
