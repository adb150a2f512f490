//! What AWS does in the name of functions, state machines and roles, and whether their policies
//! allow it. AWS asks when the template is deployed, or the first time; here it is asked at the start.

use serde_json::Value;

use super::builder::Builder;
use super::error::Refused;
use super::grants::INVOKE;
use crate::access;
use crate::arn::Arns;
use crate::model::{Destination, Need, Permission, Source, Stack};

/// What Lambda has to do to poll a queue.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub(super) const POLL_QUEUE: [&str; 3] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
];

/// What Lambda has to do to poll a stream; listing streams knows no resources.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
pub(super) const POLL_STREAM: [&str; 4] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// Writes down what the stack's parts need, and checks that they may.
pub(super) fn check(builder: &mut Builder<'_>) -> Result<(), Refused> {
    let mut needs = std::mem::take(&mut builder.stack.standing);
    needs.extend(of_functions(&builder.stack, &builder.arns));
    needs.extend(of_state_machines(&builder.stack, &builder.arns));
    needs.sort();
    needs.dedup();
    for Need { holder, permission } in &needs {
        let policies = builder.stack.policies.get(holder);
        if !policies.is_some_and(|statements| access::allow(statements, permission)) {
            let Permission { action, resource } = permission;
            let at = format!("Resources.{holder}.Properties.Policies");
            let problem = format!("{action} on {resource} is not allowed, and AWS has to do it");
            return Err(Refused::new(&at, problem));
        }
    }
    builder.stack.standing = needs;
    Ok(())
}

fn need(holder: &str, action: &str, resource: impl Into<String>) -> Need {
    Need {
        holder: holder.to_owned(),
        permission: Permission {
            action: action.to_owned(),
            resource: resource.into(),
        },
    }
}

/// What the role of a route has to be allowed.
pub(super) fn of_route(role: &str, function: &str) -> Need {
    need(role, INVOKE, function)
}

/// What the role of a rule's target has to be allowed.
pub(super) fn of_rule(role: &str, machine: &str) -> Need {
    need(role, "states:StartExecution", machine)
}

/// The polling of mappings, and what failed for good.
fn of_functions(stack: &Stack, arns: &Arns) -> Vec<Need> {
    let mut needs = Vec::new();
    for mapping in &stack.mappings {
        let function = &mapping.function;
        match &mapping.source {
            Source::Queue(queue) => {
                let arn = stack.queues.get(queue).map(|queue| arns.queue(&queue.name));
                let arn = arn.unwrap_or_default();
                needs.extend(POLL_QUEUE.map(|action| need(function, action, arn.clone())));
            }
            Source::Stream(table) => {
                let arn = stack.tables.get(table);
                let arn = arn.map_or_else(String::new, |table| arns.stream(&table.name));
                needs.extend(POLL_STREAM.map(|action| {
                    let lists = action == "dynamodb:ListStreams";
                    need(function, action, if lists { "*" } else { &arn })
                }));
            }
        }
        needs.extend(of_destination(
            stack,
            arns,
            function,
            mapping.on_failure.as_ref(),
        ));
    }
    for (id, function) in &stack.functions {
        let destination = function.async_on_failure.as_ref();
        needs.extend(of_destination(stack, arns, id, destination));
    }
    needs
}

fn of_destination(stack: &Stack, arns: &Arns, holder: &str, to: Option<&Destination>) -> Vec<Need> {
    match to {
        Some(Destination::Queue(id)) => {
            let arn = stack.queues.get(id).map(|queue| arns.queue(&queue.name));
            vec![need(holder, "sqs:SendMessage", arn.unwrap_or_default())]
        }
        Some(Destination::Bucket(id)) => {
            let bucket = stack.buckets.get(id).map(|name| arns.bucket(name));
            let bucket = bucket.unwrap_or_default();
            vec![
                need(holder, "s3:PutObject", format!("{bucket}/aws/lambda/")),
                need(holder, "s3:ListBucket", bucket),
            ]
        }
        None => Vec::new(),
    }
}

/// The functions that a definition names.
fn of_state_machines(stack: &Stack, arns: &Arns) -> Vec<Need> {
    let mut needs = Vec::new();
    for (id, machine) in &stack.state_machines {
        let mut ahead = vec![&machine.definition];
        while let Some(value) = ahead.pop() {
            match value {
                Value::Array(items) => ahead.extend(items),
                Value::Object(map) => ahead.extend(map.values()),
                Value::String(text) if arns.find_function(text).is_some() => {
                    needs.push(need(id, INVOKE, text));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
    needs
}
