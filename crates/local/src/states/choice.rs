//! The rules of a Choice state.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::failure::Failure;
use super::fields::Fields;
use super::path::{Reference, Scope};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    Test { variable: Reference, test: Test },
}

/// What is asked of one variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// Whether it is of a kind, or is not.
    Is(Kind, bool),
    /// Whether it stands in one of these relations to the operand.
    Compare {
        kind: Kind,
        accepted: &'static [Ordering],
        operand: Operand,
    },
    /// Whether it matches a pattern with `*` in it.
    Matches(Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Null,
    Numeric,
    Present,
    String,
    Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Constant(Value),
    Path(Reference),
}

impl Rule {
    /// Reads a rule of `Choices`, and where it leads.
    pub(super) fn parse_choice(value: &Value) -> Result<(Self, String), String> {
        let mut fields = Fields::new(value)?;
        let next = fields.needed("Next")?;
        Ok((Self::parse(fields)?, next))
    }

    fn parse(mut fields: Fields) -> Result<Self, String> {
        let _: Option<String> = fields.maybe("Comment")?;
        let nested = |value: &Value| Self::parse(Fields::new(value)?);
        let rule = if let Some(rules) = fields.maybe::<Vec<Value>>("And")? {
            Self::And(rules.iter().map(nested).collect::<Result<_, _>>()?)
        } else if let Some(rules) = fields.maybe::<Vec<Value>>("Or")? {
            Self::Or(rules.iter().map(nested).collect::<Result<_, _>>()?)
        } else if let Some(rule) = fields.raw("Not") {
            Self::Not(Box::new(nested(&rule)?))
        } else {
            let variable = Reference::parse(&fields.needed::<String>("Variable")?)?;
            let operator = fields
                .names()
                .next()
                .ok_or("a choice has no comparison")?
                .to_owned();
            let operand = fields.raw(&operator).unwrap_or_default();
            Self::Test {
                variable,
                test: Test::parse(&operator, operand)?,
            }
        };
        fields.finish()?;
        Ok(rule)
    }

    /// Whether the condition holds. A variable that is not there fails the execution, except for
    /// `IsPresent`.
    pub(super) fn holds(&self, scope: Scope<'_>) -> Result<bool, Failure> {
        match self {
            Self::And(rules) => all_are(rules, scope, true),
            Self::Or(rules) => all_are(rules, scope, false).map(|none| !none),
            Self::Not(rule) => rule.holds(scope).map(|holds| !holds),
            Self::Test { variable, test } => match (variable.find(scope), test) {
                (found, Test::Is(Kind::Present, wanted)) => Ok(found.is_some() == *wanted),
                (Some(value), test) => test.holds(&value, scope),
                (None, _) => Err(missing(variable)),
            },
        }
    }
}

/// Whether each of `rules` is `wanted`; stops at the first that is not.
fn all_are(rules: &[Rule], scope: Scope<'_>, wanted: bool) -> Result<bool, Failure> {
    for rule in rules {
        if rule.holds(scope)? != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Test {
    fn parse(operator: &str, operand: Value) -> Result<Self, String> {
        let unknown = || format!("the comparison {operator} is not emulated here");
        if let Some(kind) = operator.strip_prefix("Is") {
            let kind = Kind::named(kind).ok_or_else(unknown)?;
            let wanted = operand
                .as_bool()
                .ok_or_else(|| format!("{operator} takes true or false"))?;
            return Ok(Self::Is(kind, wanted));
        }
        let (name, is_path) = operator
            .strip_suffix("Path")
            .map_or((operator, false), |name| (name, true));
        let kinds = [Kind::Boolean, Kind::Numeric, Kind::String, Kind::Timestamp];
        let (kind, relation) = kinds
            .into_iter()
            .find_map(|kind| Some((kind, name.strip_prefix(&format!("{kind:?}"))?)))
            .ok_or_else(unknown)?;
        let operand = match (is_path, operand) {
            (true, Value::String(path)) => Operand::Path(Reference::parse(&path)?),
            (false, constant) if kind.describes(&constant) => Operand::Constant(constant),
            (_, operand) => return Err(format!("{operator} does not take {operand}")),
        };
        let accepted: &[Ordering] = match relation {
            "Equals" => &[Ordering::Equal],
            "LessThan" if kind != Kind::Boolean => &[Ordering::Less],
            "LessThanEquals" if kind != Kind::Boolean => &[Ordering::Less, Ordering::Equal],
            "GreaterThan" if kind != Kind::Boolean => &[Ordering::Greater],
            "GreaterThanEquals" if kind != Kind::Boolean => &[Ordering::Greater, Ordering::Equal],
            "Matches" if kind == Kind::String && !is_path => return Ok(Self::Matches(operand)),
            _ => return Err(unknown()),
        };
        Ok(Self::Compare {
            kind,
            accepted,
            operand,
        })
    }

    fn holds(&self, value: &Value, scope: Scope<'_>) -> Result<bool, Failure> {
        Ok(match self {
            Self::Is(kind, wanted) => kind.describes(value) == *wanted,
            Self::Compare {
                kind,
                accepted,
                operand,
            } => kind
                .compare(value, &operand.value(scope)?)
                .is_some_and(|order| accepted.contains(&order)),
            Self::Matches(operand) => {
                let pattern = operand.value(scope)?;
                value
                    .as_str()
                    .zip(pattern.as_str())
                    .is_some_and(|(text, pattern)| matches(text, pattern))
            }
        })
    }
}

impl Operand {
    fn value(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Path(path) => path.find(scope).ok_or_else(|| missing(path)),
        }
    }
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Boolean" => Self::Boolean,
            "Null" => Self::Null,
            "Numeric" => Self::Numeric,
            "Present" => Self::Present,
            "String" => Self::String,
            "Timestamp" => Self::Timestamp,
            _ => return None,
        })
    }

    fn describes(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Null => value.is_null(),
            Self::Numeric => value.is_number(),
            Self::Present => true,
            Self::String => value.is_string(),
            Self::Timestamp => timestamp(value).is_some(),
        }
    }

    /// How two values of this kind relate; `None` if one is of another kind.
    fn compare(self, a: &Value, b: &Value) -> Option<Ordering> {
        match self {
            Self::Boolean => Some(a.as_bool()?.cmp(&b.as_bool()?)),
            Self::Numeric => compare_numbers(a.as_number()?, b.as_number()?),
            Self::String => Some(a.as_str()?.cmp(b.as_str()?)),
            Self::Timestamp => Some(timestamp(a)?.cmp(&timestamp(b)?)),
            Self::Null | Self::Present => None,
        }
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return Some(a.cmp(&b));
    }
    a.as_f64()?.partial_cmp(&b.as_f64()?)
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn missing(path: &Reference) -> Failure {
    Failure::runtime(format!(
        "Invalid path '{}': the choice refers to a value that is not there",
        path.text()
    ))
}

