//! The parameters of a template.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Refused;
use super::reader::{Properties, scalar};

/// The values of the declared parameters: what is given, or their defaults.
pub(super) fn parameters(
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
