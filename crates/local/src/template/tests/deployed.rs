//! What AWS refuses when a template is deployed, although every part of it is known.

use super::*;

const FUNCTION: &str = "AWS::Serverless::Function";
const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// A function with one event.
fn event(kind: &str, properties: &str) -> String {
    let event =
        format!("CodeUri: a\nEvents: {{E: {{Type: {kind}, Properties: {{{properties}}}}}}}");
    resource(FUNCTION, &event)
}

fn stream(properties: &str) -> String {
    let stream = "Stream: !GetAtt Table.StreamArn, StartingPosition: TRIM_HORIZON";
    event("DynamoDB", &format!("{stream}, {properties}"))
}

fn variables(variables: &str) -> String {
    let variables = format!("CodeUri: a\nEnvironment: {{Variables: {{{variables}}}}}");
    resource(FUNCTION, &variables)
}

fn rule(targets: &str) -> String {
    let targets = format!("EventPattern: {{source: [a]}}\nTargets: [{targets}]");
    resource("AWS::Events::Rule", &targets)
}

/// Two routes of one function.
fn routes(one: &str, other: &str) -> String {
    let route = |name: &str, route: &str| {
        let (method, path) = route.split_once(' ').unwrap();
        format!(
            "{name}: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Method: {method}, Path: '{path}'}}}}"
        )
    };
    let events = format!("{}, {}", route("A", one), route("B", other));
    resource(FUNCTION, &format!("CodeUri: a\nEvents: {{{events}}}"))
        + "  Api: {Type: AWS::Serverless::HttpApi}"
}

#[test]
fn what_cannot_be_deployed_is_refused() {
    let target = |id: u32| format!("{{Id: t{id}, Arn: !GetAtt Queue.Arn}}");
    let six: Vec<String> = (0..6).map(target).collect();
    let filters = |pattern: &str, count: usize| {
        let filters = vec![format!("{{Pattern: '{pattern}'}}"); count];
        stream(&format!(
            "FilterCriteria: {{Filters: [{}]}}",
            filters.join(", ")
        ))
    };
    for (template, expected) in [
        (
            resource(
                FUNCTION,
                "CodeUri: a\nTimeout: 31\nEvents: {E: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}",
            ),
            "Timeout: 31 seconds are more than the visibility timeout of Queue, 30 seconds",
        ),
        (
            event("SQS", "Queue: !GetAtt Queue.Arn, BatchSize: 11"),
            "Events.E.Properties.BatchSize: more than 10 messages need MaximumBatchingWindowInSeconds",
        ),
        (
            filters(r#"{"eventName": "INSERT"}"#, 1),
            "Events.E.Properties.FilterCriteria.Filters[0].Pattern: eventName: a pattern has a list of accepted values",
        ),
        (
            filters(r#"{"eventName": [{"regexp": "a"}]}"#, 1),
            "Events.E.Properties.FilterCriteria.Filters[0].Pattern: eventName: the operator regexp is not emulated",
        ),
        (
            filters(r#"{"eventName": ["INSERT"]}"#, 6),
            "Events.E.Properties.FilterCriteria.Filters: more than 5",
        ),
        (
            event("Schedule", "Schedule: rate(1 minutes)"),
            "Events.E.Properties.Schedule: \"rate(1 minutes)\" is not emulated locally, only rate(1 minute), rate(2 hours) and the like",
        ),
        (
            event("ScheduleV2", "ScheduleExpression: rate(2 hour)"),
            "Events.E.Properties.ScheduleExpression: \"rate(2 hour)\" is not emulated locally, only rate(1 minute), rate(2 hours) and the like",
        ),
        (
            variables(&format!("LONG: {}", "x".repeat(4096 - 10))),
            "Environment.Variables: 4097 bytes are more than 4096",
        ),
        (
            variables("A: a"),
            "Environment.Variables.A: is not a name for a variable",
        ),
        (
            variables("1A: a"),
            "Environment.Variables.1A: is not a name for a variable",
        ),
        (rule(&six.join(", ")), "Targets: more than 5"),
        (
            rule(&format!("{}, {}", target(1), target(1))),
            "Targets: two have the id t1",
        ),
        (
            routes("get /a/{x}", "get /a/{y}"),
            "Events.B.Properties.Path: GET /a/{y} is GET /a/{x}",
        ),
        (
            routes("any /a/{x}/b", "any /a/{y}/b"),
            "Events.B.Properties.Path: ANY /a/{y}/b is ANY /a/{x}/b",
        ),
        (
            routes("get /a/{x+}", "get /a/{y+}"),
            "Events.B.Properties.Path: GET /a/{y+} is GET /a/{x+}",
        ),
    ] {
        check_refused(&template, &format!("Resources.It.Properties.{expected}"));
    }
    for template in [
        variables(&format!("LONG: {}", "x".repeat(4096 - 11))),
        event(
            "SQS",
            "Queue: !GetAtt Queue.Arn, BatchSize: 11, MaximumBatchingWindowInSeconds: 1",
        ),
        routes("get /a/{x}", "any /a/{y}"),
        routes("get /a/{x}", "get /a/{y+}"),
        filters(r#"{"eventName": ["INSERT"]}"#, 5),
    ] {
        load(&template);
    }
}

#[test]
fn names_are_as_each_service_takes_them() {
    for (resource_type, property, name, taken) in [
        ("AWS::SQS::Queue", "QueueName", "q".repeat(80), true),
        ("AWS::SQS::Queue", "QueueName", "q".repeat(81), false),
        ("AWS::SQS::Queue", "QueueName", "a.b".to_owned(), false),
        ("AWS::S3::Bucket", "BucketName", "a.b-c".to_owned(), true),
        ("AWS::S3::Bucket", "BucketName", "Bucket".to_owned(), false),
        ("AWS::S3::Bucket", "BucketName", "ab".to_owned(), false),
        ("AWS::Events::EventBus", "Name", "a/b.c".to_owned(), true),
        ("AWS::Events::EventBus", "Name", "a b".to_owned(), false),
    ] {
        let template = resource(resource_type, &format!("{property}: {name}"));
        if taken {
            load(&template);
        } else {
            let expected = format!(
                "Resources.It.Properties.{property}: {name} is not a name for {resource_type}"
            );
            check_refused(&template, &expected);
        }
    }
}

#[test]
fn the_timeout_is_compared_for_a_mapping_of_its_own() {
    let of_function = "  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f, Timeout: 40, \
                       Policies: {Statement: {Effect: Allow, Action: 'sqs:*', Resource: '*'}}}}";
    let mapping = resource(
        MAPPING,
        "FunctionName: !Ref F\nEventSourceArn: !GetAtt Queue.Arn",
    );
    check_refused(
        &(mapping + of_function),
        "Resources.F.Properties.Timeout: 40 seconds are more than the visibility timeout of Queue, 30 seconds",
    );
}
