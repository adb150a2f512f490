//! Whom resources let do what, weighed for everything that AWS does in the name of a rule or an API.

use super::*;

const QUEUE: &str = "Resources.Rule: no policy of arn:aws:sqs:eu-central-1:000000000000:shop-Outgoing lets \
                     events.amazonaws.com do sqs:SendMessage";
const DEAD: &str = "Resources.Rule: no policy of arn:aws:sqs:eu-central-1:000000000000:shop-Dead lets \
                    events.amazonaws.com do sqs:SendMessage";
const FUNCTION: &str = "Resources.AskRule: no policy of arn:aws:lambda:eu-central-1:000000000000:function:shop-Poll lets \
                        events.amazonaws.com do lambda:InvokeFunction";
const ROLE: &str =
    "Resources.StartRule: no policy of StartRole lets events.amazonaws.com do sts:AssumeRole";
const AUTHORISER: &str = "Resources.Api.Properties.Auth.Authorizers.Token: no policy of \
                          arn:aws:lambda:eu-central-1:000000000000:function:shop-Authorise lets \
                          apigateway.amazonaws.com do lambda:InvokeFunction";
const STATEMENT: &str = "Resources.QueuePolicy.Properties.PolicyDocument.Statement[0]";

/// What stands in `shop.yaml`, what takes its place, and what AWS would not do then.
const CASES: &[(&str, &str, &str)] = &[
    // Queues, as targets and for dead letters.
    (
        "Principal: {Service: events.amazonaws.com}\n            Action: sqs",
        "Principal: {Service: sns.amazonaws.com}\n            Action: sqs",
        QUEUE,
    ),
    (
        "Principal: {Service: events.amazonaws.com}\n            Action: sqs",
        "Principal: {AWS: x}\n            Action: sqs",
        QUEUE,
    ),
    (
        "Action: sqs:SendMessage",
        "Action: sqs:ReceiveMessage",
        QUEUE,
    ),
    (
        "aws:SourceArn: !GetAtt Rule.Arn",
        "aws:SourceArn: !GetAtt StartRule.Arn",
        QUEUE,
    ),
    (
        "ArnEquals: {aws:SourceArn: !GetAtt Rule.Arn",
        "StringEquals: {aws:SourceArn: \"*\"",
        QUEUE,
    ),
    (
        "Queues: [!Ref Outgoing, !Ref Dead]",
        "Queues: [!Ref Dead]",
        QUEUE,
    ),
    (
        "[!GetAtt Outgoing.Arn, !GetAtt Dead.Arn]",
        "!GetAtt Dead.Arn",
        QUEUE,
    ),
    (
        "[!GetAtt Outgoing.Arn, !GetAtt Dead.Arn]",
        "!GetAtt Outgoing.Arn",
        DEAD,
    ),
    // Functions.
    (
        "Type: AWS::Lambda::Permission",
        "Type: AWS::Lambda::Permission\n    Condition: IsProd",
        FUNCTION,
    ),
    (
        "Principal: events.amazonaws.com",
        "Principal: apigateway.amazonaws.com",
        FUNCTION,
    ),
    (
        "FunctionName: !Ref Poll\n      Action",
        "FunctionName: !Ref Authorise\n      Action",
        FUNCTION,
    ),
    (
        "Action: lambda:InvokeFunction\n",
        "Action: lambda:GetFunction\n",
        FUNCTION,
    ),
    (
        "SourceArn: !GetAtt AskRule.Arn",
        "SourceArn: !GetAtt Rule.Arn",
        FUNCTION,
    ),
    // The role of a target, and the authoriser.
    (
        "Principal: {Service: events.amazonaws.com}, Action: sts",
        "Principal: {Service: lambda.amazonaws.com}, Action: sts",
        ROLE,
    ),
    ("Action: sts:AssumeRole", "Action: sts:TagSession", ROLE),
    (
        "EnableFunctionDefaultPermissions: true",
        "EnableFunctionDefaultPermissions: false",
        AUTHORISER,
    ),
];

