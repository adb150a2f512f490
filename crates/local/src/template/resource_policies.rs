//! Resource policies: whom a queue, a function or a role lets do what. EventBridge loses every event for a queue or
//! function that does not let its rule send to it, and API Gateway fails every request whose authoriser it may not call,
//! so a template with such a rule or authoriser is refused. S3 refuses a bucket whose queue does not let it send.
//!
//! Not weighed are what denies or has other conditions than on the source: it is refused, except for the one denial that
//! AWS's own services never meet, of what comes without TLS.

use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::grants::{EVENTS, Grant, INVOKE, RequiredGrant};
use super::reader::Properties;
use crate::access::like;
use crate::arn::Resource;
use crate::model::{ACCOUNT, Permission, Rule, Statement, TargetKind};

/// Checks that services may do what they have to.
///
/// # Errors
/// The first that may not.
pub(super) fn check(builder: &Builder<'_>) -> Result<(), Refused> {
    let refused =
        |required: &&RequiredGrant| !builder.grants.iter().any(|grant| grant.allows(required));
    let Some(required) = builder.required_grants.iter().find(refused) else {
        return Ok(());
    };
    let Permission { action, resource } = &required.permission;
    let problem = format!(
        "no policy of {resource} lets {} do {action}",
        required.service
    );
    Err(Refused::new(&required.at, problem))
}

/// What EventBridge has to be allowed for a rule (by logical id).
pub(super) fn of_rule(builder: &Builder<'_>, id: &str, rule: &Rule) -> Vec<RequiredGrant> {
    let queue = |id: &String| ("sqs:SendMessage", Resource::Queue(id.clone()));
    let targets = rule.targets.iter().flat_map(|target| {
        let own = match &target.kind {
            TargetKind::Function(id) => Some((INVOKE, Resource::Function(id.clone()))),
            TargetKind::Queue(own) => Some(queue(own)),
            // A role is weighed instead.
            TargetKind::StateMachine(_) => None,
        };
        own.into_iter()
            .chain(target.dead_letter_queue.as_ref().map(queue))
    });
    let required = |(action, resource): (&str, Resource)| {
        let resource = builder.arns.arn_of(&resource).unwrap_or_default();
        RequiredGrant {
            at: format!("Resources.{id}"),
            service: EVENTS,
            permission: Permission {
                action: action.to_owned(),
                resource: resource.to_owned(),
            },
            source: rule_arn(builder, rule),
        }
    };
    targets.map(required).collect()
}

/// That EventBridge may assume the role (by logical id) of a rule's target.
pub(super) fn of_assumed(
    builder: &Builder<'_>,
    id: &str,
    rule: &Rule,
    assumed: &str,
) -> RequiredGrant {
    let at = format!("Resources.{id}");
    assuming(at, EVENTS, assumed, rule_arn(builder, rule))
}

/// That a service may assume the role `assumed` (by logical id) in the name of `source`.
pub(super) fn assuming(
    at: String,
    service: &'static str,
    assumed: &str,
    source: String,
) -> RequiredGrant {
    RequiredGrant {
        at,
        service,
        permission: Permission {
            action: "sts:AssumeRole".to_owned(),
            resource: assumed.to_owned(),
        },
        source,
    }
}

/// The ARN of a rule.
fn rule_arn(builder: &Builder<'_>, rule: &Rule) -> String {
    // The bus may not be part of the stack yet.
    let bus = builder.arns.arn_of(&Resource::Bus(rule.bus.clone()));
    let bus = bus.and_then(|arn| arn.rsplit('/').next());
    builder.arns.rule(bus.unwrap_or(&rule.bus), &rule.name)
}

/// `AWS::SQS::QueuePolicy`.
pub(super) fn of_queues(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let mut properties = declared.properties;
    let grants = document(&mut properties, "PolicyDocument")?;
    for url in properties.one_or_more("Queues")? {
        let arn = builder
            .arns
            .queue(url.rsplit('/').next().unwrap_or_default());
        if builder.arns.find_queue(&arn).is_none() {
            let problem = format!("{url} is not a queue of this stack");
            return Err(properties.refuse("Queues", problem));
        }
        if !builder.with_policy.insert(arn.clone()) {
            // The one that is made later takes the place of the other.
            let problem = format!("{url} has another policy, too");
            return Err(properties.refuse("Queues", problem));
        }
        builder.grants.extend(grants_on(&grants, &arn));
    }
    properties.done("AWS::SQS::QueuePolicy")
}

/// `AWS::S3::BucketPolicy` and `AWS::Events::EventBusPolicy`: within the account, policies of functions allow what these
/// might, so only a denial would matter, and is refused.
pub(super) fn of_others(declared: Declared, resource_type: &str) -> Result<(), Refused> {
    let mut properties = declared.properties;
    if resource_type == "AWS::S3::BucketPolicy" {
        document(&mut properties, "PolicyDocument")?;
    } else if let Some(own) = properties.map("Statement")? {
        statement(own)?;
    }
    properties.done(resource_type)
}

