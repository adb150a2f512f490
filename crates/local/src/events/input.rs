//! What a target is given of an event.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::jsonpath::Path;
use crate::model::TargetInput;

/// A target's input, read when the rule is loaded.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Event,
    Path(Path),
    Constant(Value),
    Transformer {
        paths: BTreeMap<String, Path>,
        parts: Vec<Part>,
    },
}

/// A part of an input template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// `<name>`, inside a JSON string or not.
    Variable {
        name: String,
        in_string: bool,
    },
}

/// What a template may refer to beside the event.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleContext<'a> {
    pub(super) rule_arn: &'a str,
    pub(super) rule_name: &'a str,
    pub(super) ingested_at: &'a str,
}

const RESERVED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

impl Input {
    pub(super) fn parse(input: &TargetInput) -> Result<Self, String> {
        match input {
            TargetInput::Event => Ok(Self::Event),
            TargetInput::Path(path) => Path::parse(path).map(Self::Path),
            TargetInput::Constant(value) => Ok(Self::Constant(value.clone())),
            TargetInput::Transformer { paths, template } => {
                let paths = paths
                    .iter()
                    .map(|(name, path)| Ok((name.clone(), Path::parse(path)?)));
                let paths = paths.collect::<Result<BTreeMap<_, _>, String>>()?;
                let parts = parts(template);
                let unknown = parts.iter().find_map(|part| match part {
                    Part::Variable { name, .. }
                        if !paths.contains_key(name) && !RESERVED.contains(&name.as_str()) =>
                    {
                        Some(name)
                    }
                    Part::Variable { .. } | Part::Text(_) => None,
                });
                if let Some(unknown) = unknown {
                    return Err(format!(
                        "the input template uses <{unknown}>, which has no path"
                    ));
                }
                let sample = fill(&parts, |_| Some(Value::Null));
                if serde_json::from_str::<Value>(&sample).is_err() {
                    return Err(format!("the input template makes no JSON: {template}"));
                }
                Ok(Self::Transformer { paths, parts })
            }
        }
    }

    /// The input for one event. A path to nothing gives `null`.
    pub(super) fn build(&self, event: &Value, facts: RuleContext<'_>) -> Result<Value, String> {
        match self {
            Self::Event => Ok(event.clone()),
            Self::Path(path) => Ok(path.find(event).unwrap_or_default()),
            Self::Constant(value) => Ok(value.clone()),
            Self::Transformer { paths, parts } => {
                let text = fill(parts, |name| match name {
                    "aws.events.rule-arn" => Some(facts.rule_arn.into()),
                    "aws.events.rule-name" => Some(facts.rule_name.into()),
                    "aws.events.event.ingestion-time" => Some(facts.ingested_at.into()),
                    "aws.events.event" | "aws.events.event.json" => Some(event.clone()),
                    name => paths.get(name)?.find(event),
                });
                serde_json::from_str(&text).map_err(|error| error.to_string())
            }
        }
    }
}

/// Splits a template at its variables.
fn parts(template: &str) -> Vec<Part> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let name = rest
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .map(|(name, _)| name);
        if let Some(name) = name.filter(|name| !name.is_empty() && name.chars().all(is_name)) {
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Variable {
                name: name.to_owned(),
                in_string,
            });
            rest = &rest[name.len() + 2..];
            continue;
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == '\\' && !escaped;
        text.push(c);
        rest = &rest[c.len_utf8()..];
    }
    parts.push(Part::Text(text));
    parts
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Puts values in the places of variables: as JSON, or inside a string as text. What has no value
/// is `null`, or nothing.
fn fill(parts: &[Part], value: impl Fn(&str) -> Option<Value>) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Variable {
                name,
                in_string: false,
            } => text.push_str(&value(name).unwrap_or_default().to_string()),
            Part::Variable {
                name,
                in_string: true,
            } => {
                let value = match value(name) {
                    None => String::new(),
                    Some(value) => value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned),
                };
                let quoted = Value::String(value).to_string();
                text.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FACTS: RuleContext<'static> = RuleContext {
        rule_arn: "arn:rule",
        rule_name: "rule",
        ingested_at: "now",
    };

    fn transform(paths: &[(&str, &str)], template: &str) -> Result<Value, String> {
        let paths = paths
            .iter()
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()))
            .collect();
        let input = TargetInput::Transformer {
            paths,
            template: template.to_owned(),
        };
        let event = json!({"detail-type": "T", "detail": {"id": "a\"b", "n": 2, "o": {"x": 1}}});
        Input::parse(&input)?.build(&event, FACTS)
    }

    #[test]
    fn a_transformer_fills_its_template() {
        let paths = [
            ("id", "$.detail.id"),
            ("n", "$.detail.n"),
            ("o", "$.detail.o"),
            ("none", "$.detail.none"),
        ];
        for (template, expected) in [
            (
                r#"{"id":<id>,"n":<n>,"o":<o>,"none":<none>}"#,
                json!({"id": "a\"b", "n": 2, "o": {"x": 1}, "none": null}),
            ),
            (r#""order <id> of <n><none>""#, json!("order a\"b of 2")),
            (
                r#"{"rule": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>}"#,
                json!({"rule": "rule", "at": "now"}),
            ),
            (r#"{"escaped": "\"<n>\""}"#, json!({"escaped": "\"2\""})),
            (r#"{"type": <t>}"#, json!({"type": "T"})),
        ] {
            let mut paths = paths.to_vec();
            paths.push(("t", "$.detail-type"));
            assert_eq!(transform(&paths, template), Ok(expected), "{template}");
        }
        let whole = transform(&[], r#"{"event": <aws.events.event.json>}"#).unwrap();
        assert_eq!(whole["event"]["detail"]["n"], 2);
    }

    #[test]
    fn a_template_that_cannot_work_is_refused() {
        assert!(
            transform(&[], r#"{"id":<id>}"#)
                .unwrap_err()
                .contains("<id>")
        );
        assert!(transform(&[("id", "$.id")], "order <id>").is_err());
        assert!(transform(&[("id", "nowhere")], r#"{"id":<id>}"#).is_err());
    }

    #[test]
    fn the_other_inputs_are_the_event_a_part_of_it_or_a_constant() {
        let event = json!({"detail": {"a": 1}});
        let of = |input| Input::parse(&input).unwrap().build(&event, FACTS).unwrap();
        assert_eq!(of(TargetInput::Event), event);
        assert_eq!(
            of(TargetInput::Path("$.detail".to_owned())),
            json!({"a": 1})
        );
        assert_eq!(of(TargetInput::Constant(json!("x"))), "x");
    }
}
