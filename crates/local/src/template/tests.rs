//! Small templates: what they become, and what is refused.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::model::{Destination, Source, TargetInput, TargetKind};

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

/// A template of one resource.
fn resource(resource_type: &str, properties: &str) -> String {
    let properties = properties.lines().map(|line| format!("\n      {}", line));
    let properties: String = properties.collect();
    format!(
        "Resources:\n  It:\n    Type: {resource_type}\n    Properties:{}\n  Bus:\n    Type: AWS::Events::EventBus\n  Queue:\n    Type: AWS::SQS::Queue",
        if properties.is_empty() {
            " {}".to_owned()
        } else {
            properties
        }
    )
}

const FUNCTION: &str = "AWS::Serverless::Function";

const SHOP: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  MachineType: {Type: String, Default: STANDARD}
  Shards: {Type: Number, Default: 4, MinValue: 1, MaxValue: 10}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Never: !And [!Condition IsProd, !Condition IsDev]
  Either: !Or [!Condition IsProd, !Condition IsDev]
Mappings:
  Sizes: {dev: {memory: 256}, prod: {memory: 512}}
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Architectures: [arm64]
    Timeout: 10
    MemorySize: !FindInMap [Sizes, !Ref Stage, memory]
    Environment:
      Variables:
        ORDERS_TABLE: !Ref Orders
        STAGE: !Ref Stage
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token:
            FunctionArn: !GetAtt Authorise.Arn
            AuthorizerPayloadFormatVersion: 2.0
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization], ReauthorizeEvery: 60}
      CorsConfiguration:
        AllowOrigins: [https://shop.example]
        AllowMethods: [GET, POST]
        MaxAge: 600
  Authorise:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: target/lambda/authorise/}
  PlaceOrder:
    Type: AWS::Serverless::Function
    DependsOn: Orders
    Properties:
      FunctionName: !Sub "${AWS::StackName}-place-order"
      CodeUri: target/lambda/place-order/
      Timeout: 29
      ReservedConcurrentExecutions: !If [IsProd, 100, !Ref AWS::NoValue]
      Policies:
        - Statement: [{Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Orders.Arn}]
      Environment:
        Variables:
          MACHINE: !Ref Machine
          QUEUE: !Ref Outgoing
          BUS: !Select [1, !Split ["/", !GetAtt Bus.Arn]]
          SHARDS: !Ref Shards
          URL: !Sub ["${Base}/x?${!literal}", {Base: !GetAtt Api.ApiEndpoint}]
          JOINED: !Join ["-", [a, !Ref Stage]]
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
      Events:
        Create:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Method: post, Path: /orders}
        Open:
          Type: HttpApi
          Properties:
            ApiId: !Ref Api
            Method: get
            Path: /orders/{order_id}
            Auth: {Authorizer: NONE}
        Sweep:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(1 minute), Input: '{"a": 1}'}
        Messages:
          Type: SQS
          Properties:
            Queue: !GetAtt Outgoing.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 3}
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Orders.StreamArn
            StartingPosition: TRIM_HORIZON
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 5
            MaximumRecordAgeInSeconds: 3600
            DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Failed.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}
  OnlyProd:
    Type: AWS::SQS::Queue
    Condition: IsProd
  Orders:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: !Sub "${AWS::StackName}-bus"}
  Outgoing:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue}
  Failed: {Type: AWS::S3::Bucket}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [oxcart.orders]}
      Targets:
        - Id: queue
          Arn: !GetAtt Outgoing.Arn
          InputTransformer:
            InputPathsMap: {id: $.detail.id}
            InputTemplate: '{"order": <id>}'
          RetryPolicy: {MaximumRetryAttempts: 4, MaximumEventAgeInSeconds: 600}
          DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: !Ref MachineType
      Definition:
        StartAt: Place
        States: {Place: {Type: Task, Resource: "${PlaceArn}", End: true}}
      DefinitionSubstitutions: {PlaceArn: !GetAtt PlaceOrder.Arn}
      Events:
        Paid:
          Type: EventBridgeRule
          Properties: {EventBusName: !Ref Bus, Pattern: {detail-type: [Paid]}, InputPath: $.detail}
  Key:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: '{"id": "first"}'
        GenerateStringKey: secret
        PasswordLength: 40
        ExcludePunctuation: true
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {MetricName: !GetAtt Outgoing.QueueName}
Outputs:
  Url: {Value: !GetAtt Api.ApiEndpoint}
