//! `/search-index` and `/search-settings`: how far the search index is, and what the shop has decided about it.

use http::StatusCode;
use oxcart_search::index::Part;
use serde::Serialize;

use super::model::{Build, Manifest};
use super::settings::SearchSettings;
use super::store::{IndexError, IndexStore};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;

/// The index on the wire.
#[derive(Debug, Serialize)]
struct IndexBody {
    /// How many products are searched, and those that were until a moment ago.
    products: u64,
    segments: usize,
    /// What the segments that are searched take.
    bytes: u64,
    /// The index that is being built anew.
    build: Option<BuildBody>,
}

#[derive(Debug, Serialize)]
struct BuildBody {
    begun_at: Time,
    /// How many products were read from the table so far.
    products_read: u64,
    /// Whether another one follows, because something has changed that concerns many products.
    again: bool,
}

impl IndexBody {
    fn new(manifest: &Manifest) -> Self {
        let parts = manifest.searched();
        Self {
            products: parts.iter().map(Part::alive).sum(),
            segments: parts.len(),
            bytes: parts.iter().map(|part| part.segment.bytes).sum(),
            build: manifest.build.as_ref().map(BuildBody::new),
        }
    }
}

impl BuildBody {
    fn new(build: &Build) -> Self {
        Self {
            begun_at: build.begun_at,
            products_read: build.products,
            again: build.again,
        }
    }
}

/// `GET /search-index`: returns how large the index is, and how far the one is that is being built.
///
/// # Errors
/// If the caller is not an admin.
pub async fn get_search_index(index: &IndexStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    Response::ok(&IndexBody::new(&manifest(index, request.now).await?))
}

/// `POST /search-index/rebuild`: begins to build the index anew, now or after the one that is being built. The index
/// is searched until then.
///
/// # Errors
/// If the caller is not an admin.
pub async fn rebuild_search_index(
    index: &IndexStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let now = request.now;
    let begun = index.change(now, move |manifest, _| {
        manifest.rebuild(now);
        Ok(IndexBody::new(manifest))
    });
    Response::json(StatusCode::ACCEPTED, &begun.await?)
}

/// `GET /search-settings`: returns the settings.
///
/// # Errors
/// If the caller is not an admin.
pub async fn get_search_settings(
    index: &IndexStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    respond(&manifest(index, request.now).await?.settings)
}

/// `PUT /search-settings`: replaces the settings. Searches follow within seconds.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is missing or stale.
pub async fn replace_search_settings(
    index: &IndexStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    let wanted = request.json(SearchSettings::read)?;
    let replaced = index.change(request.now, move |manifest, _| {
        let stored = &mut manifest.settings;
        if !expected.allows(&stored.version.to_string()) {
            return Ok(None);
        }
        let next = SearchSettings {
            version: stored.version,
            ..wanted.clone()
        };
        if next != *stored {
            *stored = next;
            stored.version += 1;
        }
        Ok(Some(stored.clone()))
    });
    match replaced.await? {
        Some(settings) => respond(&settings),
        None => Err(Problem::PreconditionFailed),
    }
}

/// Returns the manifest as it is, or as the first build begins.
async fn manifest(index: &IndexStore, now: Time) -> Result<Manifest, IndexError> {
    let stored = index.changed(None).await?;
    Ok(stored.map_or_else(|| Manifest::new(now), |(manifest, _)| manifest))
}

fn respond(settings: &SearchSettings) -> Result<Response, Problem> {
    Ok(Response::ok(settings)?.etag(&settings.version.to_string()))
}
