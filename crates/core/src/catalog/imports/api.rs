//! The routes of `/imports`.

use http::StatusCode;
use serde::Serialize;

use super::model::{Content, Counts, Failure, Fault, Format, Import, ImportError, Status};
use super::rules;
use super::store::ImportStore;
use crate::aws::bucket::Bucket;
use crate::catalog::fields::boolean;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::ImportId;

/// An import on the wire.
#[derive(Debug, Serialize)]
struct ImportBody {
    id: ImportId,
    content: Content,
    format: Option<Format>,
    dry_run: bool,
    status: Status,
    upload_url: Option<String>,
    size_bytes: Option<u64>,
    read_bytes: u64,
    #[serde(flatten)]
    counts: Counts,
    faults: Vec<Fault>,
    failure: Option<Failure>,
    created_at: Time,
    updated_at: Time,
}

impl ImportBody {
    fn new(import: Import, upload_url: Option<String>) -> Self {
        Self {
            id: import.id,
            content: import.content,
            format: import.format,
            dry_run: import.dry_run,
            status: import.status,
            upload_url,
            size_bytes: import.upload.map(|upload| upload.size),
            read_bytes: import.read_bytes,
            counts: import.counts,
            faults: import.faults,
            failure: import.failure,
            created_at: import.created_at,
            updated_at: import.updated_at,
        }
    }
}

/// Returns the import on the wire, with an address for its file while it waits for that.
async fn body(bucket: &Bucket, import: Import, now: Time) -> Result<ImportBody, Problem> {
    let url = match import.status {
        Status::Waiting => {
            let url = bucket.upload_url(&import.file(), now).await;
            Some(url.map_err(Problem::internal)?)
        }
        Status::Running | Status::Completed | Status::Failed | Status::Cancelled => None,
    };
    Ok(ImportBody::new(import, url))
}

/// `POST /imports`: creates an import and responds 202 with it, its `Location`, and the address for its file.
///
/// # Errors
/// For a caller who is not an admin, for bad input, and for an idempotency key that was used with another body.
pub async fn create_import(
    imports: &ImportStore,
    bucket: &Bucket,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let key = request.idempotency_key()?;
    let (content, format, dry_run) = request.json(|body| {
        let content = body.optional("content", |json| json.named(&Content::IMPORTED));
        let format = body.optional("format", |json| json.named(&Format::NAMES));
        let dry_run = body.optional("dry_run", boolean);
        Some((content?, format?, dry_run?))
    })?;
    let id = key.map_or_else(
        || ImportId::fresh(request.now),
        |key| ImportId::derived(&["create-import", &caller.customer_id.to_string(), key]),
    );
    let import = Import {
        id,
        created_by: caller.customer_id,
        content: content.unwrap_or(Content::Products),
        format,
        dry_run: dry_run.unwrap_or(false),
        status: Status::Waiting,
        upload: None,
        read_bytes: 0,
        read_lines: 0,
        header: None,
        counts: Counts::default(),
        faults: Vec::new(),
        failure: None,
        created_at: request.now,
        updated_at: request.now,
        request_hash: key.map(|_| request.body_hash()),
        revision: 1,
    };
    let (import, replayed) = imports.create(import).await?;
    let location = format!("/imports/{id}");
    let body = body(bucket, import, request.now).await?;
    let response = Response::json(StatusCode::ACCEPTED, &body)?;
    Ok(response.header("Location", location).replayed(replayed))
}

/// `GET /imports/{import_id}`: returns the import, with how far it has come and the first faults.
///
/// # Errors
/// For a caller who is not an admin, and [`Problem::NotFound`].
pub async fn get_import(
    imports: &ImportStore,
    bucket: &Bucket,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id: ImportId = request.id("import_id", "import")?;
    let import = imports.get(id).await?.ok_or(ImportError::NotFound)?;
    Response::ok(&body(bucket, import, request.now).await?)
}

/// `POST /imports/{import_id}/cancel`: stops the import and returns it. The rows that were read stay imported.
///
/// # Errors
/// For a caller who is not an admin, [`Problem::NotFound`], and [`Problem::Conflict`] for one that is completed or failed.
pub async fn cancel_import(imports: &ImportStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let id: ImportId = request.id("import_id", "import")?;
    let cancelled = imports.change(id, |import| rules::cancelled(import, request.now));
    Response::ok(&ImportBody::new(cancelled.await?, None))
}