#[test]
fn what_aws_may_not_do_is_refused() {
    load(SHOP);
    for (right, wrong, expected) in CASES {
        assert_eq!(SHOP.matches(right).count(), 1, "{right}");
        check_refused(&SHOP.replace(right, wrong), expected);
    }
}

#[test]
fn wider_policies_are_accepted() {
    for (narrow, wide) in [
        (
            "Principal: {Service: events.amazonaws.com}\n            Action: sqs",
            "Principal: \"*\"\n            Action: sqs",
        ),
        (
            "Action: sqs:SendMessage",
            "Action: [sqs:GetQueueUrl, \"SQS:Send*\"]",
        ),
        ("[!GetAtt Outgoing.Arn, !GetAtt Dead.Arn]", "\"*\""),
        (
            "ArnEquals: {aws:SourceArn: !GetAtt Rule.Arn",
            "ArnLike: {aws:SourceArn: \"arn:aws:events:*:*:rule/shop-bus/*\"",
        ),
        (
            "      SourceArn: !GetAtt AskRule.Arn\n",
            "      SourceAccount: !Ref AWS::AccountId\n",
        ),
        ("Action: lambda:InvokeFunction\n", "Action: \"lambda:*\"\n"),
    ] {
        assert_eq!(SHOP.matches(narrow).count(), 1, "{narrow}");
        load(&SHOP.replace(narrow, wide));
    }
    let without = SHOP.replace("            EnableFunctionDefaultPermissions: true\n", "");
    let permission = "  Ask: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !GetAtt Authorise.Arn, \
                      Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com, \
                      SourceArn: !Sub 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*'}}\nOutputs:";
    load(&without.replace("Outputs:", permission));
}

#[test]
fn policies_that_cannot_be_evaluated_are_refused() {
    let deny = "Condition: {Bool: {aws:SecureTransport: \"false\"}}";
    let source = "Condition: {ArnEquals: {aws:SourceArn: !GetAtt Rule.Arn}}";
    for (known, other, expected) in [
        (
            deny,
            "Condition: {Bool: {aws:SecureTransport: \"true\"}}",
            "Resources.QueuePolicy.Properties.PolicyDocument.Statement[1].Effect: Deny is not emulated locally, except \
             for aws:SecureTransport"
                .to_owned(),
        ),
        (
            source,
            "Condition: {IpAddress: {aws:SourceIp: 10.0.0.1}}",
            format!("{STATEMENT}.Condition.IpAddress: is not emulated locally"),
        ),
        (
            source,
            "Condition: {StringEquals: {aws:PrincipalOrgID: o}}",
            format!("{STATEMENT}.Condition.StringEquals.aws:PrincipalOrgID: is not emulated locally"),
        ),
        (
            source,
            "NotPrincipal: x",
            format!("{STATEMENT}.NotPrincipal: is not emulated locally"),
        ),
        (
            "  Failed: {Type",
            "  Second: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Dead], PolicyDocument: {}}}\n  Failed: {Type",
            "Resources.Second.Properties.Queues: http://127.0.0.1:4566/000000000000/shop-Dead has another policy, too"
                .to_owned(),
        ),
    ] {
        assert_eq!(SHOP.matches(known).count(), 1, "{known}");
        check_refused(&SHOP.replace(known, other), &expected);
    }
    for (resource_type, properties, at) in [
        (
            "AWS::S3::BucketPolicy",
            "Bucket: b\nPolicyDocument: {Statement: {Effect: Deny}}",
            "PolicyDocument.Statement[0]",
        ),
        (
            "AWS::Events::EventBusPolicy",
            "StatementId: s\nStatement: {Effect: Deny}",
            "Statement",
        ),
    ] {
        let problem = "Effect: Deny is not emulated locally, except for aws:SecureTransport";
        let expected = format!("Resources.It.Properties.{at}.{problem}");
        check_refused(&resource(resource_type, properties), &expected);
    }
}