/// Whether `text` is `pattern`, in which `*` is any text and a backslash takes the next character
/// as it is.
fn matches(text: &str, pattern: &str) -> bool {
    let mut chars = pattern.chars();
    match chars.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = chars.as_str();
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| matches(&text[at..], rest))
        }
        Some('\\') => match chars.next() {
            None => false,
            Some(c) => text
                .strip_prefix(c)
                .is_some_and(|text| matches(text, chars.as_str())),
        },
        Some(c) => text
            .strip_prefix(c)
            .is_some_and(|text| matches(text, chars.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(mut rule: Value) -> Result<bool, String> {
        rule["Next"] = "Next".into();
        let input = json!({
            "n": 2, "half": 0.5, "text": "abc", "yes": true, "none": null, "other": 3,
            "at": "2026-01-02T03:04:05Z",
        });
        let (rule, _) = Rule::parse_choice(&rule)?;
        rule.holds(Scope {
            input: &input,
            context: &Value::Null,
        })
        .map_err(|failure| failure.error)
    }

    #[test]
    fn each_comparison_has_its_documented_result() {
        let cases = [
            (json!({"Variable": "$.n", "NumericEquals": 2}), true),
            (json!({"Variable": "$.n", "NumericEquals": 2.0}), true),
            (json!({"Variable": "$.half", "NumericLessThan": 1}), true),
            (
                json!({"Variable": "$.n", "NumericGreaterThanEquals": 3}),
                false,
            ),
            (
                json!({"Variable": "$.n", "NumericLessThanPath": "$.other"}),
                true,
            ),
            (json!({"Variable": "$.text", "NumericEquals": 2}), false),
            (json!({"Variable": "$.text", "StringEquals": "abc"}), true),
            (
                json!({"Variable": "$.text", "StringGreaterThan": "abb"}),
                true,
            ),
            (json!({"Variable": "$.text", "StringMatches": "a*c"}), true),
            (
                json!({"Variable": "$.text", "StringMatches": "a\\*c"}),
                false,
            ),
            (json!({"Variable": "$.yes", "BooleanEquals": true}), true),
            (
                json!({"Variable": "$.at", "TimestampLessThan": "2026-01-02T04:04:05+00:00"}),
                true,
            ),
            (json!({"Variable": "$.none", "IsNull": true}), true),
            (json!({"Variable": "$.missing", "IsPresent": false}), true),
            (json!({"Variable": "$.n", "IsPresent": true}), true),
            (json!({"Variable": "$.n", "IsString": true}), false),
            (json!({"Variable": "$.at", "IsTimestamp": true}), true),
            (
                json!({"Not": {"Variable": "$.yes", "IsBoolean": true}}),
                false,
            ),
        ];
        for (rule, expected) in cases {
            assert_eq!(holds(rule.clone()), Ok(expected), "{rule}");
        }
    }

    #[test]
    fn conditions_stop_where_the_outcome_is_known() {
        let present = json!({"Variable": "$.missing", "IsPresent": true});
        let equals = json!({"Variable": "$.missing", "NumericEquals": 1});
        assert_eq!(holds(json!({"And": [present, equals]})), Ok(false));
        assert_eq!(holds(json!({"Or": [{"Not": present}, equals]})), Ok(true));
        assert_eq!(holds(equals), Err("States.Runtime".to_owned()));
    }

    #[test]
    fn an_unknown_comparison_is_refused_by_name() {
        for operator in [
            "StringLike",
            "NumericMatches",
            "BooleanLessThan",
            "IsOdd",
            "Condition",
        ] {
            let fault = holds(json!({"Variable": "$.n", operator: true})).unwrap_err();
            assert!(fault.contains(operator), "{fault}");
        }
        assert!(
            holds(json!({"Variable": "$.n", "NumericEquals": 1, "StringEquals": "a"})).is_err()
        );
    }
}
