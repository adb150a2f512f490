//! Buckets: what deploys need of them, who may do what with them, and whom they tell.

use super::*;
use crate::model::{BucketCors, Notification, Permission};

/// A bucket as it is deployed, and a function that works on a part of it.
const TEMPLATE: &str = r#"
Resources:
  Files:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      BucketName: shop-files
      BucketEncryption: {ServerSideEncryptionConfiguration: []}
      LifecycleConfiguration: {Rules: []}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true}
      VersioningConfiguration: {Status: Enabled}
  Import:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/import
      Handler: bootstrap
      Runtime: provided.al2023
      Environment:
        Variables: {BUCKET: !Ref Files, BUCKET_ARN: !GetAtt Files.Arn}
      Policies:
        - Statement:
            - {Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: !Sub "${Files.Arn}/imports/*"}
            - {Effect: Allow, Action: s3:ListBucket, Resource: !GetAtt Files.Arn}
"#;

#[test]
fn a_function_refers_to_a_bucket_and_may_use_a_part_of_it() {
    let stack = load(TEMPLATE);
    assert_eq!(stack.buckets["Files"], "shop-files");
    let environment = &stack.functions["Import"].environment;
    assert_eq!(environment["BUCKET"], "shop-files");
    assert_eq!(environment["BUCKET_ARN"], "arn:aws:s3:::shop-files");
    for (action, resource, allowed) in [
        (
            "s3:PutObject",
            "arn:aws:s3:::shop-files/imports/1/a.csv",
            true,
        ),
        ("s3:PutObject", "arn:aws:s3:::shop-files/exports/1", false),
        (
            "s3:DeleteObject",
            "arn:aws:s3:::shop-files/imports/1",
            false,
        ),
        ("s3:ListBucket", "arn:aws:s3:::shop-files", true),
    ] {
        let permission = Permission {
            action: action.to_owned(),
            resource: resource.to_owned(),
        };
        let found = crate::access::allow(&stack.policies["Import"], &permission);
        assert_eq!(found, allowed, "{action} on {resource}");
    }
}

#[test]
fn what_a_bucket_does_not_do_here_is_refused() {
    let replication = TEMPLATE.replace("LifecycleConfiguration", "ReplicationConfiguration");
    check_refused(
        &replication,
        "Resources.Files.Properties.ReplicationConfiguration: is not emulated locally",
    );
}

/// What makes the bucket tell a queue.
const TOLD: &str = r#"
  Uploaded: {Type: AWS::SQS::Queue}
  UploadedPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Uploaded]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: s3.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Uploaded.Arn
            Condition:
              ArnLike: {aws:SourceArn: "arn:aws:s3:*:*:shop-files"}
              StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}
"#;

/// The template with a bucket that tells the queue.
fn telling() -> String {
    let configuration = r"DependsOn: UploadedPolicy
    Properties:
      NotificationConfiguration:
        QueueConfigurations:
          - Event: s3:ObjectCreated:*
            Queue: !GetAtt Uploaded.Arn
            Filter: {S3Key: {Rules: [{Name: prefix, Value: imports/}, {Name: Suffix, Value: .csv}]}}
";
    let template = TEMPLATE.replace("DeletionPolicy: Retain\n    Properties:\n", configuration);
    template + TOLD
}

#[test]
fn a_bucket_tells_a_queue_that_lets_it() {
    let stack = load(&telling());
    let expected = Notification {
        bucket: "Files".to_owned(),
        id: "Files-0".to_owned(),
        event: "s3:ObjectCreated:*".to_owned(),
        queue: "Uploaded".to_owned(),
        prefix: "imports/".to_owned(),
        suffix: ".csv".to_owned(),
    };
    assert_eq!(stack.notifications, [expected]);
}

#[test]
fn a_bucket_that_may_not_tell_its_queue_is_refused() {
    let refused = "Resources.Files: no policy of arn:aws:sqs:eu-central-1:000000000000:shop-Uploaded lets \
                   s3.amazonaws.com do sqs:SendMessage";
    for (part, other) in [
        ("Service: s3.amazonaws.com", "Service: events.amazonaws.com"),
        ("Action: sqs:SendMessage", "Action: sqs:ReceiveMessage"),
        ("*:*:shop-files", "*:*:other"),
        ("!Ref AWS::AccountId", "\"111111111111\""),
        (
            "StringEquals: {aws:SourceAccount",
            "ArnEquals: {aws:SourceAccount",
        ),
    ] {
        let template = telling();
        assert!(template.contains(part), "{part}");
        check_refused(&template.replace(part, other), refused);
    }
    let configuration = "Resources.Files.Properties.NotificationConfiguration";
    for (part, other, problem) in [
        (
            "DependsOn: UploadedPolicy",
            "DependsOn: Uploaded",
            "Resources.Files.DependsOn: names no AWS::SQS::QueuePolicy: without it, S3 may ask the \
             queue too early"
                .to_owned(),
        ),
        (
            "Event: s3:ObjectCreated:*",
            "Event: s3:ObjectRemoved:*",
            format!("{configuration}.QueueConfigurations[0].Event: s3:ObjectRemoved:* is not emulated locally"),
        ),
        (
            "QueueConfigurations:",
            "LambdaConfigurations:",
            format!("{configuration}.LambdaConfigurations: is not emulated locally"),
        ),
        (
            "Queue: !GetAtt Uploaded.Arn\n",
            "Queue: arn:x\n",
            format!("{configuration}.QueueConfigurations[0].Queue: arn:x is not a queue of this stack"),
        ),
        (
            "Name: Suffix",
            "Name: prefix",
            format!("{configuration}.QueueConfigurations[0].Filter.S3Key.Rules[1].Name: prefix is there twice"),
        ),
        (
            "            Filter:",
            "          - Event: s3:ObjectCreated:Put\n            Queue: !GetAtt Uploaded.Arn\n            Filter:",
            format!(
                "{configuration}.QueueConfigurations[1]: overlaps with another one: S3 sends an event \
                 to one queue only"
            ),
        ),
    ] {
        let template = telling();
        assert!(template.contains(part), "{part}");
        check_refused(&template.replacen(part, other, 1), &problem);
    }
}

#[test]
fn a_bucket_says_which_pages_may_use_it() {
    let rule = "CorsConfiguration: {CorsRules: [{Id: web, AllowedOrigins: [\"https://*.example\"], \
                AllowedMethods: [PUT], AllowedHeaders: [\"*\"], ExposedHeaders: [ETag], MaxAge: 600}]}";
    let template = TEMPLATE.replace("LifecycleConfiguration: {Rules: []}", rule);
    let owned = |text: &str| vec![text.to_owned()];
    let expected = BucketCors {
        origins: owned("https://*.example"),
        methods: owned("PUT"),
        headers: owned("*"),
        expose: owned("ETag"),
        max_age: Some(600),
    };
    assert_eq!(load(&template).bucket_cors["Files"], [expected]);
    let at = "Resources.Files.Properties.CorsConfiguration.CorsRules[0]";
    check_refused(
        &template.replace("[PUT]", "[PATCH]"),
        &format!("{at}.AllowedMethods: PATCH is not one of DELETE, GET, HEAD, POST, PUT"),
    );
    check_refused(
        &template.replace("https://*", "*://*"),
        &format!("{at}.AllowedOrigins: *://*.example has more than one *"),
    );
}
