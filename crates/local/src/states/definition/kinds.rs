//! What states do, by their type.

use serde_json::Value;

use crate::states::choice::Rule;
use crate::states::fields::Fields;
use crate::states::machine::{Kind, Machine, MapWork, Task, Text, Wait};
use crate::states::path::Reference;
use crate::states::template::{Expression, Filter, Template};

/// Finds a function by the text of a `Resource` or `FunctionName`.
pub(super) type FindFunction<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How many items a Map works on at a time when it does not say ("about 40" in the guide).
const MAP_CONCURRENCY: usize = 40;

impl Kind {
    pub(super) fn parse(
        name: &str,
        fields: &mut Fields,
        parameters: Option<&Template>,
        find: FindFunction<'_>,
    ) -> Result<Self, String> {
        Ok(match name {
            "Task" => Self::Task(Task::parse(fields, parameters, find)?),
            "Pass" => Self::Pass {
                result: fields.raw("Result"),
            },
            "Choice" => Self::Choice {
                rules: fields
                    .needed::<Vec<Value>>("Choices")?
                    .iter()
                    .map(Rule::parse_choice)
                    .collect::<Result<_, _>>()?,
                default: fields.maybe("Default")?,
            },
            "Wait" => Self::Wait(Wait::parse(fields)?),
            "Succeed" => Self::Succeed,
            "Fail" => Self::Fail {
                error: text(fields, "Error")?,
                cause: text(fields, "Cause")?,
            },
            "Parallel" => {
                let branches: Vec<Value> = fields.needed("Branches")?;
                let branches = branches
                    .iter()
                    .map(|branch| Machine::parse_branch(branch, find));
                Self::Parallel {
                    branches: branches.collect::<Result<_, _>>()?,
                }
            }
            "Map" => Self::Map(Box::new(MapWork::parse(fields, find)?)),
            other => return Err(format!("the type {other} is not emulated")),
        })
    }
}

impl Task {
    fn parse(
        fields: &mut Fields,
        parameters: Option<&Template>,
        find: FindFunction<'_>,
    ) -> Result<Self, String> {
        let resource: String = fields.needed("Resource")?;
        let timeout = fields.seconds("TimeoutSeconds")?;
        let wrapped = resource == "arn:aws:states:::lambda:invoke";
        if !wrapped {
            let function = find(&resource)
                .filter(|_| resource.starts_with("arn:"))
                .ok_or_else(|| {
                    format!(
                        "the resource {resource} is not emulated, or is not a function of the template"
                    )
                })?;
            return Ok(Self {
                function,
                resource,
                wrapped,
                timeout,
            });
        }
        let Some(parameters @ Template::Object(given)) = parameters else {
            return Err("lambda:invoke needs Parameters".to_owned());
        };
        if let Some((other, _)) = given
            .iter()
            .find(|(name, _)| name != "FunctionName" && name != "Payload")
        {
            return Err(format!(
                "the parameter {other} of lambda:invoke is not emulated"
            ));
        }
        let Some(Template::Constant(Value::String(name))) = parameters.field("FunctionName") else {
            return Err("lambda:invoke needs a FunctionName that is not computed".to_owned());
        };
        let function =
            find(name).ok_or_else(|| format!("there is no function {name} in the template"))?;
        Ok(Self {
            function,
            resource,
            wrapped,
            timeout,
        })
    }
}

impl Wait {
    fn parse(fields: &mut Fields) -> Result<Self, String> {
        let mut found = Vec::new();
        if let Some(seconds) = fields.maybe("Seconds")? {
            found.push(Self::Seconds(seconds));
        }
        if let Some(path) = fields.maybe::<String>("SecondsPath")? {
            found.push(Self::SecondsPath(Reference::parse(&path)?));
        }
        if let Some(timestamp) = fields.maybe("Timestamp")? {
            found.push(Self::Timestamp(timestamp));
        }
        if let Some(path) = fields.maybe::<String>("TimestampPath")? {
            found.push(Self::TimestampPath(Reference::parse(&path)?));
        }
        match (found.pop(), found.is_empty()) {
            (Some(wait), true) => Ok(wait),
            _ => Err(
                "a Wait has exactly one of Seconds, SecondsPath, Timestamp, TimestampPath"
                    .to_owned(),
            ),
        }
    }
}

impl MapWork {
    fn parse(fields: &mut Fields, find: FindFunction<'_>) -> Result<Self, String> {
        // `Parameters` and `Iterator` are the older names.
        let selector =
            Template::maybe(fields, "ItemSelector")?.or(Template::maybe(fields, "Parameters")?);
        let processor = fields
            .raw("ItemProcessor")
            .or(fields.raw("Iterator"))
            .ok_or("ItemProcessor is missing")?;
        let concurrency = fields
            .maybe::<usize>("MaxConcurrency")?
            .filter(|most| *most > 0);
        Ok(Self {
            items: Filter::parse(fields.raw("ItemsPath").as_ref())?,
            selector,
            concurrency: concurrency.unwrap_or(MAP_CONCURRENCY),
            processor: Machine::parse_branch(&processor, find)?,
        })
    }
}

fn text(fields: &mut Fields, name: &str) -> Result<Option<Text>, String> {
    let computed: Option<String> = fields.maybe(&format!("{name}Path"))?;
    match (fields.maybe(name)?, computed) {
        (Some(_), Some(_)) => Err(format!("has either {name} or {name}Path")),
        (Some(given), None) => Ok(Some(Text::Given(given))),
        (None, Some(path)) => Ok(Some(Text::Computed(Expression::parse(&path)?))),
        (None, None) => Ok(None),
    }
}