"#;

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
        ("URL", "http://127.0.0.1:3000/x?${literal}"),
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
    let queue = stack
        .mappings
        .iter()
        .find(|one| matches!(one.source, Source::Queue(_)))
        .unwrap();
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
        stack.state_machines["Machine"].definition["States"]["Place"]["Resource"],
        "arn:aws:lambda:eu-central-1:000000000000:function:shop-place-order"
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

#[test]
fn an_unknown_section_type_or_attribute_is_refused() {
    check_refused(
        "Rules: {}\nResources: {}",
        "template.Rules: is not emulated locally",
    );
    check_refused("Globals: {Api: {}}", "Globals: Api is not emulated locally");
    check_refused(
        "Transform: AWS::LanguageExtensions",
        "template.Transform: \"AWS::LanguageExtensions\" is not emulated locally",
    );
    check_refused(
        "Resources: {It: {Type: AWS::EC2::Instance}}",
        "Resources.It: AWS::EC2::Instance is not emulated locally",
    );
    check_refused("Resources: {It: {}}", "Resources.It: Type is missing");
    check_refused(
        "Resources: {It: {Type: AWS::SQS::Queue, CreationPolicy: {}}}",
        "Resources.It.CreationPolicy: is not emulated locally",
    );
    check_refused(
        "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: x}}",
        "Parameters.P: parameters of type AWS::SSM::Parameter::Value<String> are not emulated locally",
    );
    check_refused(
        "Parameters: {P: {Type: String}}",
        "Parameters.P: has no value and no default",
    );
}

#[test]
fn an_unknown_property_is_refused_by_its_path() {
    let cases = [
        (
            "AWS::SQS::Queue",
            "FifoQueue: true",
            "FifoQueue: true is not emulated locally, only false",
        ),
        (
            "AWS::SQS::Queue",
            "Colour: red",
            "Colour: is not emulated locally",
        ),
        (
            "AWS::SQS::Queue",
            "VisibilityTimeout: 43201",
            "VisibilityTimeout: 43201 is not between 0 and 43200",
        ),
        (
            "AWS::Events::EventBus",
            "EventSourceName: x",
            "EventSourceName: is not emulated locally",
        ),
        (
            "AWS::Events::Rule",
            "EventPattern: {}\nScheduleExpression: rate(1 minute)",
            "ScheduleExpression: is not emulated locally",
        ),
        (
            "AWS::Events::Rule",
            "EventPattern: {}\nEventBusName: other",
            "EventBusName: other is not a bus of this stack",
        ),
        (
            "AWS::Events::Rule",
            "EventPattern: {}\nTargets: [{Id: a, Arn: x}]",
            "Targets[0].Arn: x is not a function, queue or state machine of this stack",
        ),
        (
            "AWS::Events::Rule",
            "EventPattern: {}\nTargets: [{Id: a, Arn: !GetAtt Queue.Arn, SqsParameters: {}}]",
            "Targets[0].SqsParameters: is not emulated locally",
        ),
        (
            "AWS::S3::Bucket",
            "NotificationConfiguration: {}",
            "NotificationConfiguration: is not emulated locally",
        ),
        (
            "AWS::SecretsManager::Secret",
            "",
            "SecretString: expected either SecretString or GenerateSecretString",
        ),
        (
            "AWS::Serverless::HttpApi",
            "StageName: v1",
            "StageName: v1 is not emulated locally, only $default",
        ),
        (
            "AWS::Serverless::HttpApi",
            "DefinitionBody: {}",
            "DefinitionBody: is not emulated locally",
        ),
        (
            "AWS::Serverless::HttpApi",
            "Auth: {EnableIamAuthorizer: true}",
            "Auth.EnableIamAuthorizer: is not emulated locally",
        ),
        (
            "AWS::Serverless::HttpApi",
            "CorsConfiguration: {AllowOrigins: ['*'], AllowCredentials: true}",
            "CorsConfiguration.AllowCredentials: cannot be combined with * in AllowOrigins, AllowMethods or AllowHeaders",
        ),
        (
            "AWS::Serverless::StateMachine",
            "Definition: {A: '${B}'}",
            "DefinitionSubstitutions: the definition asks for B, which is not there",
        ),
        (
            "AWS::Serverless::StateMachine",
            "Definition: {}\nAutoPublishAlias: x",
            "AutoPublishAlias: is not emulated locally",
        ),
        (
            "AWS::DynamoDB::Table",
            "KeySchema: []",
            "AttributeDefinitions: is missing",
        ),
        (
            "AWS::DynamoDB::Table",
            "KeySchema: []\nAttributeDefinitions: []\nStreamSpecification: {StreamViewType: KEYS_ONLY}",
            "StreamSpecification.StreamViewType: KEYS_ONLY is not emulated locally, only NEW_AND_OLD_IMAGES",
        ),
        (
            "AWS::DynamoDB::Table",
            "KeySchema: []\nAttributeDefinitions: []\nImportSourceSpecification: {}",
            "ImportSourceSpecification: is not emulated locally",
        ),
        (
            FUNCTION,
            "CodeUri: a\nRuntime: python3.13",
            "Runtime: python3.13 is not emulated locally, only provided.al2023, provided.al2",
        ),
        (FUNCTION, "Runtime: provided.al2023", "CodeUri: is missing"),
        (
            FUNCTION,
            "CodeUri: a\nTimeout: 901",
            "Timeout: 901 is not between 1 and 900",
        ),
        (
            FUNCTION,
            "CodeUri: a\nVpcConfig: {}",
            "VpcConfig: is not emulated locally",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEnvironment: {Variables: {AWS_REGION: x}}",
            "Environment.Variables.AWS_REGION: is reserved by Lambda",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEvents: {E: {Type: Kinesis}}",
            "Events.E.Type: Kinesis is not emulated locally",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEvents: {E: {Type: HttpApi, Properties: {ApiId: x}}}",
            "Events.E.Properties.ApiId: x is not the HTTP API of this stack",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEvents: {E: {Type: Schedule, Properties: {Schedule: cron(* * * * ? *)}}}",
            "Events.E.Properties.Schedule: \"cron(* * * * ? *)\" is not emulated locally, only rate(...)",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEvents: {E: {Type: SQS, Properties: {Queue: x}}}",
            "Events.E.Properties.Queue: x is not a queue of this stack",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEvents: {E: {Type: DynamoDB, Properties: {Stream: x}}}",
            "Events.E.Properties.Stream: x is not a stream of this stack",
        ),
        (
            FUNCTION,
            "CodeUri: a\nEventInvokeConfig: {DestinationConfig: {OnSuccess: {}}}",
            "EventInvokeConfig.DestinationConfig.OnSuccess: is not emulated locally",
        ),
    ];
    for (resource_type, properties, expected) in cases {
        let expected = format!("Resources.It.Properties.{expected}");
        check_refused(&resource(resource_type, properties), &expected);
    }
}

