//! Goes through the resources and builds the stack.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::builder::{Builder, Declared};
use super::error::{Refused, TemplateError};
use super::reader::Properties;
use super::resolve::{Location, Resolver};
use super::{
    api, buckets, definition, function, globals, no_meaning, order, policies, resource_policies,
    resources, rules, secret, sources, standing,
};
use crate::arn::Resource;
use crate::model::Stack;

/// What may stand beside a resource's properties.
const ATTRIBUTES: &[&str] = &[
    "Condition",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdateReplacePolicy",
];

/// What may become of a resource that is deleted, or replaced, as CloudFormation knows it.
const FATES: &[(&str, &[&str])] = &[
    (
        "DeletionPolicy",
        &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"],
    ),
    ("UpdateReplacePolicy", &["Delete", "Retain", "Snapshot"]),
];

/// The stack of all resources whose conditions hold.
pub(super) fn stack(
    mut builder: Builder<'_>,
    globals: &Map<String, Value>,
) -> Result<Stack, TemplateError> {
    globals::check(globals)?;
    let resolver = builder.resolver;
    let active = active(resolver)?;
    order::check(resolver, globals, &active)?;
    builder.arns = builder.arns.naming(resources_by_arn(resolver, &active)?);
    builder
        .stack
        .buses
        .insert("default".to_owned(), "default".to_owned());
    // Routes are declared with the functions, and need the API's authorisers.
    let is_api = |resource_type: &str| resource_type == "AWS::Serverless::HttpApi";
    let (apis, others): (Vec<_>, Vec<_>) = active
        .into_iter()
        .partition(|(_, resource_type)| is_api(resource_type));
    for (id, resource_type) in apis.into_iter().chain(others) {
        let declared = declared(resolver, globals, id, resource_type)?;
        add(&mut builder, resource_type, declared)?;
    }
    if let Some(definition) = builder.definition.take() {
        definition::routes(&mut builder, definition)?;
    }
    if let Some(settings) = builder.route_settings.take() {
        api::check_route_settings(&builder.stack, settings)?;
    }
    sources::check_timeouts(&builder.stack)?;
    resource_policies::check(&builder)?;
    standing::check(&mut builder)?;
    Ok(builder.stack)
}

/// Logical id and type of every resource whose condition holds.
fn active<'a>(resolver: &Resolver<'a>) -> Result<Vec<(&'a str, &'a str)>, Refused> {
    let mut active = Vec::new();
    for (id, resource) in resolver.resources {
        let path = format!("Resources.{id}");
        let resource = resource
            .as_object()
            .ok_or_else(|| Refused::new(&path, "not a map"))?;
        if let Some(key) = resource
            .keys()
            .find(|key| !ATTRIBUTES.contains(&key.as_str()))
        {
            let at = format!("{path}.{key}");
            return Err(Refused::new(&at, "is not emulated locally"));
        }
        check_fates(resource, &path)?;
        let resource_type = resource.get("Type").and_then(Value::as_str);
        let resource_type = resource_type.ok_or_else(|| Refused::new(&path, "Type is missing"))?;
        let condition = resource.get("Condition").and_then(Value::as_str);
        let holds = condition.map(|name| resolver.condition(name, Location::new(&path)));
        if holds.transpose()?.unwrap_or(true) {
            active.push((id.as_str(), resource_type));
        }
    }
    Ok(active)
}

fn check_fates(resource: &Map<String, Value>, path: &str) -> Result<(), Refused> {
    for (attribute, fates) in FATES {
        let fate = resource.get(*attribute);
        if let Some(fate) = fate
            && !fate.as_str().is_some_and(|fate| fates.contains(&fate))
        {
            let problem = format!("{fate} is not one of {}", fates.join(", "));
            return Err(Refused::new(&format!("{path}.{attribute}"), problem));
        }
    }
    Ok(())
}

