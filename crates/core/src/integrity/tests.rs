mod money;
mod volume;
mod world;

use std::collections::BTreeSet;

use serde_json::json;

use super::audit::{AuditRequest, audit_integrity};
use super::checks::{CheckResult, Results};
use super::model::{Check, Finding, RESTORED, Subject, VIOLATED, Violation};
use super::record::record;
use super::resources::Audit;
use super::rules;
use super::store::IntegrityStore;
use crate::aws::dynamo::Written;
use crate::aws::settings::Setting;
use crate::event_log::store::EventLog;
use crate::testing;
use crate::values::clock::Time;
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::{OrderId, VariantId};

fn at(second: i64) -> Time {
    Time::from_millis(1_772_357_400_000 + second * 1000)
}

/// Returns event number `version` of `teapot`, at `second`.
fn event(version: u64, second: i64) -> DomainEvent {
    let stamp = Stamp::new("teapot", version, "TeapotBoiled", at(second));
    DomainEvent::new("teapot", stamp, json!({}))
}

#[test]
fn events_are_numbered_from_one_without_a_gap_and_in_time() {
    let found = |events: &[(u64, i64)]| {
        let events: Vec<DomainEvent> = events
            .iter()
            .map(|(version, second)| event(*version, *second))
            .collect();
        rules::aggregate(&events).pop().map(|found| found.detail)
    };
    assert_eq!(found(&[]), None);
    assert_eq!(found(&[(1, 0), (2, 0), (3, 1)]), None);
    let missing = "event 2 is missing before 3 TeapotBoiled";
    assert_eq!(found(&[(1, 0), (3, 1)]).as_deref(), Some(missing));
    let missing = "event 1 is missing before 2 TeapotBoiled";
    assert_eq!(found(&[(2, 0)]).as_deref(), Some(missing));
    let early = "event 2 is earlier than the previous one";
    assert_eq!(found(&[(1, 1), (2, 0)]).as_deref(), Some(early));
}

