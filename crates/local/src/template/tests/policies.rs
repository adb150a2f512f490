//! Policies: what is read of them, what is refused, and what AWS has to be allowed.

use super::*;
use crate::model::{Need, Permission, Statement};

fn needs(stack: &Stack, holder: &str) -> Vec<(String, String)> {
    let needs = stack.standing.iter().filter(|need| need.holder == holder);
    needs
        .map(|Need { permission, .. }| (permission.action.clone(), permission.resource.clone()))
        .collect()
}

#[test]
fn a_policy_is_read_with_its_references_resolved() {
    let stack = load(SHOP);
    let orders = "arn:aws:dynamodb:eu-central-1:000000000000:table/shop-Orders";
    let statement = &stack.policies["PlaceOrder"][0];
    assert_eq!(
        statement,
        &Statement {
            actions: vec!["dynamodb:PutItem".to_owned()],
            resources: vec![orders.to_owned()],
        }
    );
    let may = |action: &str, resource: &str| {
        let permission = Permission {
            action: action.to_owned(),
            resource: resource.to_owned(),
        };
        crate::access::allow(&stack.policies["PlaceOrder"], &permission)
    };
    assert!(!may("dynamodb:GetItem", orders));
    // What SAM adds for a queue or stream among a function's events is for all queues and streams.
    let other = "arn:aws:sqs:eu-central-1:000000000000:other";
    assert!(may("sqs:DeleteMessage", other));
    assert!(may("dynamodb:GetRecords", "any stream"));
    assert!(stack.policies["Authorise"].is_empty());
    for holder in ["Poll", "Machine", "StartRole"] {
        let key = stack.policies[holder]
            .iter()
            .any(|statement| statement.actions == ["kms:Decrypt"]);
        assert!(key, "{holder}");
    }
}

#[test]
fn the_permissions_that_aws_itself_needs_are_known() {
    let stack = load(SHOP);
    let queue = "arn:aws:sqs:eu-central-1:000000000000:shop-Outgoing";
    let polls = [
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    let polls = polls.map(|action| (action.to_owned(), queue.to_owned()));
    assert_eq!(needs(&stack, "Poll"), polls);
    let poll = "arn:aws:lambda:eu-central-1:000000000000:function:shop-Poll";
    assert_eq!(
        needs(&stack, "Machine"),
        [("lambda:InvokeFunction".to_owned(), poll.to_owned())]
    );
    let machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:shop-Machine";
    assert_eq!(
        needs(&stack, "StartRole"),
        [("states:StartExecution".to_owned(), machine.to_owned())]
    );
    let place_order = needs(&stack, "PlaceOrder");
    for expected in [
        ("dynamodb:ListStreams", "*"),
        (
            "sqs:SendMessage",
            "arn:aws:sqs:eu-central-1:000000000000:shop-Dead",
        ),
        ("s3:ListBucket", "arn:aws:s3:::shop-Failed"),
    ] {
        let expected = (expected.0.to_owned(), expected.1.to_owned());
        assert!(place_order.contains(&expected), "{place_order:?}");
    }
}

#[test]
fn what_aws_has_to_do_must_be_allowed() {
    for (allowed, otherwise, missing) in [
        (
            "Action: [\"sqs:*Message\", sqs:GetQueueAttributes]",
            "Action: [\"sqs:*Message\"]",
            "Resources.Poll.Properties.Policies: sqs:GetQueueAttributes on \
             arn:aws:sqs:eu-central-1:000000000000:shop-Outgoing",
        ),
        (
            "Action: lambda:Invoke*, Resource: !GetAtt Poll.Arn",
            "Action: lambda:Invoke*, Resource: !GetAtt Authorise.Arn",
            "Resources.Machine.Properties.Policies: lambda:InvokeFunction on \
             arn:aws:lambda:eu-central-1:000000000000:function:shop-Poll",
        ),
        (
            "Action: states:StartExecution",
            "Action: states:StopExecution",
            "Resources.StartRole.Properties.Policies: states:StartExecution on \
             arn:aws:states:eu-central-1:000000000000:stateMachine:shop-Machine",
        ),
    ] {
        let template = SHOP.replace(allowed, otherwise);
        let expected = format!("{missing} is not allowed, and AWS has to do it");
        check_refused(&template, &expected);
    }
    let sam_knows_no_type = SHOP.replace("OnFailure: {Type: SQS, ", "OnFailure: {");
    let refused = load_with(&sam_knows_no_type, &[]).unwrap_err();
    assert!(refused.to_string().contains("sqs:SendMessage"), "{refused}");
}

#[test]
fn policies_that_cannot_be_evaluated_are_refused() {
    let policies = |what: &str| {
        let properties = format!("CodeUri: a\nPolicies: {what}");
        resource("AWS::Serverless::Function", &properties)
    };
    let of = |statement: &str| policies(&format!("[{{Statement: [{statement}]}}]"));
    let statement = "Resources.It.Properties.Policies[0].Statement[0]";
    for (template, expected) in [
        (
            policies("AmazonDynamoDBFullAccess"),
            "Resources.It.Properties.Policies[0]: the managed policy AmazonDynamoDBFullAccess is not \
             emulated locally"
                .to_owned(),
        ),
        (
            policies("[{DynamoDBReadPolicy: {TableName: t}}]"),
            "Resources.It.Properties.Policies[0].DynamoDBReadPolicy: is not emulated locally"
                .to_owned(),
        ),
        (
            of("{Effect: Deny, Action: a, Resource: b}"),
            format!("{statement}.Effect: Deny is not emulated locally, only Allow"),
        ),
        (
            of("{Effect: Allow, NotAction: a, Action: a, Resource: b}"),
            format!("{statement}.NotAction: is not emulated locally"),
        ),
        (
            of("{Effect: Allow, Action: a, Resource: b, Condition: {}}"),
            format!("{statement}.Condition: is not emulated locally"),
        ),
        (
            of("{Effect: Allow, Action: [], Resource: b}"),
            format!("{statement}.Action: is missing"),
        ),
        (
            resource("AWS::Serverless::Function", "CodeUri: a\nRole: x"),
            "Resources.It.Properties.Role: is not emulated locally".to_owned(),
        ),
        (
            resource("AWS::IAM::Role", "ManagedPolicyArns: [x]"),
            "Resources.It.Properties.ManagedPolicyArns: is not emulated locally".to_owned(),
        ),
        (
            resource("AWS::IAM::ManagedPolicy", ""),
            "Resources.It: AWS::IAM::ManagedPolicy is not emulated locally".to_owned(),
        ),
        (
            resource("AWS::IAM::Policy", "PolicyDocument: {}\nRoles: [Nobody]"),
            "Resources.It.Properties.Roles: Nobody is not a role of this stack".to_owned(),
        ),
    ] {
        check_refused(&template, &expected);
    }
}
