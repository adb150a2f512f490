//! The HTTP route of integrity.

use serde::Serialize;

use super::model::Finding;
use super::progress::{Round, Run};
use super::store::IntegrityStore;
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::clock::Time;

#[derive(Debug, Serialize)]
struct Report {
    last_audit: Option<AuditBody>,
    everything_read: Option<RoundBody>,
}

#[derive(Debug, Serialize)]
struct AuditBody {
    at: Time,
    checked_until: Time,
    checked: u64,
    unsettled: usize,
    restored_events: u64,
    open_findings: u64,
}

impl From<Run> for AuditBody {
    fn from(run: Run) -> Self {
        Self {
            at: run.at,
            checked_until: run.until,
            checked: run.checked,
            unsettled: run.unsettled.len(),
            restored_events: run.restored,
            open_findings: run.open,
        }
    }
}

#[derive(Debug, Serialize)]
struct RoundBody {
    began_at: Time,
    ended_at: Time,
}

impl From<Round> for RoundBody {
    fn from(round: Round) -> Self {
        Self {
            began_at: round.began_at,
            ended_at: round.ended_at,
        }
    }
}

#[derive(Debug, Serialize)]
struct FindingBody {
    subject: String,
    check: &'static str,
    detail: String,
    found_at: Time,
    resolved_at: Option<Time>,
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        Self {
            subject: finding.subject.to_string(),
            check: finding.check.name(),
            detail: finding.detail,
            found_at: finding.found_at,
            resolved_at: finding.resolved_at,
        }
    }
}

/// Returns the latest audit, when all tables were last read as a whole, and a page of all findings by subject, including
/// resolved ones: `GET /integrity?limit=&cursor=`.
///
/// # Errors
/// If the caller is not an admin; [`Problem::InvalidParameters`].
pub async fn get_integrity(store: &IntegrityStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::GET_INTEGRITY.query)?;
    let page = PageRequest::read(&request, &query)?;
    let (latest, reading, findings) = futures::try_join!(
        store.latest_run(),
        store.reading(),
        store.findings_page(&page)
    )?;
    let last_round = reading.and_then(|reading| reading.last_round);
    let report = Report {
        last_audit: latest.map(AuditBody::from),
        everything_read: last_round.map(RoundBody::from),
    };
    findings
        .map(FindingBody::from)
        .answer_beside(report, &request)
}
