//! The `Events` of a function: routes, schedules, streams, queues and rules.

use std::time::Duration;

use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::reader::Properties;
use super::standing::{POLL_QUEUE, POLL_STREAM};
use super::{api, rules};
use crate::arn::Resource;
use crate::events::pattern;
use crate::model::{Mapping, Schedule, Source, Stack, TargetKind};

pub(super) fn events(
    builder: &mut Builder<'_>,
    function: &str,
    events: Properties,
) -> Result<(), Refused> {
    let at = events.at().to_owned();
    for (name, event) in events.into_entries() {
        let mut event = Properties::new(format!("{at}.{name}"), event)?;
        let kind = event.needed_text("Type")?;
        let properties = event.map("Properties")?;
        let properties = match properties {
            Some(properties) => properties,
            None => Properties::new(event.at(), Value::Null)?,
        };
        match kind.as_str() {
            "HttpApi" => api::route(builder, function, properties)?,
            "Schedule" | "ScheduleV2" => schedule(builder, function, &name, properties)?,
            "SQS" => queue(builder, function, properties)?,
            "DynamoDB" => stream(builder, function, properties)?,
            "EventBridgeRule" => {
                let target = TargetKind::Function(function.to_owned());
                rules::event(builder, function, &name, target, properties)?;
            }
            _ => return Err(event.refuse("Type", format!("{kind} is not emulated locally"))),
        }
        event.done("Event")?;
    }
    Ok(())
}

fn schedule(
    builder: &mut Builder<'_>,
    function: &str,
    name: &str,
    mut properties: Properties,
) -> Result<(), Refused> {
    let key = ["Schedule", "ScheduleExpression"];
    let key = key
        .into_iter()
        .find_map(|key| Some((key, properties.take(key)?)));
    let (key, expression) = key.ok_or_else(|| properties.refuse("Schedule", "is missing"))?;
    let every = expression.as_str().and_then(rate);
    let problem = || {
        properties.refuse(
            key,
            format!("{expression} is not emulated locally, only rate(1 minute), rate(2 hours) and the like"),
        )
    };
    let every = every.ok_or_else(problem)?;
    let input = properties.json("Input")?;
    let enabled = match properties.text("State")?.as_deref() {
        None => properties.flag("Enabled")?.unwrap_or(true),
        Some("ENABLED") => true,
        Some("DISABLED") => false,
        Some(other) => {
            return Err(properties.refuse("State", format!("{other} is not emulated locally")));
        }
    };
    properties.done("Schedule event")?;
    let schedule = Schedule {
        function: function.to_owned(),
        every,
        input,
        enabled,
    };
    builder
        .stack
        .schedules
        .insert(format!("{function}{name}"), schedule);
    Ok(())
}

/// `rate(5 minutes)`.
fn rate(expression: &str) -> Option<Duration> {
    let (count, unit) = expression
        .strip_prefix("rate(")?
        .strip_suffix(')')?
        .trim()
        .split_once(' ')?;
    let count: u32 = count.parse().ok()?;
    // AWS takes the singular for one, and only for one.
    let unit = match (count, unit.trim()) {
        (1, "minute") | (2.., "minutes") => Duration::from_mins(1),
        (1, "hour") | (2.., "hours") => Duration::from_hours(1),
        (1, "day") | (2.., "days") => Duration::from_hours(24),
        _ => return None,
    };
    Some(unit * count)
}

/// An event of type `SQS`. SAM lets the function poll every queue: `AWSLambdaSQSQueueExecutionRole`.
fn queue(
    builder: &mut Builder<'_>,
    function: &str,
    mut properties: Properties,
) -> Result<(), Refused> {
    let arn = properties.needed_text("Queue")?;
    let queue = builder.arns.find_queue(&arn).map(str::to_owned);
    let problem = || properties.refuse("Queue", format!("{arn} is not a queue of this stack"));
    let queue = queue.ok_or_else(problem)?;
    builder.grant(function, &POLL_QUEUE, &["*"]);
    queue_mapping(builder, function, queue, properties, "SQS event")
}

