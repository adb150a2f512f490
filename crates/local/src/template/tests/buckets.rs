//! Buckets: what deploys need of them, who may do what with them, and whom they tell.

use super::*;
use crate::model::Permission;

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
