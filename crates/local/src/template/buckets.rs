//! `AWS::S3::Bucket`, and what it tells queues.

use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::grants::{RequiredGrant, S3};
use super::reader::Properties;
use crate::model::{BucketCors, Notification, Permission};

/// What can be told: that an object was made, in any way or in one.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>
const EVENTS: &[&str] = &[
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Put",
];

pub(super) fn bucket(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("BucketName");
    if let Some(mut configuration) = properties.map("NotificationConfiguration")? {
        let mut own = Vec::new();
        for (n, queue) in configuration
            .maps("QueueConfigurations")?
            .into_iter()
            .enumerate()
        {
            let at = queue.at().to_owned();
            let one = notification(builder, &id, &name, format!("{id}-{n}"), queue)?;
            if own.iter().any(|other| overlap(other, &one)) {
                let problem = "overlaps with another one: S3 sends an event to one queue only";
                return Err(Refused::new(&at, problem));
            }
            own.push(one);
        }
        configuration.done("NotificationConfiguration")?;
        if !own.is_empty() {
            check_order(builder, &id)?;
        }
        builder.stack.notifications.extend(own);
    }
    if let Some(mut configuration) = properties.map("CorsConfiguration")? {
        let rules = configuration.maps("CorsRules")?.into_iter().map(cors);
        let rules = rules.collect::<Result<_, _>>()?;
        configuration.done("CorsConfiguration")?;
        builder.stack.bucket_cors.insert(id.clone(), rules);
    }
    properties.done("AWS::S3::Bucket")?;
    builder.stack.buckets.insert(id, name);
    Ok(())
}

fn cors(mut rule: Properties) -> Result<BucketCors, Refused> {
    rule.text("Id")?;
    let cors = BucketCors {
        origins: rule.texts("AllowedOrigins")?,
        methods: rule.texts("AllowedMethods")?,
        headers: rule.texts("AllowedHeaders")?,
        expose: rule.texts("ExposedHeaders")?,
        max_age: rule.number("MaxAge", 0, u32::MAX)?,
    };
    let known = ["DELETE", "GET", "HEAD", "POST", "PUT"];
    if let Some(other) = cors
        .methods
        .iter()
        .find(|method| !known.contains(&method.as_str()))
    {
        let problem = format!("{other} is not one of {}", known.join(", "));
        return Err(rule.refuse("AllowedMethods", problem));
    }
    let several = |origin: &&String| origin.matches('*').count() > 1;
    if let Some(origin) = cors.origins.iter().find(several) {
        let problem = format!("{origin} has more than one *");
        return Err(rule.refuse("AllowedOrigins", problem));
    }
    rule.done("CorsRule")?;
    Ok(cors)
}

fn notification(
    builder: &mut Builder<'_>,
    bucket: &str,
    name: &str,
    id: String,
    mut properties: Properties,
) -> Result<Notification, Refused> {
    let event = properties.needed_text("Event")?;
    if !EVENTS.contains(&event.as_str()) {
        return Err(properties.refuse("Event", format!("{event} is not emulated locally")));
    }
    let arn = properties.needed_text("Queue")?;
    let queue = builder.arns.find_queue(&arn).map(str::to_owned);
    let queue = queue
        .ok_or_else(|| properties.refuse("Queue", format!("{arn} is not a queue of this stack")))?;
    builder.required_grants.push(RequiredGrant {
        at: format!("Resources.{bucket}"),
        service: S3,
        permission: Permission {
            action: "sqs:SendMessage".to_owned(),
            resource: arn,
        },
        source: builder.arns.bucket(name),
    });
    let (mut prefix, mut suffix) = (None, None);
    if let Some(mut filter) = properties.map("Filter")? {
        let key = filter.map("S3Key")?;
        let mut key = key.ok_or_else(|| filter.refuse("S3Key", "is missing"))?;
        for mut rule in key.maps("Rules")? {
            let name = rule.needed_text("Name")?;
            let place = match name.to_ascii_lowercase().as_str() {
                "prefix" => &mut prefix,
                "suffix" => &mut suffix,
                _ => {
                    return Err(rule.refuse("Name", format!("{name} is neither prefix nor suffix")));
                }
            };
            if place.replace(rule.needed_text("Value")?).is_some() {
                return Err(rule.refuse("Name", format!("{name} is there twice")));
            }
            rule.done("FilterRule")?;
        }
        key.done("S3Key")?;
        filter.done("Filter")?;
    }
    properties.done("QueueConfiguration")?;
    Ok(Notification {
        bucket: bucket.to_owned(),
        id,
        event,
        queue,
        prefix: prefix.unwrap_or_default(),
        suffix: suffix.unwrap_or_default(),
    })
}

/// Whether one object could be told by both, which S3 refuses.
fn overlap(one: &Notification, other: &Notification) -> bool {
    let all = "s3:ObjectCreated:*";
    let events = one.event == other.event || one.event == all || other.event == all;
    let (p, q) = (&one.prefix, &other.prefix);
    let (s, t) = (&one.suffix, &other.suffix);
    let prefixes = p.starts_with(q.as_str()) || q.starts_with(p.as_str());
    let suffixes = s.ends_with(t.as_str()) || t.ends_with(s.as_str());
    events && prefixes && suffixes
}

/// S3 asks the queue when the bucket is made, so the policy of the queue has to be there by then.
fn check_order(builder: &Builder<'_>, id: &str) -> Result<(), Refused> {
    let resources = builder.resolver.resources;
    let depends = resources.get(id).and_then(|bucket| bucket.get("DependsOn"));
    let is_policy = |on: &Value| {
        let resource = on.as_str().and_then(|on| resources.get(on));
        let kind = resource.and_then(|resource| resource.get("Type"));
        kind.and_then(Value::as_str) == Some("AWS::SQS::QueuePolicy")
    };
    let found = match depends {
        Some(Value::Array(all)) => all.iter().any(is_policy),
        Some(one) => is_policy(one),
        None => false,
    };
    if found {
        return Ok(());
    }
    let at = format!("Resources.{id}.DependsOn");
    let problem = "names no AWS::SQS::QueuePolicy: without it, S3 may ask the queue too early";
    Err(Refused::new(&at, problem))
}