/// An event of type `DynamoDB`. SAM lets the function poll every stream:
/// `AWSLambdaDynamoDBExecutionRole`.
fn stream(
    builder: &mut Builder<'_>,
    function: &str,
    mut properties: Properties,
) -> Result<(), Refused> {
    let arn = properties.needed_text("Stream")?;
    let problem = || properties.refuse("Stream", format!("{arn} is not a stream of this stack"));
    let table = stream_of(builder, &arn).ok_or_else(problem)?;
    builder.grant(function, &POLL_STREAM, &["*"]);
    stream_mapping(builder, function, table, properties, "DynamoDB event")
}

/// `AWS::Lambda::EventSourceMapping`: the function may do what its own policy says.
pub(super) fn event_source_mapping(
    builder: &mut Builder<'_>,
    declared: Declared,
) -> Result<(), Refused> {
    const TYPE: &str = "AWS::Lambda::EventSourceMapping";
    let mut properties = declared.properties;
    let name = properties.needed_text("FunctionName")?;
    let arn = if name.starts_with("arn:") {
        name.clone()
    } else {
        builder.arns.function(&name)
    };
    let function = builder.arns.find_function(&arn).map(str::to_owned);
    let function = function.ok_or_else(|| {
        let problem = format!("{name} is not a function of this stack");
        properties.refuse("FunctionName", problem)
    })?;
    let arn = properties.needed_text("EventSourceArn")?;
    if let Some(queue) = builder.arns.find_queue(&arn).map(str::to_owned) {
        return queue_mapping(builder, &function, queue, properties, TYPE);
    }
    let Some(table) = stream_of(builder, &arn) else {
        let problem = format!("{arn} is not a queue or stream of this stack");
        return Err(properties.refuse("EventSourceArn", problem));
    };
    stream_mapping(builder, &function, table, properties, TYPE)
}

/// The table whose stream an ARN names, by logical id.
fn stream_of(builder: &Builder<'_>, arn: &str) -> Option<String> {
    let found = builder.arns.find(arn).filter(|_| arn.contains("/stream/"));
    let Some(Resource::Table(table)) = found else {
        return None;
    };
    Some(table.clone())
}

fn queue_mapping(
    builder: &mut Builder<'_>,
    function: &str,
    queue: String,
    mut properties: Properties,
    of: &str,
) -> Result<(), Refused> {
    let scaling = properties.map("ScalingConfig")?;
    let max_concurrency = match scaling {
        Some(mut scaling) => {
            let most = scaling.number("MaximumConcurrency", 2, 1000)?;
            scaling.done("ScalingConfig")?;
            most
        }
        None => None,
    };
    let mapping = mapping(function, Source::Queue(queue), &mut properties, 10)?;
    if mapping.batch_size > 10 && mapping.window.is_zero() {
        let problem = "more than 10 messages need MaximumBatchingWindowInSeconds";
        return Err(properties.refuse("BatchSize", problem));
    }
    properties.done(of)?;
    builder.stack.mappings.push(Mapping {
        max_concurrency,
        ..mapping
    });
    Ok(())
}

fn stream_mapping(
    builder: &mut Builder<'_>,
    function: &str,
    table: String,
    mut properties: Properties,
    of: &str,
) -> Result<(), Refused> {
    let mapping = mapping(function, Source::Stream(table), &mut properties, 100)?;
    let forever = |properties: &mut Properties, key, most| match properties.text(key)? {
        Some(text) if text != "-1" => {
            let number: Option<u32> = text.parse().ok().filter(|number| *number <= most);
            let problem = || properties.refuse(key, format!("{text} is not between -1 and {most}"));
            number.ok_or_else(problem).map(Some)
        }
        Some(_) | None => Ok(None),
    };
    let retries = forever(&mut properties, "MaximumRetryAttempts", 10_000)?;
    let max_age = forever(&mut properties, "MaximumRecordAgeInSeconds", 604_800)?;
    let start = properties.needed_text("StartingPosition")?;
    if start != "TRIM_HORIZON" {
        let problem = format!("{start} is not emulated locally, only TRIM_HORIZON");
        return Err(properties.refuse("StartingPosition", problem));
    }
    let mapping = Mapping {
        retries,
        max_age: max_age.map(|seconds| Duration::from_secs(seconds.into())),
        bisect: properties
            .flag("BisectBatchOnFunctionError")?
            .unwrap_or(false),
        on_failure: builder.on_failure(function, &mut properties)?,
        ..mapping
    };
    properties.done(of)?;
    builder.stack.mappings.push(mapping);
    Ok(())
}

