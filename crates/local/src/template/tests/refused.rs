//! What is refused, and how the error names it.

use super::*;

const FUNCTION: &str = "AWS::Serverless::Function";

#[test]
fn an_unknown_section_type_or_attribute_is_refused() {
    check_refused(
        "Hooks: {}\nResources: {}",
        "template.Hooks: is not emulated locally",
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

/// Type, properties, and what follows `Resources.It.Properties.` in the error.
const CASES: &[(&str, &str, &str)] = &[
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
        "AWS::SQS::Queue",
        "MaximumMessageSize: 262144",
        "MaximumMessageSize: 262144 is not emulated locally, only 1048576",
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
        "WebsiteConfiguration: {}",
        "WebsiteConfiguration: is not emulated locally",
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
        "DefinitionUri: api.yaml",
        "DefinitionUri: is not emulated locally",
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
        "AWS::Serverless::HttpApi",
        "RouteSettings: {GET /nowhere: {ThrottlingRateLimit: 1}}",
        "RouteSettings: there is no route GET /nowhere",
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
        "Events.E.Properties.Schedule: \"cron(* * * * ? *)\" is not emulated locally, only rate(1 minute), rate(2 hours) and the like",
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
        "CodeUri: a\nEvents: {E: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn}}}",
        "Events.E.Properties.StartingPosition: is missing",
    ),
    (
        FUNCTION,
        "CodeUri: a\nEvents: {E: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST}}}",
        "Events.E.Properties.StartingPosition: LATEST is not emulated locally, only TRIM_HORIZON",
    ),
    (
        FUNCTION,
        "CodeUri: a\nEventInvokeConfig: {DestinationConfig: {OnSuccess: {}}}",
        "EventInvokeConfig.DestinationConfig.OnSuccess: is not emulated locally",
    ),
];

/// Properties that say who may do what, or what happens, and that nothing here reads.
const UNREAD: &[(&str, &str, &str)] = &[
    ("AWS::CloudWatch::Alarm", "Colour: red", "Colour"),
    ("AWS::Events::EventBus", "Policy: {}", "Policy"),
    (
        "AWS::Events::Rule",
        "EventPattern: {}\nRoleArn: x",
        "RoleArn",
    ),
    (
        "AWS::Events::Rule",
        "EventPattern: {}\nTargets: [{Id: a, Arn: !GetAtt Queue.Arn, RoleArn: x}]",
        "Targets[0].RoleArn",
    ),
    ("AWS::SNS::Topic", "Subscription: []", "Subscription"),
    (
        "AWS::SQS::Queue",
        "RedriveAllowPolicy: {}",
        "RedriveAllowPolicy",
    ),
    (
        "AWS::SQS::Queue",
        "ReceiveMessageWaitTimeSeconds: 20",
        "ReceiveMessageWaitTimeSeconds",
    ),
    (
        FUNCTION,
        "CodeUri: a\nAssumeRolePolicyDocument: {}",
        "AssumeRolePolicyDocument",
    ),
    (
        FUNCTION,
        "CodeUri: a\nEvents: {E: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), RoleArn: x}}}",
        "Events.E.Properties.RoleArn",
    ),
    (
        "AWS::Serverless::HttpApi",
        "Auth: {Authorizers: {A: {FunctionInvokeRole: x, FunctionArn: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: 2.0, EnableSimpleResponses: true, EnableFunctionDefaultPermissions: true}}}",
        "Auth.Authorizers.A.FunctionInvokeRole",
    ),
    (
        "AWS::Serverless::StateMachine",
        "Definition: {}\nRole: x",
        "Role",
    ),
];

#[test]
fn what_is_read_by_nothing_is_refused_by_its_path() {
    for (resource_type, properties, key) in UNREAD {
        let template = resource(resource_type, properties)
            + "  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f}}";
        let expected = format!("Resources.It.Properties.{key}: is not emulated locally");
        check_refused(&template, &expected);
    }
}

#[test]
fn resource_types_with_an_effect_are_refused() {
    for resource_type in [
        "AWS::Events::Archive",
        "AWS::KMS::Key",
        "AWS::Logs::ResourcePolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::WAFv2::WebACL",
    ] {
        let expected = format!("Resources.It: {resource_type} is not emulated locally");
        check_refused(&resource(resource_type, ""), &expected);
    }
    check_refused(
        &resource("AWS::SNS::Subscription", "Protocol: sqs"),
        "Resources.It.Properties.Protocol: sqs is not emulated locally, only email, email-json, http, https, sms",
    );
    check_refused(
        &resource(
            "AWS::Serverless::HttpApi",
            "DisableExecuteApiEndpoint: true",
        ),
        "Resources.It.Properties.DisableExecuteApiEndpoint: true is not emulated locally, only false",
    );
    check_refused(
        "Resources: {It: {Type: AWS::SQS::Queue, DeletionPolicy: Keep}}",
        "Resources.It.DeletionPolicy: \"Keep\" is not one of Delete, Retain, RetainExceptOnCreate, Snapshot",
    );
    check_refused(
        "Resources: {}\nOutputs: {It: {Value: a, Colour: red}}",
        "Outputs.It.Colour: is not emulated locally",
    );
}

#[test]
fn an_unknown_property_is_refused_by_its_path() {
    for (resource_type, properties, expected) in CASES {
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
    // References in what has no meaning here count too.
    check_refused(
        &resource("AWS::CloudWatch::Alarm", "MetricName: !Ref Nothing"),
        "Resources.It.Properties.MetricName: there is no parameter or resource Nothing",
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
