//! Tables, queues, buses and state machines.

use std::path::Path;

use serde_json::{Map, Value};

use super::builder::{Builder, Declared};
use super::error::{Refused, TemplateError};
use super::reader::{Properties, scalar};
use super::{files, policies, rules, yaml};
use crate::model::{Queue, StateMachine, Table, TargetKind};

pub(super) fn table(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("TableName");
    let mut create = Map::from_iter([("TableName".to_owned(), name.clone().into())]);
    for key in ["AttributeDefinitions", "KeySchema"] {
        let value = properties
            .take(key)
            .ok_or_else(|| properties.refuse(key, "is missing"))?;
        create.insert(key.to_owned(), value);
    }
    for key in [
        "BillingMode",
        "ProvisionedThroughput",
        "LocalSecondaryIndexes",
    ] {
        if let Some(value) = properties.take(key) {
            create.insert(key.to_owned(), value);
        }
    }
    let indexes = properties.maps("GlobalSecondaryIndexes")?;
    if !indexes.is_empty() {
        let indexes = indexes
            .into_iter()
            .map(index)
            .collect::<Result<Vec<_>, _>>()?;
        create.insert("GlobalSecondaryIndexes".to_owned(), indexes.into());
    }
    let stream = properties.map("StreamSpecification")?;
    let has_stream = stream.is_some();
    if let Some(mut stream) = stream {
        let view = stream.needed_text("StreamViewType")?;
        if view != "NEW_AND_OLD_IMAGES" {
            let problem = format!("{view} is not emulated locally, only NEW_AND_OLD_IMAGES");
            return Err(stream.refuse("StreamViewType", problem));
        }
        stream.done("StreamSpecification")?;
        let specification = Map::from_iter([
            ("StreamEnabled".to_owned(), true.into()),
            ("StreamViewType".to_owned(), view.into()),
        ]);
        create.insert("StreamSpecification".to_owned(), specification.into());
    }
    let mut ttl_attribute = None;
    if let Some(mut ttl) = properties.map("TimeToLiveSpecification")? {
        let attribute = ttl.needed_text("AttributeName")?;
        ttl_attribute = (ttl.flag("Enabled")? == Some(true)).then_some(attribute);
        ttl.done("TimeToLiveSpecification")?;
    }
    properties.done("AWS::DynamoDB::Table")?;
    let table = Table {
        name,
        create: create.into(),
        ttl_attribute,
        stream: has_stream,
    };
    builder.stack.tables.insert(id, table);
    Ok(())
}

fn index(mut index: Properties) -> Result<Value, Refused> {
    let mut create = Map::new();
    for key in ["IndexName", "KeySchema", "Projection"] {
        let value = index
            .take(key)
            .ok_or_else(|| index.refuse(key, "is missing"))?;
        create.insert(key.to_owned(), value);
    }
    if let Some(value) = index.take("ProvisionedThroughput") {
        create.insert("ProvisionedThroughput".to_owned(), value);
    }
    index.done("GlobalSecondaryIndex")?;
    Ok(create.into())
}

pub(super) fn queue(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("QueueName");
    properties.only("FifoQueue", &["false"])?;
    properties.only("MaximumMessageSize", &["1048576"])?;
    let visibility_timeout = properties.seconds("VisibilityTimeout", 0, 43_200, 30)?;
    let delay = properties.seconds("DelaySeconds", 0, 900, 0)?;
    let retention = properties.seconds("MessageRetentionPeriod", 60, 1_209_600, 345_600)?;
    let mut redrive = None;
    if let Some(mut policy) = properties.map("RedrivePolicy")? {
        let arn = policy.needed_text("deadLetterTargetArn")?;
        let queue = builder.arns.find_queue(&arn).map(str::to_owned);
        let problem = || {
            policy.refuse(
                "deadLetterTargetArn",
                format!("{arn} is not a queue of this stack"),
            )
        };
        let queue = queue.ok_or_else(problem)?;
        let most = policy.number("maxReceiveCount", 1, 1000)?;
        let most = most.ok_or_else(|| policy.refuse("maxReceiveCount", "is missing"))?;
        policy.done("RedrivePolicy")?;
        redrive = Some((most, queue));
    }
    properties.done("AWS::SQS::Queue")?;
    let queue = Queue {
        name,
        visibility_timeout,
        delay,
        retention,
        redrive,
    };
    builder.stack.queues.insert(id, queue);
    Ok(())
}

