//! What a template may declare that has no meaning on one machine: encryption, backups, tracing,
//! who may reach it from outside, throttling at the edge, alarms, retention of logs. Everything else
//! that is not emulated is refused by name.

/// Resource types without any effect here. Their properties are resolved, so that a wrong reference
/// shows, but not looked at.
pub(super) const TYPES: &[&str] = &[
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::OriginRequestPolicy",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Archive",
    "AWS::Events::EventBusPolicy",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::ResourcePolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACL",
];

/// Properties without any effect here, by the resource type or part that they belong to.
const PROPERTIES: &[(&str, &[&str])] = &[
    (
        "AWS::DynamoDB::Table",
        &[
            "ContributorInsightsSpecification",
            "DeletionProtectionEnabled",
            "OnDemandThroughput",
            "PointInTimeRecoverySpecification",
            "SSESpecification",
            "TableClass",
            "Tags",
            "WarmThroughput",
        ],
    ),
    (
        "GlobalSecondaryIndex",
        &[
            "ContributorInsightsSpecification",
            "OnDemandThroughput",
            "WarmThroughput",
        ],
    ),
    (
        "AWS::Events::EventBus",
        &[
            "Description",
            "KmsKeyIdentifier",
            "LogConfig",
            "Policy",
            "Tags",
        ],
    ),
    ("AWS::Events::Rule", &["Description", "RoleArn", "Tags"]),
    // For a state machine, a role is weighed.
    ("Target", &["RoleArn"]),
    (
        "AWS::S3::Bucket",
        &[
            "AccessControl",
            "BucketEncryption",
            "LifecycleConfiguration",
            "LoggingConfiguration",
            "ObjectLockConfiguration",
            "ObjectLockEnabled",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        ],
    ),
    (
        "AWS::SQS::Queue",
        &[
            "KmsDataKeyReusePeriodSeconds",
            "KmsMasterKeyId",
            // How long an empty receive waits: messages reach the functions in the same way.
            "ReceiveMessageWaitTimeSeconds",
            "RedriveAllowPolicy",
            "SqsManagedSseEnabled",
            "Tags",
        ],
    ),
    (
        "AWS::SecretsManager::Secret",
        &["Description", "KmsKeyId", "ReplicaRegions", "Tags"],
    ),
    (
        "AWS::Serverless::Function",
        &[
            "Architectures",
            "AssumeRolePolicyDocument",
            "AutoPublishAlias",
            "DeploymentPreference",
            "Description",
            "EphemeralStorage",
            "Handler",
            "KmsKeyArn",
            "LoggingConfig",
            "PropagateTags",
            "ProvisionedConcurrencyConfig",
            "RecursiveLoop",
            "RolePath",
            "RuntimeManagementConfig",
            "Tags",
            "Tracing",
        ],
    ),
    ("HttpApi event", &["RouteSettings"]),
    // Who throttles is the machine.
    (
        "Route settings",
        &[
            "DataTraceEnabled",
            "DetailedMetricsEnabled",
            "LoggingLevel",
            "ThrottlingBurstLimit",
            "ThrottlingRateLimit",
        ],
    ),
    (
        "Schedule event",
        &[
            "Description",
            "FlexibleTimeWindow",
            "GroupName",
            "KmsKeyArn",
            "Name",
            "OmitName",
            "PermissionsBoundary",
            "RoleArn",
        ],
    ),
    ("DynamoDB event", &["ParallelizationFactor"]),
    (
        "AWS::Lambda::EventSourceMapping",
        &[
            "KmsKeyArn",
            "MetricsConfig",
            "ParallelizationFactor",
            "Tags",
        ],
    ),
    (
        "AWS::IAM::Role",
        &[
            "AssumeRolePolicyDocument",
            "Description",
            "MaxSessionDuration",
            "Path",
            "Tags",
        ],
    ),
    (
        "AWS::Serverless::HttpApi",
        &[
            "AccessLogSettings",
            "DefaultRouteSettings",
            "Description",
            "DisableExecuteApiEndpoint",
            "Domain",
            "FailOnWarnings",
            "Name",
            "PropagateTags",
            "Tags",
        ],
    ),
    (
        "Authorizer",
        &["EnableFunctionDefaultPermissions", "FunctionInvokeRole"],
    ),
    (
        "AWS::Serverless::StateMachine",
        &[
            "Description",
            "Logging",
            "PropagateTags",
            "Role",
            "RolePath",
            "Tags",
            "Tracing",
        ],
    ),
    // A pattern cannot be wrong once the template is deployed; it has no part in running it.
    (
        "Parameter",
        &[
            "AllowedPattern",
            "ConstraintDescription",
            "Description",
            "NoEcho",
        ],
    ),
];

/// The properties without effect of a resource type, or of a part of one.
pub(super) fn properties(of: &str) -> &'static [&'static str] {
    PROPERTIES
        .iter()
        .find(|(name, _)| *name == of)
        .map_or(&[], |(_, properties)| properties)
}