#[test]
fn a_wrong_reference_or_intrinsic_is_refused() {
    let cases = [
        ("!Ref Nothing", "there is no parameter or resource Nothing"),
        (
            "!GetAtt Queue.Colour",
            "AWS::SQS::Queue Queue has no attribute Colour locally",
        ),
        ("!Base64 x", "intrinsic Fn::Base64 is not emulated locally"),
        (
            "!ImportValue x",
            "intrinsic Fn::ImportValue is not emulated locally",
        ),
        (
            "!Sub '${Nothing}'",
            "there is no parameter or resource Nothing",
        ),
        ("!Ref AWS::StackId", "AWS::StackId is not emulated locally"),
        ("!If [Nothing, a, b]", "there is no condition Nothing"),
        (
            "!Select [2, [a]]",
            "Fn::Select expects an index and a list that has it",
        ),
        ("!FindInMap [A, b, c]", "Fn::FindInMap: no A.b.c"),
    ];
    for (value, problem) in cases {
        let template = resource("AWS::SQS::Queue", &format!("QueueName: {value}"));
        match load_with(&template, &[]) {
            Ok(_) => panic!("{value} is not refused"),
            Err(error) => assert!(error.to_string().ends_with(problem), "{value}: {error}"),
        }
    }
    // References in what has no meaning here count too, and circles end.
    check_refused(
        &resource("AWS::CloudWatch::Alarm", "MetricName: !Ref Nothing"),
        "Resources.It.Properties.MetricName: there is no parameter or resource Nothing",
    );
    let circle = resource("AWS::SQS::Queue", "QueueName: !GetAtt It.QueueName");
    assert!(
        load_with(&circle, &[])
            .unwrap_err()
            .to_string()
            .ends_with("refers to itself")
    );
}

#[test]
fn conditions_that_are_wrong_are_refused() {
    check_refused(
        "Conditions: {A: !Condition B}",
        "Conditions.A: there is no condition B",
    );
    check_refused(
        "Conditions: {A: !Condition A}",
        "Conditions.A: refers to itself",
    );
    check_refused(
        "Conditions: {A: {'Fn::Contains': [a, b]}}",
        "Conditions.A: condition Fn::Contains is not emulated locally",
    );
}
