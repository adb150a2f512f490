//! Loads a template: its sections, in the order in which they need each other.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::builder::Builder;
use super::error::{Refused, TemplateError};
use super::reader::Properties;
use super::resolve::{Location, Places, Resolver};
use super::{build, files, parameters, yaml};
use crate::arn::Arns;
use crate::model::Stack;

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
        let text = files::read(path)?;
        let beside = path.parent().unwrap_or(Path::new("."));
        parse(&text, beside, parameters, places)
    }
}

pub(super) fn parse(
    text: &str,
    beside: &Path,
    given: &BTreeMap<String, String>,
    places: &Places,
) -> Result<Stack, TemplateError> {
    let mut template = Properties::new("template", yaml::parse(text)?)?;
    template.only("AWSTemplateFormatVersion", &["2010-09-09"])?;
    transform(&mut template)?;
    // Rules are checked when a stack is deployed, of which nothing is verified here.
    for about in ["Description", "Metadata", "Rules"] {
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
        parameters: parameters::parameters(declared, given)?,
        conditions: &conditions,
        mappings: &mappings,
        resources: &resources,
        arns: Arns::new(&places.region),
    };
    for name in conditions.keys() {
        resolver.condition(name, Location::new(&format!("Conditions.{name}")))?;
    }
    let stack = build::stack(Builder::new(&resolver, beside), &globals)?;
    for (name, output) in &outputs {
        output_resolves(&resolver, name, output)?;
    }
    Ok(stack)
}

/// An output means nothing here, but what it refers to has to be there.
fn output_resolves(resolver: &Resolver<'_>, name: &str, output: &Value) -> Result<(), Refused> {
    let path = format!("Outputs.{name}");
    let at = Location::new(&path);
    let mut output = Properties::new(&path, output.clone())?;
    if let Some(key) = output.unknown(&["Condition", "Description", "Export", "Value"]) {
        return Err(output.refuse(&key, "is not emulated locally"));
    }
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
