//! The routes of `/exports`.

use http::StatusCode;
use serde::Serialize;

use super::model::{Export, ExportError, Status, Upload};
use super::run::file_of;
use super::store::ExportStore;
use crate::aws::bucket::Bucket;
use crate::aws::queue::Queue;
use crate::catalog::imports::model::{Content, Format};
use crate::catalog::imports::run::Notice;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::ExportId;

/// An export on the wire.
#[derive(Debug, Serialize)]
struct ExportBody {
    id: ExportId,
    content: Content,
    format: Format,
    status: Status,
    download_url: Option<String>,
    rows: u64,
    size_bytes: u64,
    created_at: Time,
    updated_at: Time,
}

/// Returns the export on the wire, with the address of its file once that is complete.
async fn body(bucket: &Bucket, export: Export, now: Time) -> Result<ExportBody, Problem> {
    let download_url = match export.status {
        Status::Completed => {
            let url = bucket.download_url(&file_of(export.id), now).await;
            Some(url.map_err(Problem::internal)?)
        }
        Status::Running | Status::Failed => None,
    };
    Ok(ExportBody {
        id: export.id,
        content: export.content,
        format: export.format,
        status: export.status,
        download_url,
        rows: export.rows,
        size_bytes: export.bytes,
        created_at: export.created_at,
        updated_at: export.updated_at,
    })
}

/// `POST /exports`: creates an export and responds 202 with it and its `Location`.
///
/// # Errors
/// For a caller who is not an admin, for bad input, and for an idempotency key that was used with another body.
pub async fn create_export(
    exports: &ExportStore,
    bucket: &Bucket,
    queue: &Queue,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let key = request.idempotency_key()?;
    let (content, format) = request.json(|body| {
        let content = body.optional("content", |json| json.named(&Content::EXPORTED));
        let format = body.optional("format", |json| json.named(&Format::NAMES));
        Some((content?, format?))
    })?;
    let id = key.map_or_else(
        || ExportId::fresh(request.now),
        |key| ExportId::derived(&["create-export", &caller.customer_id.to_string(), key]),
    );
    let export = Export {
        id,
        created_by: caller.customer_id,
        content: content.unwrap_or(Content::Products),
        format: format.unwrap_or(Format::Ndjson),
        status: Status::Running,
        upload: Upload::default(),
        rows: 0,
        bytes: 0,
        created_at: request.now,
        updated_at: request.now,
        request_hash: key.map(|_| request.body_hash()),
        revision: 1,
    };
    let (export, replayed) = exports.create(export).await?;
    // A request that is repeated sends it again, in case it was not sent before.
    if export.status == Status::Running {
        let sent = queue.send(&Notice::of_export(id)).await;
        sent.map_err(Problem::internal)?;
    }
    let body = body(bucket, export, request.now).await?;
    let response = Response::json(StatusCode::ACCEPTED, &body)?;
    let location = format!("/exports/{id}");
    Ok(response.header("Location", location).replayed(replayed))
}

/// `GET /exports/{export_id}`: returns the export, with the address of its file once that is complete.
///
/// # Errors
/// For a caller who is not an admin, and [`Problem::NotFound`].
pub async fn get_export(
    exports: &ExportStore,
    bucket: &Bucket,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id: ExportId = request.id("export_id", "export")?;
    let export = exports.get(id).await?.ok_or(ExportError::NotFound)?;
    Response::ok(&body(bucket, export, request.now).await?)
}