pub(super) fn bus(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("Name");
    properties.done("AWS::Events::EventBus")?;
    builder.stack.buses.insert(id, name);
    Ok(())
}

/// A subscription to a topic of alarms. One that delivers into the stack is refused: nothing is delivered here.
pub(super) fn subscription(declared: Declared) -> Result<(), Refused> {
    let mut properties = declared.properties;
    properties.only("Protocol", &["email", "email-json", "http", "https", "sms"])?;
    properties.done("AWS::SNS::Subscription")
}

pub(super) fn state_machine(
    builder: &mut Builder<'_>,
    declared: Declared,
) -> Result<(), TemplateError> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("Name");
    let definition = definition(builder.beside, &mut properties)?;
    let substitutions = properties.map("DefinitionSubstitutions")?;
    let substitutions = substitutions
        .map(Properties::into_entries)
        .unwrap_or_default();
    let definition = substitute(&definition, &substitutions, properties.at())?;
    let express = match properties.text("Type")?.as_deref() {
        None | Some("STANDARD") => false,
        Some("EXPRESS") => true,
        Some(other) => {
            let problem = format!("{other} is neither STANDARD nor EXPRESS");
            return Err(properties.refuse("Type", problem).into());
        }
    };
    let policies = policies::of_sam(&mut properties)?;
    builder.allow(id.clone(), policies);
    if let Some(events) = properties.map("Events")? {
        machine_events(builder, &id, events)?;
    }
    properties.done("AWS::Serverless::StateMachine")?;
    builder.stack.state_machines.insert(
        id,
        StateMachine {
            name,
            definition,
            express,
        },
    );
    Ok(())
}

fn definition(beside: &Path, properties: &mut Properties) -> Result<Value, TemplateError> {
    if let Some(definition) = properties.take("Definition") {
        return Ok(definition);
    }
    let path = beside.join(properties.needed_text("DefinitionUri")?);
    let text = files::read(&path)?;
    let parsed = if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        yaml::parse(&text).map_err(|error| error.problem)
    };
    let problem =
        |error| properties.refuse("DefinitionUri", format!("{}: {error}", path.display()));
    Ok(parsed.map_err(problem)?)
}

/// Replaces `${name}` in every text of a definition.
fn substitute(value: &Value, by: &Map<String, Value>, at: &str) -> Result<Value, Refused> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        Value::String(text) => substitute_text(text, by, at).map(Value::String),
        Value::Array(items) => items.iter().map(|item| substitute(item, by, at)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| Ok((substitute_text(key, by, at)?, substitute(value, by, at)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
    }
}

fn substitute_text(text: &str, by: &Map<String, Value>, at: &str) -> Result<String, Refused> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let problem = || {
            let at = format!("{at}.DefinitionSubstitutions");
            Refused::new(
                &at,
                format!("the definition asks for {name}, which is not there"),
            )
        };
        filled.push_str(before);
        filled.push_str(&by.get(name).and_then(scalar).ok_or_else(problem)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn machine_events(
    builder: &mut Builder<'_>,
    machine: &str,
    events: Properties,
) -> Result<(), Refused> {
    let at = events.at().to_owned();
    for (name, event) in events.into_entries() {
        let mut event = Properties::new(format!("{at}.{name}"), event)?;
        event.only("Type", &["EventBridgeRule"])?;
        let properties = event.map("Properties")?;
        let properties = properties.ok_or_else(|| event.refuse("Properties", "is missing"))?;
        let target = TargetKind::StateMachine(machine.to_owned());
        rules::event(builder, machine, &name, target, properties)?;
        event.done("Event")?;
    }
    Ok(())
}
