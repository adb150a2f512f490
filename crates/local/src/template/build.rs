//! Goes through the resources and builds the stack.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::reader::Properties;
use super::resolve::{At, Resolver, intrinsic};
use super::{
    Refused, TemplateError, api, function, no_meaning, policies, resources, rules, secret, sources,
    standing,
};
use crate::arn::{Arns, Resource};
use crate::model::{Destination, Stack};

/// Builds one stack.
pub(super) struct Builder<'a> {
    resolver: &'a Resolver<'a>,
    globals: &'a Map<String, Value>,
    /// The directory of the template, that its files are beside.
    pub(super) beside: &'a Path,
    /// Finds the resources of this stack.
    pub(super) arns: Arns,
    pub(super) stack: Stack,
    /// The authoriser of routes that name none.
    pub(super) default_authorizer: Option<String>,
    /// What the API says of single routes, which are declared after it.
    pub(super) route_settings: Option<Properties>,
}

/// One resource, with its properties resolved.
pub(super) struct Declared {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) properties: Properties,
    /// As it stands in the template.
    pub(super) metadata: Option<Value>,
}

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

/// The sections of `Globals`, and the types that they are for.
const GLOBALS: &[(&str, &str)] = &[
    ("AWS::Serverless::Function", "Function"),
    ("AWS::Serverless::HttpApi", "HttpApi"),
    ("AWS::Serverless::StateMachine", "StateMachine"),
];

impl<'a> Builder<'a> {
    pub(super) fn new(
        resolver: &'a Resolver<'a>,
        globals: &'a Map<String, Value>,
        beside: &'a Path,
    ) -> Result<Self, Refused> {
        let known = |name: &str| GLOBALS.iter().any(|(_, section)| *section == name);
        if let Some(unknown) = globals.keys().find(|name| !known(name)) {
            return Err(Refused::new(
                "Globals",
                format!("{unknown} is not emulated locally"),
            ));
        }
        let (arns, stack) = (Arns::new(&resolver.places.region), Stack::default());
        Ok(Self {
            resolver,
            globals,
            beside,
            arns,
            stack,
            default_authorizer: None,
            route_settings: None,
        })
    }

    pub(super) fn build(mut self) -> Result<Stack, TemplateError> {
        let active = self.active()?;
        self.arns = self.arns.clone().naming(self.found(&active)?);
        self.stack
            .buses
            .insert("default".to_owned(), "default".to_owned());
        // Routes are declared with the functions, and need the API's authorisers.
        let is_api = |resource_type: &str| resource_type == "AWS::Serverless::HttpApi";
        let (apis, others): (Vec<_>, Vec<_>) = active
            .into_iter()
            .partition(|(_, resource_type)| is_api(resource_type));
        for (id, resource_type) in apis.into_iter().chain(others) {
            let declared = self.declared(id, resource_type)?;
            self.add(resource_type, declared)?;
        }
        if let Some(settings) = self.route_settings.take() {
            api::check_route_settings(&self.stack, settings)?;
        }
        standing::check(&mut self)?;
        Ok(self.stack)
    }

    /// Logical id and type of every resource whose condition holds.
    fn active(&self) -> Result<Vec<(&'a str, &'a str)>, Refused> {
        let mut active = Vec::new();
        for (id, resource) in self.resolver.names.resources {
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
            let resource_type = resource.get("Type").and_then(Value::as_str);
            let resource_type =
                resource_type.ok_or_else(|| Refused::new(&path, "Type is missing"))?;
            let condition = resource.get("Condition").and_then(Value::as_str);
            let holds = condition.map(|name| self.resolver.condition(name, At::new(&path)));
            if holds.transpose()?.unwrap_or(true) {
                active.push((id.as_str(), resource_type));
            }
        }
        Ok(active)
    }

