//! What resources are called: the values of `Ref` and `Fn::GetAtt`, and which resource an ARN names.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::error::Refused;
use super::no_meaning;
use super::reader::scalar;
use super::resolve::{Location, Resolver};
use crate::arn::queue_url;
use crate::model::ACCOUNT;

/// The id of the HTTP API.
pub(crate) const API_ID: &str = "local";

/// The property that names a resource, by type; the rest is named by stack and logical id.
const NAME_PROPERTIES: &[(&str, &str)] = &[
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::IAM::Policy", "PolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SecretsManager::Secret", "Name"),
    ("AWS::Serverless::Function", "FunctionName"),
    ("AWS::Serverless::StateMachine", "Name"),
];

/// How long a given name may be, and which characters it may have beside letters and digits. CloudFormation makes the
/// other names as they have to be.
const NAMES: &[(&str, RangeInclusive<usize>, &str)] = &[
    ("AWS::DynamoDB::Table", 3..=255, "-_."),
    ("AWS::Events::EventBus", 1..=256, "-_./"),
    ("AWS::Events::Rule", 1..=64, "-_."),
    ("AWS::S3::Bucket", 3..=63, "-."),
    ("AWS::SQS::Queue", 1..=80, "-_"),
    ("AWS::SecretsManager::Secret", 1..=512, "-_./+=@"),
    ("AWS::Serverless::Function", 1..=64, "-_"),
    ("AWS::Serverless::StateMachine", 1..=80, "-_"),
];

/// Whether a service takes a name.
fn is_name(resource_type: &str, name: &str) -> bool {
    let Some((_, length, others)) = NAMES.iter().find(|(of, ..)| *of == resource_type) else {
        return true;
    };
    let lower = resource_type == "AWS::S3::Bucket";
    let right = |c: char| {
        (c.is_ascii_alphanumeric() && !(lower && c.is_ascii_uppercase())) || others.contains(c)
    };
    length.contains(&name.len()) && name.chars().all(right)
}

impl Resolver<'_> {
    /// The physical name of a resource.
    pub(super) fn physical(&self, id: &str, at: Location<'_>) -> Result<String, Refused> {
        let resource_type = self.type_of(id, at)?;
        let property = NAME_PROPERTIES.iter().find(|(of, _)| *of == resource_type);
        let property = property.map_or("", |(_, property)| property);
        let given = self.resources.get(id);
        let given = given.and_then(|resource| resource.get("Properties")?.get(property));
        let given = given.map(|name| self.resolve(name, at.deeper()?));
        let given = given.transpose()?.flatten();
        let Some(name) = given.as_ref().and_then(scalar) else {
            return Ok(format!("{}-{id}", self.places.stack_name));
        };
        if !is_name(resource_type, &name) {
            let at = format!("Resources.{id}.Properties.{property}");
            let problem = format!("{name} is not a name for {resource_type}");
            return Err(Refused::new(&at, problem));
        }
        Ok(name)
    }

    /// The type of a resource that is part of the stack.
    fn type_of(&self, id: &str, at: Location<'_>) -> Result<&str, Refused> {
        let problem = || at.refuse(format!("there is no parameter or resource {id}"));
        let resource = self.resources.get(id).ok_or_else(problem)?;
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
            && !self.condition(condition, at)?
        {
            return Err(at.refuse(format!(
                "resource {id} is left out by its condition {condition}"
            )));
        }
        resource
            .get("Type")
            .and_then(Value::as_str)
            .ok_or_else(problem)
    }

    /// The value of `Ref` for a resource.
    pub(super) fn resource_reference(&self, id: &str, at: Location<'_>) -> Result<String, Refused> {
        if let Some(role) = self.implied_role(id) {
            return Ok(role);
        }
        let name = self.physical(id, at)?;
        Ok(match self.type_of(id, at)? {
            "AWS::SQS::Queue" => queue_url(&self.places.endpoint, &name),
            "AWS::SNS::Topic" => self.arns.build("sns", &name),
            "AWS::SecretsManager::Secret" => self.arns.secret(&name),
            "AWS::Serverless::HttpApi" => API_ID.to_owned(),
            "AWS::Serverless::StateMachine" => self.arns.state_machine(&name),
            _ => name,
        })
    }

    /// The value of `Fn::GetAtt`.
    pub(super) fn attribute(
        &self,
        id: &str,
        attribute: &str,
        at: Location<'_>,
    ) -> Result<String, Refused> {
        if let Some(role) = self.implied_role(id) {
            return Ok(format!("arn:aws:iam::{ACCOUNT}:role/{role}"));
        }
        let name = self.physical(id, at)?;
        let resource_type = self.type_of(id, at)?;
        let arns = &self.arns;
        Ok(match (resource_type, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => arns.table(&name),
            ("AWS::DynamoDB::Table", "StreamArn") => arns.stream(&name),
            ("AWS::Events::EventBus", "Arn") => arns.bus(&name),
            ("AWS::Events::Rule", "Arn") => arns.rule(&self.bus_of(id, at)?, &name),
            ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
            ("AWS::S3::Bucket", "Arn") => arns.bucket(&name),
            ("AWS::SQS::Queue", "Arn") => arns.queue(&name),
            ("AWS::SQS::Queue", "QueueUrl") => queue_url(&self.places.endpoint, &name),
            ("AWS::SecretsManager::Secret", "Id") => arns.secret(&name),
            ("AWS::Serverless::Function", "Arn") => arns.function(&name),
            ("AWS::Serverless::HttpApi", "ApiId") => API_ID.to_owned(),
            ("AWS::Serverless::HttpApi", "ApiEndpoint") => self.places.shop.clone(),
            ("AWS::Serverless::StateMachine", "Arn") => arns.state_machine(&name),
            ("AWS::Events::EventBus" | "AWS::Serverless::StateMachine", "Name")
            | ("AWS::SQS::Queue", "QueueName") => name,
            (other, attribute) if no_meaning::TYPES.contains(&other) => {
                let service = other.split("::").nth(1).unwrap_or_default().to_lowercase();
                if attribute.ends_with("Arn") {
                    arns.build(&service, &name)
                } else {
                    name
                }
            }
            _ => {
                let problem = format!("{resource_type} {id} has no attribute {attribute} locally");
                return Err(at.refuse(problem));
            }
        })
    }

    /// The name of the bus of a rule.
    fn bus_of(&self, rule: &str, at: Location<'_>) -> Result<String, Refused> {
        let bus = &self.resources[rule]["Properties"]["EventBusName"];
        let bus = self.resolve(bus, at)?.unwrap_or_default();
        Ok(bus.as_str().unwrap_or("default").to_owned())
    }

    /// The role that SAM makes for a function or a state machine: its logical id and `Role`.
    pub(super) fn implied_role(&self, id: &str) -> Option<String> {
        let owner = id
            .strip_suffix("Role")
            .filter(|_| !self.resources.contains_key(id))?;
        let made = ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"];
        let resource_type = self.resources.get(owner)?.get("Type")?.as_str()?;
        made.contains(&resource_type)
            .then(|| format!("{}-{id}", self.places.stack_name))
    }
}
