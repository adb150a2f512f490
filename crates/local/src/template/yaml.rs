//! YAML with CloudFormation's short tags, as JSON with the long names.

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use super::error::Refused;

/// Parses a template: `!Sub x` becomes `{"Fn::Sub": "x"}`.
pub(super) fn parse(text: &str) -> Result<Value, Refused> {
    let yaml = serde_yaml_ng::from_str(text)
        .map_err(|error| Refused::new("", format!("not YAML: {error}")))?;
    json(yaml)
}

fn json(yaml: Yaml) -> Result<Value, Refused> {
    match yaml {
        Yaml::Null => Ok(Value::Null),
        Yaml::Bool(flag) => Ok(flag.into()),
        Yaml::Number(number) => serde_json::to_value(&number)
            .map_err(|error| Refused::new("", format!("number {number}: {error}"))),
        Yaml::String(text) => Ok(text.into()),
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Mapping(entries) => entries
            .into_iter()
            .map(|(key, value)| Ok((key_text(&key)?, json(value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            intrinsic(tag.trim_start_matches('!'), json(tagged.value)?)
        }
    }
}

fn key_text(key: &Yaml) -> Result<String, Refused> {
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(flag) => Ok(flag.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => {
            Err(Refused::new("", format!("{key:?} is not a key")))
        }
    }
}

fn intrinsic(tag: &str, value: Value) -> Result<Value, Refused> {
    let (name, value) = match (tag, value) {
        ("Ref" | "Condition", value) => (tag.to_owned(), value),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').ok_or_else(|| {
                Refused::new("", format!("!GetAtt {path}: expected Resource.Attribute"))
            })?;
            ("Fn::GetAtt".to_owned(), vec![resource, attribute].into())
        }
        (_, value) => (format!("Fn::{tag}"), value),
    };
    Ok(Value::Object(Map::from_iter([(name, value)])))
}
