//! Expressions and payload templates: what computes JSON from a state's input and the context
//! object.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::fields::Fields;
use super::intrinsic::Call;
use super::path::{Reference, Scope};
use crate::jsonpath::Path;

/// A path or a call of an intrinsic function.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Path(Reference),
    Call(Call),
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("States.") {
            Call::parse(text).map(Self::Call)
        } else {
            Reference::parse(text).map(Self::Path)
        }
    }

    /// The value; or `States.Runtime`, as Step Functions records it for a path to nothing, which nothing retries or
    /// catches; or `States.IntrinsicFailure`.
    pub(super) fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Path(path) => path.find(scope).ok_or_else(|| {
                let cause = format!(
                    "The JSONPath '{}' could not be found in the input",
                    path.text()
                );
                Failure::runtime(cause)
            }),
            Self::Call(call) => call.evaluate(scope),
        }
    }
}

/// JSON in which the fields whose names end in `.$` are computed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Template {
    Constant(Value),
    Computed(Expression),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
}

impl Template {
    /// Reads a template from a field that may be missing.
    pub(super) fn maybe(fields: &mut Fields, name: &str) -> Result<Option<Self>, String> {
        let parsed = fields
            .raw(name)
            .map(|value| Self::parse(&value))
            .transpose();
        parsed.map_err(|fault| format!("{name}: {fault}"))
    }

    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match name.strip_suffix(".$") {
                    Some(name) => {
                        let text = value
                            .as_str()
                            .ok_or_else(|| format!("{name}.$ is not a string"))?;
                        let computed = Expression::parse(text)
                            .map_err(|fault| format!("{name}.$: {fault}"))?;
                        Ok((name.to_owned(), Self::Computed(computed)))
                    }
                    None => Ok((name.clone(), Self::parse(value)?)),
                })
                .collect::<Result<_, String>>()
                .map(Self::Object),
            Value::Array(items) => items
                .iter()
                .map(Self::parse)
                .collect::<Result<_, _>>()
                .map(Self::Array),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(Self::Constant(value.clone()))
            }
        }
    }

    pub(super) fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Computed(expression) => expression.evaluate(scope),
            Self::Object(fields) => fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), field.evaluate(scope)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            Self::Array(items) => items
                .iter()
                .map(|item| item.evaluate(scope))
                .collect::<Result<_, _>>()
                .map(Value::Array),
        }
    }

    /// A field of an object.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, field)| field),
            Self::Constant(_) | Self::Computed(_) | Self::Array(_) => None,
        }
    }
}

/// `InputPath` or `OutputPath`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    /// Everything: `$`, or not given.
    All,
    /// `null`: an empty object.
    Nothing,
    Path(Reference),
}

impl Filter {
    pub(super) fn parse(value: Option<&Value>) -> Result<Self, String> {
        match value {
            None => Ok(Self::All),
            Some(Value::Null) => Ok(Self::Nothing),
            Some(Value::String(text)) if text == "$" => Ok(Self::All),
            Some(Value::String(text)) => Reference::parse(text).map(Self::Path),
            Some(other) => Err(format!("{other} is not a path")),
        }
    }

    pub(super) fn apply(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::All => Ok(scope.input.clone()),
            Self::Nothing => Ok(Value::Object(Map::new())),
            Self::Path(path) => path.find(scope).ok_or_else(|| {
                Failure::runtime(format!(
                    "Invalid path '{}': no such value in the input",
                    path.text()
                ))
            }),
        }
    }
}

/// `ResultPath`: where a result goes in the state's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResultPath {
    /// `$`, or not given: it replaces the input.
    Replace,
    /// `null`: nowhere.
    Discard,
    /// Into the input, under these keys.
    Into(Vec<String>),
}

impl ResultPath {
    pub(super) fn parse(value: Option<&Value>) -> Result<Self, String> {
        match value {
            None => Ok(Self::Replace),
            Some(Value::Null) => Ok(Self::Discard),
            Some(Value::String(text)) => {
                let path = Path::parse(text)?;
                let keys = path.keys().ok_or_else(|| {
                    format!("a result path {text:?} is not emulated: use names only")
                })?;
                if keys.is_empty() {
                    return Ok(Self::Replace);
                }
                Ok(Self::Into(keys.into_iter().map(str::to_owned).collect()))
            }
            Some(other) => Err(format!("{other} is not a path")),
        }
    }

    /// Puts `result` into `input`; objects on the way are made.
    pub(super) fn apply(&self, mut input: Value, result: Value) -> Result<Value, Failure> {
        match self {
            Self::Replace => Ok(result),
            Self::Discard => Ok(input),
            Self::Into(keys) => {
                let mut at = &mut input;
                for key in keys {
                    if at.is_null() {
                        *at = Value::Object(Map::new());
                    }
                    let Value::Object(fields) = at else {
                        let cause = format!(
                            "ResultPath $.{} leads through a value that is not an object",
                            keys.join(".")
                        );
                        return Err(Failure::new("States.ResultPathMatchFailure", cause));
                    };
                    at = fields.entry(key.clone()).or_insert(Value::Null);
                }
                *at = result;
                Ok(input)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evaluate(template: &Value) -> Result<Value, String> {
        let (input, context) = (
            json!({"a": {"b": 1}, "list": [1, 2]}),
            json!({"Execution": {"Id": "arn"}}),
        );
        let scope = Scope {
            input: &input,
            context: &context,
        };
        Template::parse(template)?
            .evaluate(scope)
            .map_err(|failure| failure.error)
    }

    #[test]
    fn a_template_computes_the_fields_that_end_in_a_dollar() {
        let template = json!({
            "constant": "$.a", "value.$": "$.a.b", "all.$": "$", "id.$": "$$.Execution.Id",
            "deep": [{"sum.$": "States.MathAdd($.a.b, 2)"}],
        });
        let expected = json!({
            "constant": "$.a", "value": 1, "all": {"a": {"b": 1}, "list": [1, 2]}, "id": "arn",
            "deep": [{"sum": 3}],
        });
        assert_eq!(evaluate(&template), Ok(expected));
    }

    #[test]
    fn a_path_to_nothing_fails_the_parameters() {
        let failed = evaluate(&json!({"x.$": "$.missing"}));
        assert_eq!(failed, Err("States.Runtime".to_owned()));
    }

    #[test]
    fn a_result_goes_where_its_path_says() {
        let apply = |path: Value, input: Value| {
            ResultPath::parse(Some(&path))
                .unwrap()
                .apply(input, json!(7))
                .map_err(|failure| failure.error)
        };
        assert_eq!(apply(json!("$"), json!({"a": 1})), Ok(json!(7)));
        assert_eq!(apply(json!(null), json!({"a": 1})), Ok(json!({"a": 1})));
        assert_eq!(
            apply(json!("$.x.y"), json!({"a": 1})),
            Ok(json!({"a": 1, "x": {"y": 7}}))
        );
        assert_eq!(apply(json!("$.a"), json!({"a": 1})), Ok(json!({"a": 7})));
        assert_eq!(
            apply(json!("$.a.b"), json!({"a": 1})),
            Err("States.ResultPathMatchFailure".to_owned())
        );
        assert!(ResultPath::parse(Some(&json!("$.a[0]"))).is_err());
    }
}
