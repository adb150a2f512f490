//! Parameters, conditions and intrinsic functions.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Refused;
use super::reader::scalar;
use crate::arn::Arns;
use crate::model::ACCOUNT;

/// Where the stack stands: what the template's references to its surroundings resolve to.
#[derive(Clone, Debug)]
pub struct Places {
    /// The region (`AWS::Region`).
    pub region: String,
    /// The stack's name (`AWS::StackName`), which the names of its resources begin with.
    pub stack_name: String,
    /// Where the AWS APIs are served, as in `http://127.0.0.1:4566`: queue URLs begin with it.
    pub endpoint: String,
    /// Where the HTTP API is served.
    pub shop: String,
}

/// Resolves the intrinsics of one template.
pub(super) struct Resolver<'a> {
    pub(super) places: &'a Places,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) conditions: &'a Map<String, Value>,
    pub(super) mappings: &'a Map<String, Value>,
    pub(super) resources: &'a Map<String, Value>,
    pub(super) arns: Arns,
}

/// References this deep are a circle.
const DEPTH: usize = 64;

/// Where a value stands, and how deep in references.
#[derive(Clone, Copy)]
pub(super) struct Location<'a> {
    pub(super) path: &'a str,
    depth: usize,
}

impl<'a> Location<'a> {
    pub(super) fn new(path: &'a str) -> Self {
        Self { path, depth: 0 }
    }