    /// The ARNs that can be referred to.
    fn found(&self, active: &[(&str, &str)]) -> Result<BTreeMap<String, Resource>, Refused> {
        let arns = &self.arns;
        let mut found = BTreeMap::new();
        for (id, resource_type) in active {
            let path = format!("Resources.{id}");
            let name = self
                .resolver
                .names
                .physical(self.resolver, id, At::new(&path))?;
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

    fn declared(&self, id: &str, resource_type: &str) -> Result<Declared, Refused> {
        let resource = self.resolver.names.resources.get(id);
        let path = format!("Resources.{id}.Properties");
        let own = resource.and_then(|resource| resource.get("Properties"));
        let global = GLOBALS.iter().find(|(of, _)| *of == resource_type);
        let global = global.and_then(|(_, section)| self.globals.get(*section));
        let merged = match (global, own) {
            (Some(global), Some(own)) => merge(global, own),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => Value::Null,
        };
        let at = At::new(&path);
        let resolved = self.resolver.resolve(&merged, at)?.unwrap_or_default();
        Ok(Declared {
            id: id.to_owned(),
            name: self.resolver.names.physical(self.resolver, id, at)?,
            properties: Properties::new(path.as_str(), resolved)?,
            metadata: resource
                .and_then(|resource| resource.get("Metadata"))
                .cloned(),
        })
    }

    fn add(&mut self, resource_type: &str, declared: Declared) -> Result<(), TemplateError> {
        match resource_type {
            "AWS::DynamoDB::Table" => resources::table(self, declared)?,
            "AWS::Events::EventBus" => resources::bus(self, declared)?,
            "AWS::Events::Rule" => rules::rule(self, declared)?,
            "AWS::IAM::Policy" => policies::policy(self, declared)?,
            "AWS::IAM::Role" => policies::role(self, declared)?,
            "AWS::Lambda::EventSourceMapping" => sources::event_source_mapping(self, declared)?,
            "AWS::S3::Bucket" => resources::bucket(self, declared)?,
            "AWS::SQS::Queue" => resources::queue(self, declared)?,
            "AWS::SecretsManager::Secret" => secret::secret(self, declared)?,
            "AWS::Serverless::Function" => function::function(self, declared)?,
            "AWS::Serverless::HttpApi" => api::api(self, declared)?,
            "AWS::Serverless::StateMachine" => resources::state_machine(self, declared)?,
            _ if no_meaning::TYPES.contains(&resource_type) => {}
            _ => {
                let at = format!("Resources.{}", declared.id);
                return Err(
                    Refused::new(&at, format!("{resource_type} is not emulated locally")).into(),
                );
            }
        }
        Ok(())
    }

    /// Where failures go, by ARN.
    pub(super) fn destination(&self, arn: &str) -> Option<Destination> {
        match self.arns.find(arn)? {
            Resource::Bucket(id) => Some(Destination::Bucket(id.clone())),
            Resource::Queue(id) => Some(Destination::Queue(id.clone())),
            Resource::Bus(_)
            | Resource::Function(_)
            | Resource::Secret(_)
            | Resource::StateMachine(_)
            | Resource::Table(_) => None,
        }
    }

    /// `DestinationConfig` of a function, with its `OnFailure`. Where SAM is told the type, it lets
    /// the function send there.
    pub(super) fn on_failure(
        &mut self,
        function: &str,
        properties: &mut Properties,
    ) -> Result<Option<Destination>, Refused> {
        let Some(mut config) = properties.map("DestinationConfig")? else {
            return Ok(None);
        };
        let on_failure = config.map("OnFailure")?;
        config.done("DestinationConfig")?;
        let Some(mut on_failure) = on_failure else {
            return Ok(None);
        };
        let kind = on_failure.text("Type")?;
        let arn = on_failure.needed_text("Destination")?;
        let destination = self.destination(&arn).ok_or_else(|| {
            let problem = format!("{arn} is not a queue or bucket of this stack");
            on_failure.refuse("Destination", problem)
        })?;
        match (kind.as_deref(), &destination) {
            (None, _) => {}
            (Some("SQS"), Destination::Queue(_)) => {
                self.grant(function, &["sqs:SendMessage"], &[&arn]);
            }
            (Some("S3" | "S3Bucket"), Destination::Bucket(_)) => {
                self.grant(function, &["s3:PutObject"], &[&format!("{arn}/*")]);
                self.grant(function, &["s3:ListBucket"], &[&arn]);
            }
            (Some(other), _) => {
                let problem = format!("{other} is not the type of {arn}");
                return Err(on_failure.refuse("Type", problem));
            }
        }
        on_failure.done("OnFailure")?;
        Ok(Some(destination))
    }

    /// Whose role a name is: a function, a state machine, or the role itself, by logical id.
    pub(super) fn holder(&self, role: &str) -> Option<String> {
        let names = &self.resolver.names;
        let mut resources = names.resources.iter();
        let is_it =
            |(id, resource): &(&String, &Value)| match resource.get("Type").and_then(Value::as_str)
            {
                Some("AWS::Serverless::Function" | "AWS::Serverless::StateMachine") => {
                    names
                        .implied_role(self.resolver, &format!("{id}Role"))
                        .as_deref()
                        == Some(role)
                }
                Some("AWS::IAM::Role") => {
                    let found = names.physical(self.resolver, id, At::new(id));
                    found.is_ok_and(|found| found == role)
                }
                _ => false,
            };
        resources.find(is_it).map(|(id, _)| id.clone())
    }

    /// The role of this stack that an ARN names, by logical id.
    pub(super) fn role(&self, arn: &str) -> Option<String> {
        let names = &self.resolver.names;
        let roles = names.resources.iter().filter(|(_, resource)| {
            resource.get("Type").and_then(Value::as_str) == Some("AWS::IAM::Role")
        });
        let mut roles = roles.map(|(id, _)| id);
        let is_it = |id: &&String| {
            let found = names.attribute(self.resolver, id, "Arn", At::new(id));
            found.is_ok_and(|found| found == arn)
        };
        roles.find(is_it).cloned()
    }

    /// A bus, by name or ARN: its logical id.
    pub(super) fn bus(&self, name: &str) -> Option<String> {
        let arn = if name.starts_with("arn:") {
            name.to_owned()
        } else {
            self.arns.bus(name)
        };
        let found = self.arns.find(&arn);
        if let Some(Resource::Bus(id)) = found {
            return Some(id.clone());
        }
        (name == "default").then(|| name.to_owned())
    }
}

/// As SAM merges its globals: maps are joined, lists appended, and the resource's own value wins.
///
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
fn merge(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own))
            if intrinsic(global).is_none() && intrinsic(own).is_none() =>
        {
            let mut merged = global.clone();
            for (key, value) in own {
                let value = global
                    .get(key)
                    .map_or_else(|| value.clone(), |above| merge(above, value));
                merged.insert(key.clone(), value);
            }
            merged.into()
        }
        (Value::Array(global), Value::Array(own)) => global.iter().chain(own).cloned().collect(),
        _ => own.clone(),
    }
}
