//! `GET /integrity`: what audits found.

use serde::Serialize;

use super::model::{Finding, Run};
use super::store::IntegrityStore;
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::values::clock::Time;

#[derive(Debug, Serialize)]
struct Report {
    last_audit: Option<AuditBody>,
}

#[derive(Debug, Serialize)]
struct AuditBody {
    at: Time,
    checked: u64,
    unsettled: usize,
    open_findings: u64,
}

impl From<Run> for AuditBody {
    fn from(run: Run) -> Self {
        Self {
            at: run.at,
            checked: run.checked,
            unsettled: run.unsettled.len(),
            open_findings: run.open,
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

/// `GET /integrity?limit=&cursor=`: the latest audit, and all findings by subject, resolved ones among
/// them.
///
/// # Errors
/// For whoever is no admin; [`Problem::InvalidParameters`].
pub async fn get_integrity(store: &IntegrityStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(&["limit", "cursor"])?;
    let page = PageRequest::read(&query)?;
    let last_audit = store.latest().await?.map(AuditBody::from);
    let findings = store.page(&page).await?;
    findings
        .map(FindingBody::from)
        .answer_beside(Report { last_audit }, &request)
}
