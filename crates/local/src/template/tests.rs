//! Small templates: what they become, and what is refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::load::parse;
use super::*;
use crate::model::{Destination, Source, Stack, TargetInput, TargetKind};

mod buckets;
mod definition;
mod deployed;
mod order;
mod policies;
mod refused;
mod resource_policies;

fn places() -> Places {
    Places {
        region: "eu-central-1".to_owned(),
        stack_name: "shop".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        shop: "http://127.0.0.1:3000".to_owned(),
    }
}

fn load_with(template: &str, parameters: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let parameters = parameters.iter().map(owned).collect();
    parse(template, Path::new("/nowhere"), &parameters, &places())
}

fn load(template: &str) -> Stack {
    load_with(template, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The error that a template is refused with.
#[track_caller]
fn check_refused(template: &str, expected: &str) {
    match load_with(template, &[]) {
        Ok(stack) => panic!("expected `{expected}`, not {stack:?}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

/// A template of one resource, with others that it can refer to.
fn resource(resource_type: &str, properties: &str) -> String {
    const OTHERS: &str = "
  Bus: {Type: AWS::Events::EventBus}
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: []
      AttributeDefinitions: []
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
";
    let properties = properties.lines().map(|line| format!("\n      {line}"));
    let properties: String = properties.collect();
    let properties = if properties.is_empty() {
        " {}"
    } else {
        &properties
    };
    format!("Resources:\n  It:\n    Type: {resource_type}\n    Properties:{properties}{OTHERS}")
}

const SHOP: &str = include_str!("tests/shop.yaml");

#[test]
fn a_function_gets_its_globals_and_its_own() {
    let stack = load(SHOP);
    let function = &stack.functions["PlaceOrder"];
    assert_eq!(function.name, "shop-place-order");
    assert_eq!(function.binary, "place-order");
    assert_eq!(function.timeout, Duration::from_secs(29));
    assert_eq!(function.memory_mib, 256);
    assert_eq!(function.reserved_concurrency, None);
    assert_eq!(function.async_retries, 1);
    assert_eq!(
        function.async_on_failure,
        Some(Destination::Queue("Dead".to_owned()))
    );
    let expected = [
        ("BUS", "shop-bus"),
        ("JOINED", "a-dev"),
        (
            "MACHINE",
            "arn:aws:states:eu-central-1:000000000000:stateMachine:shop-Machine",
        ),
        ("ORDERS_TABLE", "shop-Orders"),
        ("QUEUE", "http://127.0.0.1:4566/000000000000/shop-Outgoing"),
        ("SHARDS", "4"),
        ("STAGE", "dev"),
        (
            "URL",
            "http://127.0.0.1:4566/000000000000/shop-Outgoing/x?${literal}",
        ),
    ];
    let environment: Vec<_> = function
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(environment, expected);
    let authorise = &stack.functions["Authorise"];
    assert_eq!(
        (authorise.timeout, authorise.async_retries),
        (Duration::from_secs(10), 2)
    );
}

#[test]
fn parameters_decide_conditions() {
    let stack = load_with(
        SHOP,
        &[
            ("Stage", "prod"),
            ("MachineType", "EXPRESS"),
            ("Shards", "10"),
        ],
    )
    .unwrap();
    assert_eq!(
        stack.functions["PlaceOrder"].reserved_concurrency,
        Some(100)
    );
    assert_eq!(stack.functions["PlaceOrder"].memory_mib, 512);
    assert!(stack.queues.contains_key("OnlyProd"));
    assert!(stack.state_machines["Machine"].express);
    let dev = load(SHOP);
    assert!(!dev.queues.contains_key("OnlyProd"));
    assert!(!dev.state_machines["Machine"].express);
    for (name, value, expected) in [
        (
            "Stage",
            "test",
            "Parameters.Stage: test is not one of dev, prod",
        ),
        (
            "Shards",
            "11",
            "Parameters.Shards: 11 is too small or too large",
        ),
        ("Shards", "many", "Parameters.Shards: many is not a number"),
        (
            "Colour",
            "red",
            "Parameters: the template has no parameter Colour",
        ),
    ] {
        let refused = load_with(SHOP, &[(name, value)]).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn the_api_has_its_routes_and_their_authorisers() {
    let api = load(SHOP).api.unwrap();
    let routes: Vec<_> = api
        .routes
        .iter()
        .map(|route| {
            (
                route.method.as_str(),
                route.path.as_str(),
                route.authorizer.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("POST", "/orders", Some("Token")),
            ("GET", "/orders/{order_id}", None)
        ]
    );
    let token = &api.authorizers["Token"];
    assert_eq!(token.function, "Authorise");
    assert_eq!(token.identity_headers, ["Authorization"]);
    assert_eq!(token.ttl, Duration::from_mins(1));
    let cors = api.cors.unwrap();
    assert_eq!(cors.origins, ["https://shop.example"]);
    assert_eq!(cors.max_age, Some(Duration::from_mins(10)));
}

#[test]
fn events_become_mappings_and_schedules() {
    let stack = load(SHOP);
    let schedule = &stack.schedules["PlaceOrderSweep"];
    assert_eq!(schedule.every, Duration::from_mins(1));
    assert_eq!(schedule.input, Some(json!({"a": 1})));
    assert!(schedule.enabled);
    let stream = stack
        .mappings
        .iter()
        .find(|one| matches!(one.source, Source::Stream(_)))
        .unwrap();
    assert_eq!(stream.source, Source::Stream("Orders".to_owned()));
    assert_eq!(
        (stream.batch_size, stream.retries, stream.bisect),
        (100, Some(5), true)
    );
    assert_eq!(stream.max_age, Some(Duration::from_hours(1)));
    assert_eq!(
        stream.on_failure,
        Some(Destination::Bucket("Failed".to_owned()))
    );
    assert_eq!(stream.filters, [json!({"eventName": ["INSERT"]})]);
    let from_queue = |function: &str| {
        let mut mappings = stack.mappings.iter();
        mappings
            .find(|one| one.function == function && matches!(one.source, Source::Queue(_)))
            .unwrap()
    };
    assert_eq!(from_queue("Poll").batch_size, 7);
    let queue = from_queue("PlaceOrder");
    assert_eq!(queue.source, Source::Queue("Outgoing".to_owned()));
    assert_eq!(
        (
            queue.batch_size,
            queue.max_concurrency,
            queue.partial_batches
        ),
        (5, Some(3), true)
    );
}

#[test]
fn rules_of_resources_and_of_events_are_alike() {
    let stack = load(SHOP);
    let rule = &stack.rules["Rule"];
    assert_eq!(
        (rule.name.as_str(), rule.bus.as_str()),
        ("shop-Rule", "Bus")
    );
    let target = &rule.targets[0];
    assert_eq!(target.kind, TargetKind::Queue("Outgoing".to_owned()));
    assert_eq!(
        (target.retries, target.max_age),
        (4, Duration::from_mins(10))
    );
    assert_eq!(target.dead_letter_queue.as_deref(), Some("Dead"));
    let paths = BTreeMap::from([("id".to_owned(), "$.detail.id".to_owned())]);
    let template = "{\"order\": <id>}".to_owned();
    assert_eq!(target.input, TargetInput::Transformer { paths, template });
    let event = &stack.rules["MachinePaid"];
    assert_eq!(event.bus, "Bus");
    assert_eq!(
        event.targets[0].kind,
        TargetKind::StateMachine("Machine".to_owned())
    );
    assert_eq!(
        event.targets[0].input,
        TargetInput::Path("$.detail".to_owned())
    );
    assert_eq!(event.targets[0].retries, 185);
}

#[test]
fn tables_queues_machines_and_secrets_are_read() {
    let stack = load(SHOP);
    let table = &stack.tables["Orders"];
    assert_eq!(table.ttl_attribute.as_deref(), Some("expires_at"));
    assert!(table.stream);
    assert_eq!(
        table.create,
        json!({
            "TableName": "shop-Orders",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        })
    );
    let queue = &stack.queues["Outgoing"];
    assert_eq!(queue.visibility_timeout, Duration::from_mins(1));
    assert_eq!(queue.redrive, Some((3, "Dead".to_owned())));
    assert_eq!(stack.queues["Dead"].retention, Duration::from_hours(96));
    assert_eq!(
        stack.state_machines["Machine"].definition["States"]["Poll"]["Resource"],
        "arn:aws:lambda:eu-central-1:000000000000:function:shop-Poll"
    );
    let secret: Value = serde_json::from_str(&stack.secrets["Key"].value).unwrap();
    assert_eq!(secret["id"], "first");
    let drawn = secret["secret"].as_str().unwrap();
    assert_eq!(drawn.len(), 40);
    assert!(drawn.chars().all(char::is_alphanumeric), "{drawn}");
    assert_eq!(stack.buses["Bus"], "shop-bus");
    assert_eq!(stack.buckets["Failed"], "shop-Failed");
}

#[test]
fn a_definition_is_read_beside_the_template() {
    let directory = tempfile::tempdir().unwrap();
    let template = directory.path().join("template.yaml");
    let machine = resource(
        "AWS::Serverless::StateMachine",
        "DefinitionUri: machines/order.asl.json\nDefinitionSubstitutions: {Queue: !GetAtt Queue.Arn}",
    );
    std::fs::write(&template, machine).unwrap();
    let missing = Stack::load(&template, &BTreeMap::new(), &places()).unwrap_err();
    assert!(matches!(missing, TemplateError::Read { .. }), "{missing}");
    std::fs::create_dir(directory.path().join("machines")).unwrap();
    let definition = directory.path().join("machines/order.asl.json");
    std::fs::write(&definition, r#"{"StartAt": "${Queue}"}"#).unwrap();
    let stack = Stack::load(&template, &BTreeMap::new(), &places()).unwrap();
    let definition = &stack.state_machines["It"].definition;
    assert_eq!(
        definition["StartAt"],
        "arn:aws:sqs:eu-central-1:000000000000:shop-Queue"
    );
}