    /// One reference further.
    pub(super) fn deeper(self) -> Result<Self, Refused> {
        if self.depth >= DEPTH {
            return Err(self.refuse("refers to itself"));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    pub(super) fn refuse(self, problem: impl Into<String>) -> Refused {
        Refused::new(self.path, problem)
    }
}

impl Resolver<'_> {
    /// The value with all intrinsics resolved; `None` for `AWS::NoValue`.
    pub(super) fn resolve(
        &self,
        value: &Value,
        at: Location<'_>,
    ) -> Result<Option<Value>, Refused> {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(Some(value.clone()))
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().filter_map(|(n, item)| {
                    let path = format!("{}[{n}]", at.path);
                    self.resolve(item, Location { path: &path, ..at })
                        .transpose()
                });
                items
                    .collect::<Result<Vec<_>, _>>()
                    .map(|items| Some(items.into()))
            }
            Value::Object(map) => match intrinsic(map) {
                Some((name, argument)) => self.call(name, argument, at.deeper()?),
                None => self.resolve_map(map, at).map(|map| Some(map.into())),
            },
        }
    }

    fn resolve_map(
        &self,
        map: &Map<String, Value>,
        at: Location<'_>,
    ) -> Result<Map<String, Value>, Refused> {
        let mut resolved = Map::new();
        for (key, value) in map {
            let path = format!("{}.{key}", at.path);
            if let Some(value) = self.resolve(value, Location { path: &path, ..at })? {
                resolved.insert(key.clone(), value);
            }
        }
        Ok(resolved)
    }

    fn call(
        &self,
        name: &str,
        argument: &Value,
        at: Location<'_>,
    ) -> Result<Option<Value>, Refused> {
        match name {
            "Ref" => {
                let target = argument
                    .as_str()
                    .ok_or_else(|| at.refuse("Ref expects a name"))?;
                self.reference(target, at)
            }
            "Fn::GetAtt" => self.get_att(argument, at).map(Some),
            "Fn::Sub" => self.sub(argument, at).map(|text| Some(text.into())),
            "Fn::If" => self.choose(argument, at),
            "Fn::Join" => self.join(argument, at).map(|text| Some(text.into())),
            "Fn::Select" => self.select(argument, at),
            "Fn::Split" => self.split(argument, at).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument, at),
            _ => Err(at.refuse(format!("intrinsic {name} is not emulated locally"))),
        }
    }

    /// The value of `Ref`.
    pub(super) fn reference(
        &self,
        target: &str,
        at: Location<'_>,
    ) -> Result<Option<Value>, Refused> {
        if let Some(value) = self.parameters.get(target) {
            return Ok(Some(value.clone()));
        }
        let pseudo = match target {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => &self.places.region,
            "AWS::AccountId" => ACCOUNT,
            "AWS::StackName" => &self.places.stack_name,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            _ if target.starts_with("AWS::") => {
                return Err(at.refuse(format!("{target} is not emulated locally")));
            }
            _ => {
                return self
                    .resource_reference(target, at)
                    .map(|name| Some(name.into()));
            }
        };
        Ok(Some(pseudo.into()))
    }

    fn get_att(&self, argument: &Value, at: Location<'_>) -> Result<Value, Refused> {
        let parts: Option<Vec<&str>> = match argument {
            Value::Array(parts) => parts.iter().map(Value::as_str).collect(),
            Value::String(path) => path.split_once('.').map(|(id, name)| vec![id, name]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        };
        let Some([id, attribute]) = parts.as_deref() else {
            return Err(at.refuse("Fn::GetAtt expects a resource and an attribute"));
        };
        self.attribute(id, attribute, at).map(Value::String)
    }

    fn sub(&self, argument: &Value, at: Location<'_>) -> Result<String, Refused> {
        let wrong = || at.refuse("Fn::Sub expects a string, or a string and a map");
        let (template, own) = match argument {
            Value::String(template) => (template, Map::new()),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(template), Value::Object(own)] => {
                    (template, self.resolve_map(own, at)?)
                }
                _ => return Err(wrong()),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(wrong());
            }
        };
        let mut filled = String::new();
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| at.refuse("Fn::Sub: ${ without }"))?;
            filled.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                filled.extend(["${", literal, "}"]);
                continue;
            }
            let value = match (own.get(name), name.split_once('.')) {
                (Some(value), _) => Some(value.clone()),
                (None, Some((id, attribute))) => Some(self.attribute(id, attribute, at)?.into()),
                (None, None) => self.reference(name, at)?,
            };
            let text = value.as_ref().and_then(scalar);
            let problem = || at.refuse(format!("Fn::Sub: ${{{name}}} is not a string"));
            filled.push_str(&text.ok_or_else(problem)?);
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn choose(&self, argument: &Value, at: Location<'_>) -> Result<Option<Value>, Refused> {
        match argument.as_array().map(Vec::as_slice) {
            Some([Value::String(condition), yes, no]) => {
                let chosen = if self.condition(condition, at)? {
                    yes
                } else {
                    no
                };
                self.resolve(chosen, at)
            }
            _ => Err(at.refuse("Fn::If expects a condition and two values")),
        }
    }

    fn join(&self, argument: &Value, at: Location<'_>) -> Result<String, Refused> {
        let wrong = || at.refuse("Fn::Join expects a delimiter and a list of strings");
        let Some([Value::String(delimiter), items]) = argument.as_array().map(Vec::as_slice) else {
            return Err(wrong());
        };
        let items = self.resolve(items, at)?;
        let items = items.as_ref().and_then(Value::as_array).ok_or_else(wrong)?;
        let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
        Ok(texts.ok_or_else(wrong)?.join(delimiter))
    }

    fn select(&self, argument: &Value, at: Location<'_>) -> Result<Option<Value>, Refused> {
        let wrong = || at.refuse("Fn::Select expects an index and a list that has it");
        let Some([index, items]) = argument.as_array().map(Vec::as_slice) else {
            return Err(wrong());
        };
        let index = self.resolve(index, at)?.as_ref().and_then(scalar);
        let index: usize = index
            .and_then(|index| index.parse().ok())
            .ok_or_else(wrong)?;
        let items = self.resolve(items, at)?;
        let item = items
            .as_ref()
            .and_then(|items| items.get(index))
            .ok_or_else(wrong)?;
        Ok(Some(item.clone()))
    }

    fn split(&self, argument: &Value, at: Location<'_>) -> Result<Value, Refused> {
        let wrong = || at.refuse("Fn::Split expects a delimiter and a string");
        let Some([Value::String(delimiter), text]) = argument.as_array().map(Vec::as_slice) else {
            return Err(wrong());
        };
        let text = self
            .resolve(text, at)?
            .as_ref()
            .and_then(scalar)
            .ok_or_else(wrong)?;
        Ok(text.split(delimiter.as_str()).map(Value::from).collect())
    }

    fn find_in_map(&self, argument: &Value, at: Location<'_>) -> Result<Option<Value>, Refused> {
        let keys = self.resolve(argument, at)?;
        let keys: Option<Vec<String>> = keys
            .as_ref()
            .and_then(Value::as_array)
            .and_then(|keys| keys.iter().map(scalar).collect());
        let Some([map, first, second]) = keys.as_deref() else {
            return Err(at.refuse("Fn::FindInMap expects a map and two keys"));
        };
        let found = self
            .mappings
            .get(map)
            .and_then(|map| map.get(first)?.get(second));
        let problem = || at.refuse(format!("Fn::FindInMap: no {map}.{first}.{second}"));
        found.cloned().ok_or_else(problem).map(Some)
    }

    /// Whether a condition holds.
    pub(super) fn condition(&self, name: &str, at: Location<'_>) -> Result<bool, Refused> {
        let problem = || at.refuse(format!("there is no condition {name}"));
        self.holds(self.conditions.get(name).ok_or_else(problem)?, at.deeper()?)
    }

    fn holds(&self, condition: &Value, at: Location<'_>) -> Result<bool, Refused> {
        let call = condition.as_object().filter(|map| map.len() == 1);
        let Some((name, argument)) = call.and_then(|map| map.iter().next()) else {
            return Err(at.refuse("expected a condition"));
        };
        let arguments = argument.as_array().map(Vec::as_slice);
        let at = at.deeper()?;
        match (name.as_str(), arguments) {
            ("Condition", None) => self.condition(argument.as_str().unwrap_or_default(), at),
            ("Fn::Equals", Some([one, other])) => {
                let text = |value| Ok(self.resolve(value, at)?.as_ref().and_then(scalar));
                Ok(text(one)? == text(other)?)
            }
            ("Fn::Not", Some([condition])) => Ok(!self.holds(condition, at)?),
            ("Fn::And", Some(conditions)) => conditions
                .iter()
                .try_fold(true, |all, one| Ok(all & self.holds(one, at)?)),
            ("Fn::Or", Some(conditions)) => conditions
                .iter()
                .try_fold(false, |any, one| Ok(any | self.holds(one, at)?)),
            _ => Err(at.refuse(format!("condition {name} is not emulated locally"))),
        }
    }
}

/// A map with one key that is the name of an intrinsic function.
pub(super) fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}