#[test]
fn subjects_and_checks_are_read_as_they_are_written() {
    let subjects = [
        Subject::Order(OrderId::fresh(at(0))),
        Subject::Stock(VariantId::fresh(at(0))),
        Subject::Aggregate("rule#a:b".to_owned()),
    ];
    for subject in subjects {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    assert!("order:teapot".parse::<Subject>().is_err());
    assert!("teapot:1".parse::<Subject>().is_err());
    for check in Check::ALL {
        assert_eq!(check.name().parse(), Ok(check));
    }
    assert!("boils".parse::<Check>().is_err());
}

#[test]
fn a_finding_has_an_event_for_each_change() {
    let subject = Subject::Aggregate("teapot".to_owned());
    let violation = Violation {
        check: Check::VersionsFollow,
        detail: "cold".to_owned(),
    };
    let finding = Finding::new(&subject, &violation, at(0));
    assert_eq!((finding.version, finding.found_at), (1, at(0)));
    assert_eq!(finding.event.event_type, VIOLATED);
    assert_eq!(finding.clone().found_again("cold", at(1)), None);
    let other = finding.clone().found_again("colder", at(1)).unwrap();
    assert_eq!((other.version, other.found_at), (2, at(0)));
    let resolved = other.resolved(at(2)).unwrap();
    assert_eq!(resolved.resolved_at, Some(at(2)));
    assert_eq!(resolved.event.event_type, RESTORED);
    assert_eq!(resolved.clone().resolved(at(3)), None);
    let again = resolved.found_again("colder", at(4)).unwrap();
    assert_eq!((again.version, again.found_at), (4, at(4)));
    assert!(again.is_open());
}

#[tokio::test]
async fn an_audit_continues_a_little_before_the_end_of_the_previous_one() {
    let (aws, engine) = testing::aws();
    let (audit, log) = (Audit::new(&aws).unwrap(), EventLog::new(&aws).unwrap());
    let request_at = |second| AuditRequest {
        time: at(second),
        since: None,
    };
    log.append(event(1, 0)).await.unwrap();
    let first = audit_integrity(&audit, request_at(60)).await.unwrap();
    assert_eq!((first.checked, first.open_findings), (1, 0));
    // Ten minutes later nothing is new, but the last quarter of an hour is checked again.
    let second = audit_integrity(&audit, request_at(660)).await.unwrap();
    assert_eq!(second.checked, 1);
    let third = audit_integrity(&audit, request_at(3660)).await.unwrap();
    assert_eq!(third.checked, 1, "the previous audit ended at 660");
    let fourth = audit_integrity(&audit, request_at(7260)).await.unwrap();
    assert_eq!(fourth.checked, 0);
    // A delayed audit does not replace the record of a later one.
    audit_integrity(&audit, request_at(60)).await.unwrap();
    let items = engine.items(Setting::IntegrityTable);
    let latest = items.iter().find(|item| item["sk"] == "latest").unwrap();
    assert_eq!(latest["until"], at(7260).to_string());
}

#[tokio::test]
async fn a_violation_is_checked_again_until_it_is_gone() {
    let (aws, _) = testing::aws();
    let (audit, log) = (Audit::new(&aws).unwrap(), EventLog::new(&aws).unwrap());
    log.append(event(2, 0)).await.unwrap();
    for hour in 1..4 {
        let request = AuditRequest {
            time: at(hour * 3600),
            since: None,
        };
        let outcome = audit_integrity(&audit, request).await.unwrap();
        assert_eq!((outcome.checked, outcome.open_findings), (1, 1), "{hour}");
    }
    log.append(event(1, 0)).await.unwrap();
    let request = AuditRequest {
        time: at(4 * 3600),
        since: None,
    };
    let outcome = audit_integrity(&audit, request).await.unwrap();
    assert_eq!((outcome.checked, outcome.open_findings), (1, 0));
}

fn teapot() -> Subject {
    Subject::Aggregate("teapot".to_owned())
}

fn violated(detail: &str) -> Violation {
    Violation {
        check: Check::VersionsFollow,
        detail: detail.to_owned(),
    }
}

#[tokio::test]
async fn a_finding_is_stored_only_after_the_version_before() {
    let (aws, _) = testing::aws();
    let store = IntegrityStore::new(&aws).unwrap();
    let stored = async |finding: &Finding| {
        let written = store.store_finding(finding).await.unwrap();
        written == Written::Done
    };
    let first = Finding::new(&teapot(), &violated("cold"), at(0));
    let second = first.clone().found_again("colder", at(1)).unwrap();
    let third = second.clone().resolved(at(2)).unwrap();
    assert!(stored(&first).await);
    assert!(!stored(&third).await, "the second is missing");
    assert!(stored(&second).await);
    // Audits that have read an older version.
    assert!(!stored(&first).await);
    assert!(!stored(&first.resolved(at(3)).unwrap()).await);
    assert_eq!(store.findings_of(&teapot()).await.unwrap(), [second]);
}

#[tokio::test]
async fn two_audits_at_once_record_a_change_once() {
    let (aws, engine) = testing::aws();
    let store = IntegrityStore::new(&aws).unwrap();
    let mut open = BTreeSet::new();
    for (violations, then) in [(vec![violated("cold")], 1), (vec![], 0)] {
        let results = || Results::from([(teapot(), CheckResult::Settled(violations.clone()))]);
        let (other, seen, found) = (store.clone(), open.clone(), results());
        engine.before_next("PutItem", async move || {
            let mut seen = seen;
            let opened = record(&other, &mut seen, &found, at(1)).await.unwrap();
            assert_eq!(opened.abs(), 1);
        });
        let opened = record(&store, &mut open, &results(), at(2)).await.unwrap();
        assert_eq!(opened, 0, "the other audit counts it");
        let findings = store.findings_of(&teapot()).await.unwrap();
        let count = findings.iter().filter(|finding| finding.is_open()).count();
        assert_eq!((count, findings[0].event.at), (then, at(1)));
    }
}
