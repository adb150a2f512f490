//! What a template may declare that has no meaning on one machine: encryption, backups, tracing,
//! throttling at the edge, alarms, retention of logs. Everything else that is not emulated is refused
//! by name.
//!
//! `MemorySize` of a function is not on this list, because it is billed and the function is told. But
//! nothing holds a function to it.

/// Resource types without any effect here. Their properties are known by name, and resolved so that a
/// wrong reference shows. Topics are for alarms: nothing of a stack can publish to one here, and a
/// subscription that delivers into the stack is refused.
pub(super) const TYPES: &[&str] = &[
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Topic",
];

/// Properties without any effect here, by the resource type or part that they belong to.
const PROPERTIES: &[(&str, &[&str])] = &[
    (
        "AWS::CloudWatch::Alarm",
        &[
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "ThresholdMetricId",
            "TreatMissingData",
            "Unit",
        ],
    ),
    (
        "AWS::CloudWatch::CompositeAlarm",
        &[
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "AlarmRule",
            "InsufficientDataActions",
            "OKActions",
            "Tags",
        ],
    ),
    (
        "AWS::CloudWatch::Dashboard",
        &["DashboardBody", "DashboardName"],
    ),
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
        &["Description", "KmsKeyIdentifier", "LogConfig", "Tags"],
    ),
    ("AWS::Events::Rule", &["Description", "Tags"]),
    (
        "AWS::Logs::LogGroup",
        &[
            "KmsKeyId",
            "LogGroupClass",
            "LogGroupName",
            "RetentionInDays",
            "Tags",
        ],
    ),
    (
        "AWS::Logs::MetricFilter",
        &[
            "FilterName",
            "FilterPattern",
            "LogGroupName",
            "MetricTransformations",
        ],
    ),
    (
        "AWS::SNS::Subscription",
        &[
            "Endpoint",
            "FilterPolicy",
            "FilterPolicyScope",
            "RawMessageDelivery",
            "TopicArn",
        ],
    ),
    (
        "AWS::SNS::Topic",
        &["DisplayName", "KmsMasterKeyId", "Tags", "TopicName"],
    ),
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
        &["Description", "MaxSessionDuration", "Path", "Tags"],
    ),
    (
        "AWS::Serverless::HttpApi",
        &[
            "AccessLogSettings",
            "DefaultRouteSettings",
            "Description",
            "Domain",
            "FailOnWarnings",
            "Name",
            "PropagateTags",
            "Tags",
        ],
    ),
    (
        "AWS::Events::EventBusPolicy",
        &["EventBusName", "StatementId"],
    ),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    (
        "AWS::Serverless::StateMachine",
        &[
            "Description",
            "Logging",
            "PropagateTags",
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
