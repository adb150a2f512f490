//! Intrinsic functions: `States.Format('order-{}', $.id)`.

use serde_json::Value;
use uuid::Uuid;

use super::failure::Failure;
use super::path::{Reference, Scope};

/// The functions that exist and are not emulated.
const REFUSED: [&str; 7] = [
    "ArrayPartition",
    "ArrayRange",
    "ArrayUnique",
    "Base64Decode",
    "Base64Encode",
    "Hash",
    "MathRandom",
];

/// A call of an intrinsic function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    Format,
    JsonMerge,
    JsonToString,
    MathAdd,
    StringSplit,
    StringToJson,
    Uuid,
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Constant(Value),
    Path(Reference),
    Call(Call),
}

impl Function {
    fn named(name: &str) -> Result<Self, String> {
        Ok(match name {
            "Array" => Self::Array,
            "ArrayContains" => Self::ArrayContains,
            "ArrayGetItem" => Self::ArrayGetItem,
            "ArrayLength" => Self::ArrayLength,
            "Format" => Self::Format,
            "JsonMerge" => Self::JsonMerge,
            "JsonToString" => Self::JsonToString,
            "MathAdd" => Self::MathAdd,
            "StringSplit" => Self::StringSplit,
            "StringToJson" => Self::StringToJson,
            "UUID" => Self::Uuid,
            other if REFUSED.contains(&other) => {
                return Err(format!("States.{other} is not emulated"));
            }
            other => return Err(format!("there is no States.{other}")),
        })
    }

    /// How many arguments it takes; `None` for any number.
    fn arity(self) -> Option<usize> {
        match self {
            Self::Array | Self::Format => None,
            Self::Uuid => Some(0),
            Self::ArrayLength | Self::JsonToString | Self::StringToJson => Some(1),
            Self::ArrayContains | Self::ArrayGetItem | Self::MathAdd | Self::StringSplit => Some(2),
            Self::JsonMerge => Some(3),
        }
    }
}

impl Call {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text };
        let call = reader
            .call()
            .map_err(|fault| format!("{text:?}: {fault}"))?;
        if reader.rest.trim().is_empty() {
            Ok(call)
        } else {
            Err(format!("{text:?}: {:?} follows", reader.rest))
        }
    }

    pub(super) fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| argument.evaluate(scope))
            .collect::<Result<Vec<_>, _>>()?;
        apply(self.function, arguments).map_err(|fault| {
            Failure::new(
                "States.IntrinsicFailure",
                format!("{:?}: {fault}", self.function),
            )
        })
    }
}

impl Argument {
    fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Path(path) => path.find(scope).ok_or_else(|| {
                Failure::new(
                    "States.IntrinsicFailure",
                    format!("the path {} has no value", path.text()),
                )
            }),
            Self::Call(call) => call.evaluate(scope),
        }
    }
}

fn apply(function: Function, arguments: Vec<Value>) -> Result<Value, String> {
    match (function, arguments.as_slice()) {
        (Function::Array, _) => Ok(Value::Array(arguments)),
        (Function::ArrayContains, [Value::Array(items), wanted]) => {
            Ok(items.contains(wanted).into())
        }
        (Function::ArrayGetItem, [Value::Array(items), Value::Number(index)]) => {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            index
                .and_then(|index| items.get(index))
                .cloned()
                .ok_or_else(|| "no such index".to_owned())
        }
        (Function::ArrayLength, [Value::Array(items)]) => Ok(items.len().into()),
        (Function::Format, [Value::String(template), values @ ..]) => {
            format_text(template, values).map(Value::String)
        }
        (
            Function::JsonMerge,
            [
                Value::Object(first),
                Value::Object(second),
                Value::Bool(false),
            ],
        ) => {
            let mut merged = first.clone();
            merged.extend(second.clone());
            Ok(Value::Object(merged))
        }
        (Function::JsonToString, [value]) => Ok(Value::String(value.to_string())),
        (Function::MathAdd, [Value::Number(a), Value::Number(b)]) => {
            let sum = a
                .as_i64()
                .zip(b.as_i64())
                .and_then(|(a, b)| a.checked_add(b));
            sum.map(Value::from)
                .ok_or_else(|| "not two whole numbers".to_owned())
        }
        (Function::StringSplit, [Value::String(text), Value::String(separators)]) => {
            let parts = text
                .split(|c| separators.contains(c))
                .filter(|part| !part.is_empty());
            Ok(parts.map(Value::from).collect())
        }
        (Function::StringToJson, [Value::String(text)]) => {
            serde_json::from_str(text).map_err(|error| error.to_string())
        }
        (Function::Uuid, []) => Ok(Uuid::new_v4().to_string().into()),
        (_, arguments) => Err(format!("does not take {}", Value::from(arguments.to_vec()))),
    }
}