/// What streams and queues have in common.
fn mapping(
    function: &str,
    source: Source,
    properties: &mut Properties,
    batch: u32,
) -> Result<Mapping, Refused> {
    properties.only("Enabled", &["true"])?;
    let responses = properties.texts("FunctionResponseTypes")?;
    if let Some(other) = responses
        .iter()
        .find(|kind| *kind != "ReportBatchItemFailures")
    {
        let problem = format!("{other} is not emulated locally");
        return Err(properties.refuse("FunctionResponseTypes", problem));
    }
    let criteria = properties.map("FilterCriteria")?;
    let filters = criteria.map(filters).transpose()?.unwrap_or_default();
    Ok(Mapping {
        function: function.to_owned(),
        source,
        batch_size: properties.number("BatchSize", 1, 10_000)?.unwrap_or(batch) as usize,
        window: properties.seconds("MaximumBatchingWindowInSeconds", 0, 300, 0)?,
        partial_batches: !responses.is_empty(),
        retries: None,
        max_age: None,
        bisect: false,
        on_failure: None,
        max_concurrency: None,
        filters,
    })
}

/// `FilterCriteria`: at most five patterns, in the language of event patterns.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>
fn filters(mut criteria: Properties) -> Result<Vec<Value>, Refused> {
    let filters = criteria.maps("Filters")?;
    if filters.len() > 5 {
        return Err(criteria.refuse("Filters", "more than 5"));
    }
    criteria.done("FilterCriteria")?;
    let read = |mut filter: Properties| {
        let pattern = filter.json("Pattern")?;
        let pattern = pattern.ok_or_else(|| filter.refuse("Pattern", "is missing"))?;
        pattern::check(&pattern).map_err(|problem| filter.refuse("Pattern", problem))?;
        filter.done("Filter")?;
        Ok(pattern)
    };
    filters.into_iter().map(read).collect()
}

/// Refuses a function that may run longer than a message of its queue is hidden.
pub(super) fn check_timeouts(stack: &Stack) -> Result<(), Refused> {
    for mapping in &stack.mappings {
        let Source::Queue(queue) = &mapping.source else {
            continue;
        };
        let visible = stack.queues.get(queue);
        let visible = visible.map_or(Duration::MAX, |queue| queue.visibility_timeout);
        let function = stack.functions.get(&mapping.function);
        let timeout = function.map_or(Duration::ZERO, |function| function.timeout);
        if timeout > visible {
            let at = format!("Resources.{}.Properties.Timeout", mapping.function);
            let problem = format!(
                "{} seconds are more than the visibility timeout of {queue}, {} seconds",
                timeout.as_secs(),
                visible.as_secs()
            );
            return Err(Refused::new(&at, problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_in_every_unit() {
        assert_eq!(rate("rate(1 minute)"), Some(Duration::from_mins(1)));
        assert_eq!(rate("rate(5 minutes)"), Some(Duration::from_mins(5)));
        assert_eq!(rate("rate(2 days)"), Some(Duration::from_hours(48)));
        for wrong in [
            "rate(0 minutes)",
            "rate(1 second)",
            "rate(1 minutes)",
            "rate(2 hour)",
            "cron(0 0 * * ? *)",
            "rate(x hours)",
        ] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }
}
