//! Who may send to a queue. EventBridge loses every event for a queue whose policy does not let the rule send to it,
//! so a template with such a rule is refused.

use serde_json::Value;

use super::builder::{Builder, Declared, QueuePolicy};
use super::error::Refused;
use crate::model::{Rule, TargetKind};

/// `AWS::SQS::QueuePolicy`.
pub(super) fn queue_policy(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let mut properties = declared.properties;
    let queues = properties.one_or_more("Queues")?;
    let document = properties.take("PolicyDocument").unwrap_or_default();
    properties.done("AWS::SQS::QueuePolicy")?;
    let statements = list(&document["Statement"]).cloned().collect();
    builder
        .queue_policies
        .push(QueuePolicy { queues, statements });
    Ok(())
}

/// Refuses a rule that may not send to its queues.
///
/// # Errors
/// The rule, and the queue.
pub(super) fn check(builder: &Builder<'_>) -> Result<(), Refused> {
    for (id, rule) in &builder.stack.rules {
        for target in &rule.targets {
            let own = match &target.kind {
                TargetKind::Queue(queue) => Some(queue),
                TargetKind::Function(_) | TargetKind::StateMachine(_) => None,
            };
            for queue in own.into_iter().chain(&target.dead_letter_queue) {
                if !may_send(builder, rule, queue) {
                    let at = format!("Resources.{id}");
                    let problem =
                        format!("no policy of the queue {queue} lets this rule send to it");
                    return Err(Refused::new(&at, problem));
                }
            }
        }
    }
    Ok(())
}

fn may_send(builder: &Builder<'_>, rule: &Rule, queue: &str) -> bool {
    let (stack, arns) = (&builder.stack, &builder.arns);
    let Some(name) = stack.queues.get(queue).map(|queue| &queue.name) else {
        return false;
    };
    let url = crate::arn::queue_url(&builder.resolver.places.endpoint, name);
    let bus = stack.buses.get(&rule.bus).unwrap_or(&rule.bus);
    let (rule, queue) = (arns.rule(bus, &rule.name), arns.queue(name));
    let policies = builder.queue_policies.iter();
    let policies = policies.filter(|policy| policy.queues.contains(&url));
    policies
        .flat_map(|policy| &policy.statements)
        .any(|statement| allows(statement, &rule, &queue))
}

/// Whether `statement` lets EventBridge send to `queue` for `rule`. Other conditions than on the source do not hold.
fn allows(statement: &Value, rule: &str, queue: &str) -> bool {
    let principal = &statement["Principal"];
    let from_events =
        *principal == "*" || has(&principal["Service"], |name| name == "events.amazonaws.com");
    let sends = has(&statement["Action"], |action| {
        action == "*" || ["sqs:*", "sqs:sendmessage"].contains(&action.to_lowercase().as_str())
    });
    let here = has(&statement["Resource"], |resource| {
        resource == "*" || resource == queue
    });
    let conditions = statement["Condition"].as_object();
    let holds = conditions.into_iter().flatten().all(|(operator, keys)| {
        let compares = ["ArnEquals", "ArnLike", "StringEquals"].contains(&operator.as_str());
        let keys = keys.as_object();
        compares
            && keys.into_iter().flatten().all(|(key, values)| {
                key.eq_ignore_ascii_case("aws:SourceArn") && has(values, |value| value == rule)
            })
    });
    statement["Effect"] == "Allow" && from_events && sends && here && holds
}

/// Whether `is` is true of the text `value`, or of one in the list `value`.
fn has(value: &Value, is: impl Fn(&str) -> bool) -> bool {
    list(value).filter_map(Value::as_str).any(is)
}

/// The entries of a list; anything else is its own only entry.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let one = std::slice::from_ref(value);
    let one = if value.is_null() { &[] } else { one };
    value.as_array().map_or(one, Vec::as_slice).iter()
}