/// Puts `values` in the places of `{}`.
fn format_text(template: &str, values: &[Value]) -> Result<String, String> {
    let parts: Vec<&str> = template.split("{}").collect();
    if parts.len() != values.len() + 1 {
        return Err(format!(
            "{} places for {} values",
            parts.len() - 1,
            values.len()
        ));
    }
    let mut text = String::from(parts[0]);
    for (value, part) in values.iter().zip(&parts[1..]) {
        match value.as_str() {
            Some(value) => text.push_str(value),
            None => text.push_str(&value.to_string()),
        }
        text.push_str(part);
    }
    Ok(text)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn call(&mut self) -> Result<Call, String> {
        let (name, rest) = self
            .rest
            .split_once('(')
            .ok_or("a call needs parentheses")?;
        let name = name
            .trim()
            .strip_prefix("States.")
            .ok_or("a function begins with States.")?;
        let function = Function::named(name)?;
        self.rest = rest;
        let mut arguments = Vec::new();
        while !self.skip(')') {
            if !arguments.is_empty() && !self.skip(',') {
                return Err("arguments need commas between them".to_owned());
            }
            arguments.push(self.argument()?);
        }
        match function.arity() {
            Some(arity) if arity != arguments.len() => {
                Err(format!("States.{name} takes {arity} arguments"))
            }
            _ => Ok(Call {
                function,
                arguments,
            }),
        }
    }

    /// Goes past `wanted`, if that is what comes next.
    fn skip(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn argument(&mut self) -> Result<Argument, String> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('\'') {
            return self.text().map(|text| Argument::Constant(text.into()));
        }
        if self.rest.starts_with("States.") {
            return self.call().map(Argument::Call);
        }
        let mut depth = 0_usize;
        let end = self.rest.find(|c| match c {
            '[' | '(' => {
                depth += 1;
                false
            }
            ']' | ')' if depth > 0 => {
                depth -= 1;
                false
            }
            ',' | ')' => depth == 0,
            _ => false,
        });
        let (word, rest) = self.rest.split_at(end.ok_or("the call has no end")?);
        self.rest = rest;
        let word = word.trim();
        if word.starts_with('$') {
            return Reference::parse(word).map(Argument::Path);
        }
        serde_json::from_str(word)
            .map(Argument::Constant)
            .map_err(|_| format!("{word:?} is not an argument"))
    }

    /// Text in single quotes; a backslash takes the next character as it is.
    fn text(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => text.push(chars.next().ok_or("the text has no end")?.1),
                c => text.push(c),
            }
        }
        Err("the text has no end".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evaluate(call: &str) -> Result<Value, String> {
        let input = json!({"id": "7", "n": 2, "list": [1, 2], "text": "{\"a\":1}"});
        let scope = Scope {
            input: &input,
            context: &Value::Null,
        };
        Call::parse(call)?
            .evaluate(scope)
            .map_err(|failure| failure.error)
    }

    #[test]
    fn each_function_computes_what_the_guide_says() {
        let cases = [
            (
                "States.Format('order-{} of {}', $.id, $.n)",
                json!("order-7 of 2"),
            ),
            (r"States.Format('it\'s {}', true)", json!("it's true")),
            ("States.StringToJson($.text)", json!({"a": 1})),
            ("States.JsonToString($.list)", json!("[1,2]")),
            (
                "States.Array($.id, 'b', 3, null)",
                json!(["7", "b", 3, null]),
            ),
            ("States.ArrayLength($.list)", json!(2)),
            ("States.ArrayContains($.list, 2)", json!(true)),
            ("States.ArrayGetItem($.list, 1)", json!(2)),
            ("States.MathAdd($.n, -5)", json!(-3)),
            ("States.StringSplit('a,b;c', ',;')", json!(["a", "b", "c"])),
            (
                "States.Format('{}', States.MathAdd($.list[0], 1))",
                json!("2"),
            ),
            (
                "States.JsonMerge(States.StringToJson($.text), States.StringToJson('{\"b\":2}'), false)",
                json!({"a": 1, "b": 2}),
            ),
        ];
        for (call, expected) in cases {
            assert_eq!(evaluate(call), Ok(expected), "{call}");
        }
        assert_ne!(evaluate("States.UUID()"), evaluate("States.UUID()"));
    }

    #[test]
    fn what_is_not_emulated_is_refused_by_name_when_it_is_read() {
        assert!(
            Call::parse("States.Hash($.id, 'MD5')")
                .unwrap_err()
                .contains("States.Hash")
        );
        assert!(
            Call::parse("States.Nonsense()")
                .unwrap_err()
                .contains("States.Nonsense")
        );
        for broken in [
            "States.Format('a'",
            "States.Array(1 2)",
            "States.UUID(1)",
            "States.UUID() x",
        ] {
            assert!(Call::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_function_that_cannot_compute_fails() {
        let failed = Err("States.IntrinsicFailure".to_owned());
        for call in [
            "States.Format('{} {}', 1)",
            "States.StringToJson('{')",
            "States.ArrayLength($.missing)",
        ] {
            assert_eq!(evaluate(call), failed, "{call}");
        }
    }
}
