//! Decides how a rule may change.

use super::model::{Draft, Rule, RuleError, RuleName};
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// Who changes a rule, and when.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// The admin who changes it.
    pub author: CustomerId,
    /// The current time.
    pub now: Time,
}

/// The result of setting a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The rule is new.
    Made(Rule),
    /// The rule has changed.
    Changed(Rule),
    /// The rule has this content already, perhaps because this request was made before and its
    /// response was lost.
    Unchanged,
}

/// Returns the rule `name` with the content `draft`, as the next version of `stored`. A new rule goes
/// on from `removed`, the version of the last removed rule of this name.
///
/// # Errors
/// [`RuleError::BuiltIn`] for the name of a built-in rule; [`RuleError::Unconditional`] if the rule
/// exists and `expected` is `None`; [`RuleError::Stale`] if `expected` is another version.
pub fn set(
    name: RuleName,
    stored: Option<&Rule>,
    removed: u64,
    draft: Draft,
    expected: Option<&IfMatch>,
    edit: Edit,
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
            event: stamp(&name, version, "RuleSet", edit.now),
            name,
            draft,
            version,
            author: edit.author,
            created_at: edit.now,
            updated_at: edit.now,
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
    let updated_at = edit.now.no_earlier_than(stored.updated_at);
    Ok(Next::Changed(Rule {
        event: stamp(&name, version, "RuleSet", updated_at),
        name,
        draft,
        version,
        author: edit.author,
        created_at: stored.created_at,
        updated_at,
    }))
}

/// Returns the event of the removal of `stored`.
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

/// Returns the entity tag of a rule, which is its version.
#[must_use]
pub fn tag(rule: &Rule) -> String {
    rule.version.to_string()
}

/// Returns the aggregate id of the rule `name`, for its events.
pub(super) fn aggregate(name: &RuleName) -> String {
    format!("rule#{name}")
}

fn stamp(name: &RuleName, version: u64, event_type: &str, at: Time) -> Stamp {
    Stamp::new(aggregate(name), version, event_type, at)
}
