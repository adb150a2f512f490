//! A SAM template, read strictly: what is not emulated is an error that names it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::arn::Arns;
use crate::model::Stack;
use build::Builder;
use names::Names;
use reader::{Properties, scalar};
use resolve::{At, Resolver};

pub(crate) use names::API_ID;

mod api;
mod build;
mod function;
mod names;
mod no_meaning;
mod policies;
mod reader;
mod resolve;
mod resources;
mod rules;
mod secret;
mod sources;
mod standing;
#[cfg(test)]
mod tests;
mod yaml;

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

/// Why a template cannot be loaded.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The template is wrong, or asks for what is not emulated.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Something in a template that is wrong or not emulated.
#[derive(Debug, Error)]
#[error("{at}: {problem}")]
pub struct Refused {
    /// Where: the logical id and the path of the property.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Refused {
    pub(crate) fn new(at: &str, problem: impl Into<String>) -> Self {
        let at = if at.is_empty() { "template" } else { at };
        Self {
            at: at.to_owned(),
            problem: problem.into(),
        }
    }
}

impl Stack {
    /// Loads a template. `parameters` overrides the parameters' defaults.
    ///
    /// # Errors
    /// [`TemplateError`] for the first thing that cannot be read, is wrong, or is not emulated.
    pub fn load(
        path: &Path,
        parameters: &BTreeMap<String, String>,
        places: &Places,
    ) -> Result<Self, TemplateError> {
        let text = read(path)?;
        let beside = path.parent().unwrap_or(Path::new("."));
        parse(&text, beside, parameters, places)
    }
}

fn read(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|source| TemplateError::Read {
        path: path.to_owned(),
        source,
    })
}

fn parse(
    text: &str,
    beside: &Path,
    given: &BTreeMap<String, String>,
    places: &Places,
) -> Result<Stack, TemplateError> {
    let mut template = Properties::new("template", yaml::parse(text)?)?;
    template.only("AWSTemplateFormatVersion", &["2010-09-09"])?;
    transform(&mut template)?;
    for about in ["Description", "Metadata"] {
        template.take(about);
    }
    let mut section = |name: &str| -> Result<Map<String, Value>, Refused> {
        match template.take(name) {
            Some(value) => Properties::new(name, value).map(Properties::into_entries),
            None => Ok(Map::new()),
        }
    };
    let declared = section("Parameters")?;
    let (conditions, mappings) = (section("Conditions")?, section("Mappings")?);
    let (resources, globals) = (section("Resources")?, section("Globals")?);
    let outputs = section("Outputs")?;
    template.done("template")?;
    let resolver = Resolver {
        places,
        parameters: parameters(declared, given)?,
        conditions: &conditions,
        mappings: &mappings,
        names: Names {
            resources: &resources,
            arns: Arns::new(&places.region),
        },
    };
    for name in conditions.keys() {
        resolver.condition(name, At::new(&format!("Conditions.{name}")))?;
    }
    let stack = Builder::new(&resolver, &globals, beside)?.build()?;
    for (name, output) in &outputs {
        output_resolves(&resolver, name, output)?;
    }
    Ok(stack)
}

/// An output means nothing here, but what it refers to has to be there.
fn output_resolves(resolver: &Resolver<'_>, name: &str, output: &Value) -> Result<(), Refused> {
    let path = format!("Outputs.{name}");
    let at = At::new(&path);
    let mut output = Properties::new(&path, output.clone())?;
    if let Some(condition) = output.text("Condition")?
        && !resolver.condition(&condition, at)?
    {
        return Ok(());
    }
    resolver
        .resolve(&Value::Object(output.into_entries()), at)
        .map(drop)
}

fn transform(template: &mut Properties) -> Result<(), Refused> {
    const SAM: &str = "AWS::Serverless-2016-10-31";
    let transforms = match template.take("Transform") {
        Some(Value::Array(transforms)) => transforms,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    match transforms
        .iter()
        .find(|transform| transform.as_str() != Some(SAM))
    {
        Some(other) => {
            Err(template.refuse("Transform", format!("{other} is not emulated locally")))
        }
        None => Ok(()),
    }
}

fn parameters(
    declared: Map<String, Value>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, Refused> {
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(Refused::new(
            "Parameters",
            format!("the template has no parameter {unknown}"),
        ));
    }
    let declared = declared.into_iter();
    declared
        .map(|(name, declaration)| {
            let declaration = Properties::new(format!("Parameters.{name}"), declaration)?;
            let value = parameter(declaration, given.get(&name))?;
            Ok((name, value))
        })
        .collect()
}

fn parameter(mut declared: Properties, given: Option<&String>) -> Result<Value, Refused> {
    let parameter_type = declared.needed_text("Type")?;
    let default = declared.text("Default")?;
    let allowed = declared.list("AllowedValues")?;
    let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
    let (shortest, longest) = (declared.text("MinLength")?, declared.text("MaxLength")?);
    let (least, most) = (declared.text("MinValue")?, declared.text("MaxValue")?);
    let at = declared.at().to_owned();
    declared.done("Parameter")?;
    let refuse = |problem: String| Refused::new(&at, problem);
    let value = given.cloned().or(default);
    let value = value.ok_or_else(|| refuse("has no value and no default".to_owned()))?;
    if !allowed.is_empty() && !allowed.contains(&value) {
        return Err(refuse(format!(
            "{value} is not one of {}",
            allowed.join(", ")
        )));
    }
    let length = Some(value.chars().count().to_string());
    if !within(length.as_deref(), shortest.as_deref(), longest.as_deref()) {
        return Err(refuse(format!("{value} is too long or too short")));
    }
    match parameter_type.as_str() {
        "Number" if decimal(&value).is_none() => Err(refuse(format!("{value} is not a number"))),
        "Number" if !within(Some(&value), least.as_deref(), most.as_deref()) => {
            Err(refuse(format!("{value} is too small or too large")))
        }
        "String" | "Number" => Ok(value.into()),
        "CommaDelimitedList" => Ok(value
            .split(',')
            .map(|item| Value::from(item.trim()))
            .collect()),
        _ => Err(refuse(format!(
            "parameters of type {parameter_type} are not emulated locally"
        ))),
    }
}

fn within(value: Option<&str>, least: Option<&str>, most: Option<&str>) -> bool {
    let value = value.and_then(decimal);
    let reaches = |bound: Option<&str>| bound.and_then(decimal);
    reaches(least).is_none_or(|least| value >= Some(least))
        && reaches(most).is_none_or(|most| value <= Some(most))
}

/// A number with up to nine decimal places, in billionths.
fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) || part.len() > 9 {
        return None;
    }
    let billionths: i128 = format!("{whole}{part:0<9}").parse().ok()?;
    Some(if negative { -billionths } else { billionths })
}
