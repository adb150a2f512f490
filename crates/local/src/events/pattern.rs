//! Event patterns: checked for what EventBridge itself does not know, and matched by `quamina`.

use quamina::Quamina;
use serde_json::Value;

/// What EventBridge can ask of a value ("Comparison operators for use in event patterns").
const OPERATORS: [&str; 8] = [
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
];

/// Adds a rule's pattern to the matcher of its bus.
pub(super) fn add(matcher: &mut Quamina, rule: &str, pattern: &Value) -> Result<(), String> {
    check(pattern)?;
    matcher
        .add_pattern(rule.to_owned(), &pattern.to_string())
        .map_err(|error| error.to_string())
}

/// Refuses what an emulator might take and EventBridge would not, and what is not emulated.
pub(crate) fn check(pattern: &Value) -> Result<(), String> {
    let fields = pattern
        .as_object()
        .ok_or_else(|| format!("{pattern} is not a pattern"))?;
    for (name, value) in fields {
        match value {
            _ if name == "$or" => return Err("$or is not emulated".to_owned()),
            Value::Object(_) => check(value)?,
            Value::Array(accepted) if accepted.is_empty() => {
                return Err(format!("{name} accepts nothing"));
            }
            Value::Array(accepted) => {
                let mut operators = accepted
                    .iter()
                    .filter_map(Value::as_object)
                    .flat_map(|object| object.keys());
                if let Some(unknown) =
                    operators.find(|operator| !OPERATORS.contains(&operator.as_str()))
                {
                    return Err(format!("{name}: the operator {unknown} is not emulated"));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(format!("{name}: a pattern has a list of accepted values"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(pattern: &Value, event: &Value) -> bool {
        let mut matcher = Quamina::new();
        add(&mut matcher, "rule", pattern).unwrap();
        matcher.has_matches(event.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn patterns_match_as_eventbridge_does() {
        let event = json!({
            "source": "oxcart.orders", "detail-type": "OrderFailed",
            "detail": {"data": {"total": 12.5, "tags": ["a", "b"], "name": null}},
        });
        for (pattern, expected) in [
            (
                json!({"source": ["oxcart.orders"], "detail-type": ["OrderFailed", "OrderCancelled"]}),
                true,
            ),
            (
                json!({"source": ["oxcart.orders"], "detail-type": ["OrderCreated"]}),
                false,
            ),
            (json!({"source": [{"prefix": "oxcart."}]}), true),
            (json!({"source": [{"suffix": ".payments"}]}), false),
            (
                json!({"source": [{"anything-but": ["oxcart.payments"]}]}),
                true,
            ),
            (
                json!({"detail": {"data": {"total": [{"numeric": [">", 10, "<", 20]}]}}}),
                true,
            ),
            (json!({"detail": {"data": {"tags": ["b"]}}}), true),
            (json!({"detail": {"data": {"name": [null]}}}), true),
            (
                json!({"detail": {"data": {"other": [{"exists": false}]}}}),
                true,
            ),
            (
                json!({"detail": {"data": {"other": [{"exists": true}]}}}),
                false,
            ),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn what_eventbridge_does_not_know_is_refused() {
        for (pattern, named) in [
            (json!({"source": "oxcart"}), "source"),
            (json!({"source": []}), "source"),
            (json!({"source": [{"regexp": "a.*"}]}), "regexp"),
            (json!({"$or": [{"source": ["a"]}]}), "$or"),
            (json!([]), "not a pattern"),
        ] {
            let fault = add(&mut Quamina::new(), "rule", &pattern).unwrap_err();
            assert!(fault.contains(named), "{fault}");
        }
    }
}
