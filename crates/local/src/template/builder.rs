//! The stack while it is built, and how its parts find each other.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::error::Refused;
use super::grants::{Grant, RequiredGrant};
use super::reader::Properties;
use super::resolve::{Location, Resolver};
use crate::arn::{Arns, Resource};
use crate::model::{Destination, Stack, Statement};

/// Builds one stack.
pub(super) struct Builder<'a> {
    pub(super) resolver: &'a Resolver<'a>,
    /// The directory of the template, that its files are beside.
    pub(super) beside: &'a Path,
    /// Finds the resources of this stack.
    pub(super) arns: Arns,
    pub(super) stack: Stack,
    /// The authoriser of routes that name none.
    pub(super) default_authorizer: Option<String>,
    /// The API's own definition of its routes. Without one, they are events of functions.
    pub(super) definition: Option<Properties>,
    /// What the API says of single routes, which are declared after it.
    pub(super) route_settings: Option<Properties>,
    /// What resources let services do.
    pub(super) grants: Vec<Grant>,
    /// What services have to be allowed.
    pub(super) required_grants: Vec<RequiredGrant>,
    /// The ARNs of queues with a policy.
    pub(super) with_policy: BTreeSet<String>,
}

/// One resource, with its properties and metadata resolved.
pub(super) struct Declared {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) properties: Properties,
    pub(super) metadata: Option<Value>,
}

impl<'a> Builder<'a> {
    /// An empty stack, whose files are in the directory `beside`.
    pub(super) fn new(resolver: &'a Resolver<'a>, beside: &'a Path) -> Self {
        Self {
            resolver,
            beside,
            arns: Arns::new(&resolver.places.region),
            stack: Stack::default(),
            default_authorizer: None,
            definition: None,
            route_settings: None,
            grants: Vec::new(),
            required_grants: Vec::new(),
            with_policy: BTreeSet::new(),
        }
    }

    /// Adds to what a function, state machine or role may do.
    pub(super) fn allow(&mut self, holder: String, statements: Vec<Statement>) {
        let policies = self.stack.policies.entry(holder).or_default();
        policies.extend(statements);
    }

    /// What SAM gives a function by itself, as its managed policies do: everything of a kind.
    pub(super) fn grant(&mut self, function: &str, actions: &[&str], resources: &[&str]) {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let statement = Statement {
            actions: owned(actions),
            resources: owned(resources),
        };
        self.allow(function.to_owned(), vec![statement]);
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
        let resolver = self.resolver;
        let mut resources = resolver.resources.iter();
        let is_it =
            |(id, resource): &(&String, &Value)| match resource.get("Type").and_then(Value::as_str)
            {
                Some("AWS::Serverless::Function" | "AWS::Serverless::StateMachine") => {
                    resolver.implied_role(&format!("{id}Role")).as_deref() == Some(role)
                }
                Some("AWS::IAM::Role") => {
                    let found = resolver.physical(id, Location::new(id));
                    found.is_ok_and(|found| found == role)
                }
                _ => false,
            };
        resources.find(is_it).map(|(id, _)| id.clone())
    }

    /// The role of this stack that an ARN names, by logical id.
    pub(super) fn role(&self, arn: &str) -> Option<String> {
        let resolver = self.resolver;
        let roles = resolver.resources.iter().filter(|(_, resource)| {
            resource.get("Type").and_then(Value::as_str) == Some("AWS::IAM::Role")
        });
        let mut roles = roles.map(|(id, _)| id);
        let is_it = |id: &&String| {
            let found = resolver.attribute(id, "Arn", Location::new(id));
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
