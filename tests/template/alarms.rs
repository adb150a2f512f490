//! What can stop silently has an alarm.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

use super::read::{Template, logical_id};

/// What counts the completed runs of a scheduled function, where an invocation alone does not say that its work is done.
const COMPLETED: &[(&str, &str)] = &[
    ("ReconcileLedger", "UnreconciledSeconds"),
    ("AuditIntegrity", "CompletedAudits"),
];

/// Returns the alarms for `metric`.
fn alarms<'a>(template: &'a Template, metric: &str) -> Vec<&'a Value> {
    let resources = template.resources().into_iter();
    resources
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
        .map(|(_, resource)| &resource["Properties"])
        .filter(|properties| properties["MetricName"] == metric)
        .collect()
}

/// Returns the logical ids of what the alarms for `metric` watch.
fn watched(template: &Template, metric: &str) -> BTreeSet<String> {
    let alarms = alarms(template, metric).into_iter();
    let dimensions = alarms.filter_map(|alarm| alarm["Dimensions"].as_sequence());
    let values = dimensions
        .flatten()
        .map(|dimension| logical_id(&dimension["Value"]));
    values.collect()
}

/// Returns the logical ids of the resources of type `kind` for which `is` is true.
fn ids(template: &Template, kind: &str, is: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let resources = template.resources().into_iter();
    resources
        .filter(|(_, resource)| resource["Type"] == kind && is(&resource["Properties"]))
        .map(|(id, _)| id.to_owned())
        .collect()
}

#[test]
fn every_queue_has_an_alarm() {
    let template = Template::read();
    let has_consumer = |queue: &Value| !queue["RedrivePolicy"].is_null();
    let consumed = ids(&template, "AWS::SQS::Queue", has_consumer);
    let kept = ids(&template, "AWS::SQS::Queue", |queue| !has_consumer(queue));
    assert_eq!(
        watched(&template, "ApproximateAgeOfOldestMessage"),
        consumed
    );
    assert_eq!(
        watched(&template, "ApproximateNumberOfMessagesVisible"),
        kept
    );
}

#[test]
fn every_scheduled_function_has_an_alarm_for_its_errors_and_for_its_silence() {
    let template = Template::read();
    let functions = template.functions().into_iter();
    let scheduled: BTreeSet<String> = functions
        .filter(|function| {
            function
                .sources
                .iter()
                .any(|kind| kind.starts_with("Schedule"))
        })
        .map(|function| function.id)
        .collect();
    let errors = watched(&template, "Errors");
    assert_eq!(errors, scheduled);
    let mut invoked = watched(&template, "Invocations");
    for alarm in alarms(&template, "Invocations") {
        assert_eq!(alarm["TreatMissingData"], "breaching");
    }
    for (function, metric) in COMPLETED {
        let alarms = alarms(&template, metric);
        assert!(
            alarms
                .iter()
                .any(|alarm| alarm["TreatMissingData"] == "breaching")
        );
        invoked.insert((*function).to_owned());
    }
    assert_eq!(invoked, scheduled);
}

#[test]
fn every_way_in_which_a_workflow_ends_badly_has_an_alarm() {
    let template = Template::read();
    let workflows = ids(&template, "AWS::Serverless::StateMachine", |_| true);
    for metric in [
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
    ] {
        assert_eq!(watched(&template, metric), workflows, "{metric}");
    }
}

#[test]
fn every_stream_has_an_alarm() {
    let template = Template::read();
    let mappings = template.resources().into_iter();
    let readers: BTreeSet<String> = mappings
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::EventSourceMapping")
        .map(|(_, resource)| &resource["Properties"])
        .filter(|mapping| !mapping["StartingPosition"].is_null())
        .map(|mapping| logical_id(&mapping["FunctionName"]))
        .collect();
    assert_eq!(watched(&template, "IteratorAge"), readers);
}

#[test]
fn what_fails_is_delivered_again_for_hours() {
    let template = Template::read();
    for (id, resource) in template.resources() {
        let properties = &resource["Properties"];
        let redrive = &properties["RedrivePolicy"];
        if resource["Type"] == "AWS::SQS::Queue" && !redrive.is_null() {
            let attempts = redrive["maxReceiveCount"].as_u64().unwrap();
            let seconds = attempts * properties["VisibilityTimeout"].as_u64().unwrap();
            assert!(
                seconds >= 6 * 3600,
                "{id} gives a message up after {seconds} s"
            );
            let kept = properties["MessageRetentionPeriod"].as_u64().unwrap();
            assert!(
                kept > seconds,
                "{id} forgets a message before it is given up"
            );
        }
        if !properties["StartingPosition"].is_null() {
            let bounds = ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"];
            for bound in bounds {
                assert!(properties[bound].is_null(), "{id} gives an event up");
            }
        }
    }
}