/// `AWS::Lambda::Permission`.
pub(super) fn of_function(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let mut properties = declared.properties;
    let name = properties.needed_text("FunctionName")?;
    let arn = if name.starts_with("arn:") {
        name
    } else {
        builder.arns.function(&name)
    };
    if builder.arns.find_function(&arn).is_none() {
        let problem = format!("{arn} is not a function of this stack");
        return Err(properties.refuse("FunctionName", problem));
    }
    properties.only("SourceAccount", &[ACCOUNT])?;
    builder.grants.push(Grant {
        services: vec![properties.needed_text("Principal")?],
        statement: Statement {
            actions: vec![properties.needed_text("Action")?],
            resources: vec![arn],
        },
        sources: properties
            .text("SourceArn")?
            .into_iter()
            .map(|source| vec![source])
            .collect(),
    });
    properties.done("AWS::Lambda::Permission")
}

/// Who may assume a role.
pub(super) fn of_role(
    builder: &mut Builder<'_>,
    role: &str,
    properties: &mut Properties,
) -> Result<(), Refused> {
    for grant in document(properties, "AssumeRolePolicyDocument")? {
        let mut grant = grant;
        grant.statement.resources = vec![role.to_owned()];
        builder.grants.push(grant);
    }
    Ok(())
}

/// Those of `grants` that are about the resource `arn`, for this resource only.
fn grants_on(grants: &[Grant], arn: &str) -> Vec<Grant> {
    let about = |grant: &&Grant| {
        let mut resources = grant.statement.resources.iter();
        resources.any(|resource| like(resource, arn))
    };
    let narrowed = |grant: &Grant| {
        let mut grant = grant.clone();
        grant.statement.resources = vec![arn.to_owned()];
        grant
    };
    grants.iter().filter(about).map(narrowed).collect()
}

/// The statements of a policy.
fn document(properties: &mut Properties, key: &str) -> Result<Vec<Grant>, Refused> {
    let Some(mut document) = properties.map(key)? else {
        return Ok(Vec::new());
    };
    document.only("Version", &["2012-10-17"])?;
    let statements = document.some_maps("Statement")?;
    document.done("Policy")?;
    let grants = statements.into_iter().map(statement);
    Ok(grants.collect::<Result<Vec<_>, _>>()?.concat())
}

/// One statement; nothing for a denial that no service meets.
fn statement(mut properties: Properties) -> Result<Vec<Grant>, Refused> {
    properties.text("Sid")?;
    let effect = properties.needed_text("Effect")?;
    let condition = properties.map("Condition")?;
    if effect == "Deny" {
        let tls = condition.map(|condition| Value::from(condition.into_entries()));
        if tls != Some(serde_json::json!({"Bool": {"aws:SecureTransport": "false"}})) {
            let problem = "Deny is not emulated locally, except for aws:SecureTransport";
            return Err(properties.refuse("Effect", problem));
        }
        for key in ["Principal", "Action", "Resource"] {
            properties.take(key);
        }
        properties.done("Statement")?;
        return Ok(Vec::new());
    }
    let grant = Grant {
        services: services(&mut properties)?,
        statement: Statement {
            actions: properties.one_or_more("Action")?,
            // A policy that is about one thing, as that of a role, names none.
            resources: properties.some_texts("Resource")?,
        },
        sources: condition.map(sources).transpose()?.unwrap_or_default(),
    };
    properties.done("Statement")?;
    Ok(vec![grant])
}

/// The services in `Principal`, without its accounts and roles.
fn services(properties: &mut Properties) -> Result<Vec<String>, Refused> {
    match properties.take("Principal") {
        Some(Value::String(all)) if all == "*" => Ok(vec![all]),
        Some(principal) => {
            let at = format!("{}.Principal", properties.at());
            let mut principal = Properties::new(at, principal)?;
            principal.take("AWS");
            let services = principal.some_texts("Service")?;
            principal.done("Principal")?;
            Ok(services)
        }
        None => Err(properties.refuse("Principal", "is missing")),
    }
}

/// What a condition says of the source.
fn sources(condition: Properties) -> Result<Vec<Vec<String>>, Refused> {
    let at = condition.at().to_owned();
    let mut sources = Vec::new();
    for (operator, keys) in condition.into_entries() {
        let compares = ["ArnEquals", "ArnLike", "StringEquals", "StringLike"];
        let mut keys = Properties::new(format!("{at}.{operator}"), keys)?;
        if !compares.contains(&operator.as_str()) {
            return Err(Refused::new(keys.at(), "is not emulated locally"));
        }
        let mut values = keys.some_texts("aws:SourceArn")?;
        let mut accounts = keys.some_texts("aws:SourceAccount")?;
        if operator == "StringEquals" {
            values.retain(|value| !value.contains(['*', '?']));
            accounts.retain(|value| !value.contains(['*', '?']));
        }
        let of_account = !accounts.is_empty();
        if of_account {
            // An account is not an ARN. A policy for another account has no source here.
            let this = operator.starts_with("String");
            if !(this && accounts.iter().any(|account| like(account, ACCOUNT))) {
                sources.push(Vec::new());
            }
        }
        keys.done("Condition")?;
        if !(of_account && values.is_empty()) {
            sources.push(values);
        }
    }
    Ok(sources)
}
