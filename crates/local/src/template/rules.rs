//! `AWS::Events::Rule`, and the rules that SAM makes of events of type `EventBridgeRule`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::grants::{Grant, INVOKE};
use super::reader::{Properties, scalar};
use super::resource_policies;
use super::standing;
use crate::arn::Resource;
use crate::model::{Rule, Target, TargetInput, TargetKind};

pub(super) fn rule(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("Name");
    let (bus, pattern, enabled) = bus_pattern_and_state(builder, &mut properties, "EventPattern")?;
    let (mut targets, mut roles) = (Vec::new(), Vec::new());
    for mut target in properties.maps("Targets")? {
        let arn = target.needed_text("Arn")?;
        let problem = || {
            target.refuse(
                "Arn",
                format!("{arn} is not a function, queue or state machine of this stack"),
            )
        };
        let kind = kind(builder, &arn).ok_or_else(problem)?;
        let id = target.needed_text("Id")?;
        if let TargetKind::StateMachine(_) = kind {
            let role = target.needed_text("RoleArn")?;
            let problem =
                || target.refuse("RoleArn", format!("{role} is not a role of this stack"));
            let role = builder.role(&role).ok_or_else(problem)?;
            builder.stack.standing.push(standing::of_rule(&role, &arn));
            roles.push(role);
        }
        targets.push(self::target(builder, id, kind, &mut target)?);
        target.done("Target")?;
    }
    check_targets(&properties, &targets)?;
    properties.done("AWS::Events::Rule")?;
    if enabled {
        let rule = Rule {
            name,
            bus,
            pattern,
            targets,
        };
        builder
            .required_grants
            .extend(resource_policies::of_rule(builder, &id, &rule));
        let assumed = roles
            .iter()
            .map(|role| resource_policies::of_assumed(builder, &id, &rule, role));
        builder.required_grants.extend(assumed.collect::<Vec<_>>());
        builder.stack.rules.insert(id, rule);
    }
    Ok(())
}

/// A rule has five targets at most, each with an id of its own.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
fn check_targets(properties: &Properties, targets: &[Target]) -> Result<(), Refused> {
    if targets.len() > 5 {
        return Err(properties.refuse("Targets", "more than 5"));
    }
    let mut ids = BTreeSet::new();
    match targets.iter().find(|target| !ids.insert(&target.id)) {
        Some(Target { id, .. }) => {
            Err(properties.refuse("Targets", format!("two have the id {id}")))
        }
        None => Ok(()),
    }
}

/// An event of type `EventBridgeRule` on a function or a state machine.
pub(super) fn event(
    builder: &mut Builder<'_>,
    owner: &str,
    event: &str,
    kind: TargetKind,
    mut properties: Properties,
) -> Result<(), Refused> {
    let id = format!("{owner}{event}");
    let name = properties.text("RuleName")?.unwrap_or_else(|| id.clone());
    let (bus, pattern, enabled) = bus_pattern_and_state(builder, &mut properties, "Pattern")?;
    let target_id = match properties.map("Target")? {
        Some(mut target) => {
            let given = target.needed_text("Id")?;
            target.done("EventBridgeRule target")?;
            given
        }
        None => format!("{id}Target"),
    };
    let target = target(builder, target_id, kind, &mut properties)?;
    properties.done("EventBridgeRule event")?;
    if enabled {
        let rule = Rule {
            name,
            bus,
            pattern,
            targets: vec![target],
        };
        let required_grants = resource_policies::of_rule(builder, &id, &rule);
        // SAM lets the rule invoke its function, but not send to its dead-letter queue.
        let invokes = required_grants
            .iter()
            .filter(|required| required.permission.action == INVOKE);
        builder.grants.extend(invokes.map(Grant::by_sam));
        builder.required_grants.extend(required_grants);
        builder.stack.rules.insert(id, rule);
    }
    Ok(())
}

/// Bus, pattern, and whether the rule is enabled.
fn bus_pattern_and_state(
    builder: &Builder<'_>,
    properties: &mut Properties,
    pattern_key: &str,
) -> Result<(String, Value, bool), Refused> {
    let bus = properties
        .text("EventBusName")?
        .unwrap_or_else(|| "default".to_owned());
    let problem = || properties.refuse("EventBusName", format!("{bus} is not a bus of this stack"));
    let bus = builder.bus(&bus).ok_or_else(problem)?;
    let pattern = properties.json(pattern_key)?;
    let pattern = pattern.ok_or_else(|| properties.refuse(pattern_key, "is missing"))?;
    let state = properties.text("State")?;
    match state.as_deref() {
        None | Some("ENABLED") => Ok((bus, pattern, true)),
        Some("DISABLED") => Ok((bus, pattern, false)),
        Some(other) => Err(properties.refuse("State", format!("{other} is not emulated locally"))),
    }
}

fn kind(builder: &Builder<'_>, arn: &str) -> Option<TargetKind> {
    match builder.arns.find(arn)? {
        Resource::Function(id) => Some(TargetKind::Function(id.clone())),
        Resource::Queue(id) => Some(TargetKind::Queue(id.clone())),
        Resource::StateMachine(id) => Some(TargetKind::StateMachine(id.clone())),
        Resource::Bucket(_) | Resource::Bus(_) | Resource::Secret(_) | Resource::Table(_) => None,
    }
}

fn target(
    builder: &Builder<'_>,
    id: String,
    kind: TargetKind,
    properties: &mut Properties,
) -> Result<Target, Refused> {
    let input = input(properties)?;
    let (mut retries, mut max_age) = (185, Duration::from_hours(24));
    if let Some(mut policy) = properties.map("RetryPolicy")? {
        retries = policy
            .number("MaximumRetryAttempts", 0, 185)?
            .unwrap_or(185);
        max_age = policy.seconds("MaximumEventAgeInSeconds", 60, 86_400, 86_400)?;
        policy.done("RetryPolicy")?;
    }
    let mut dead_letter_queue = None;
    if let Some(mut config) = properties.map("DeadLetterConfig")? {
        let arn = config.needed_text("Arn")?;
        let queue = builder.arns.find_queue(&arn).map(str::to_owned);
        let problem = || config.refuse("Arn", format!("{arn} is not a queue of this stack"));
        dead_letter_queue = Some(queue.ok_or_else(problem)?);
        config.done("DeadLetterConfig")?;
    }
    Ok(Target {
        id,
        kind,
        input,
        retries,
        max_age,
        dead_letter_queue,
    })
}

fn input(properties: &mut Properties) -> Result<TargetInput, Refused> {
    let path = properties.text("InputPath")?;
    let constant = properties.json("Input")?;
    let transformer = properties.map("InputTransformer")?;
    match (path, constant, transformer) {
        (None, None, None) => Ok(TargetInput::Event),
        (Some(path), None, None) => Ok(TargetInput::Path(path)),
        (None, Some(constant), None) => Ok(TargetInput::Constant(constant)),
        (None, None, Some(mut transformer)) => {
            let template = transformer.needed_text("InputTemplate")?;
            let paths = transformer
                .map("InputPathsMap")?
                .map(Properties::into_entries);
            transformer.done("InputTransformer")?;
            let paths = paths.unwrap_or_default().into_iter();
            let paths = paths
                .filter_map(|(name, path)| Some((name, scalar(&path)?)))
                .collect();
            Ok(TargetInput::Transformer { paths, template })
        }
        _ => Err(properties.refuse("Input", "only one of Input, InputPath and InputTransformer")),
    }
}