/// The ARNs that can be referred to.
fn resources_by_arn(
    resolver: &Resolver<'_>,
    active: &[(&str, &str)],
) -> Result<BTreeMap<String, Resource>, Refused> {
    let arns = &resolver.arns;
    let mut found = BTreeMap::new();
    for (id, resource_type) in active {
        let path = format!("Resources.{id}");
        let name = resolver.physical(id, Location::new(&path))?;
        let id = (*id).to_owned();
        let (arn, resource) = match *resource_type {
            "AWS::DynamoDB::Table" => (arns.table(&name), Resource::Table(id)),
            "AWS::Events::EventBus" => (arns.bus(&name), Resource::Bus(id)),
            "AWS::S3::Bucket" => (arns.bucket(&name), Resource::Bucket(id)),
            "AWS::SQS::Queue" => (arns.queue(&name), Resource::Queue(id)),
            "AWS::SecretsManager::Secret" => (arns.secret(&name), Resource::Secret(id)),
            "AWS::Serverless::Function" => (arns.function(&name), Resource::Function(id)),
            "AWS::Serverless::StateMachine" => {
                (arns.state_machine(&name), Resource::StateMachine(id))
            }
            _ => continue,
        };
        if found.insert(arn, resource).is_some() {
            return Err(Refused::new(&path, format!("the name {name} is taken")));
        }
    }
    Ok(found)
}

/// A resource with its properties resolved.
fn declared(
    resolver: &Resolver<'_>,
    globals: &Map<String, Value>,
    id: &str,
    resource_type: &str,
) -> Result<Declared, Refused> {
    let resource = resolver.resources.get(id);
    let path = format!("Resources.{id}.Properties");
    let at = Location::new(&path);
    let properties = globals::with_globals(resolver, globals, id, resource_type);
    let properties = resolver.resolve(&properties, at)?.unwrap_or_default();
    let metadata = resource.and_then(|resource| resource.get("Metadata"));
    let above = format!("Resources.{id}.Metadata");
    let metadata = metadata.map(|metadata| resolver.resolve(metadata, Location::new(&above)));
    Ok(Declared {
        id: id.to_owned(),
        name: resolver.physical(id, at)?,
        properties: Properties::new(path.as_str(), properties)?,
        metadata: metadata.transpose()?.flatten(),
    })
}

fn add(
    builder: &mut Builder<'_>,
    resource_type: &str,
    declared: Declared,
) -> Result<(), TemplateError> {
    match resource_type {
        "AWS::DynamoDB::Table" => resources::table(builder, declared)?,
        "AWS::Events::EventBus" => resources::bus(builder, declared)?,
        "AWS::Events::Rule" => rules::rule(builder, declared)?,
        "AWS::IAM::Policy" => policies::policy(builder, declared)?,
        "AWS::IAM::Role" => policies::role(builder, declared)?,
        "AWS::Lambda::EventSourceMapping" => sources::event_source_mapping(builder, declared)?,
        "AWS::S3::Bucket" => buckets::bucket(builder, declared)?,
        "AWS::SQS::Queue" => resources::queue(builder, declared)?,
        "AWS::SecretsManager::Secret" => secret::secret(builder, declared)?,
        "AWS::Serverless::Function" => function::function(builder, declared)?,
        "AWS::Serverless::HttpApi" => api::api(builder, declared)?,
        "AWS::Serverless::StateMachine" => resources::state_machine(builder, declared)?,
        "AWS::SQS::QueuePolicy" => resource_policies::of_queues(builder, declared)?,
        "AWS::Lambda::Permission" => resource_policies::of_function(builder, declared)?,
        "AWS::Events::EventBusPolicy" | "AWS::S3::BucketPolicy" => {
            resource_policies::of_others(declared, resource_type)?;
        }
        "AWS::SNS::Subscription" => resources::subscription(declared)?,
        _ if no_meaning::TYPES.contains(&resource_type) => {
            declared.properties.done(resource_type)?;
        }
        _ => {
            let at = format!("Resources.{}", declared.id);
            return Err(
                Refused::new(&at, format!("{resource_type} is not emulated locally")).into(),
            );
        }
    }
    Ok(())
}
