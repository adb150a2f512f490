//! `/discount-settings`: what the shop has decided about all discounts.

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt};
use crate::http::body::Body;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::pricing::collection::{self, Collection, NoTerms};
use crate::pricing::model::{DiscountSettings, Exclusive};
use crate::pricing::store::PricingStore;

/// The settings on the wire.
#[derive(Debug, Serialize)]
struct SettingsBody {
    exclusive: Exclusive,
    version: u64,
}

/// `GET /discount-settings`: returns the settings.
///
/// # Errors
/// If the caller is not an admin.
pub async fn get_discount_settings(
    pricing: &PricingStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    respond(&pricing.collection().await?)
}

/// `PUT /discount-settings`: replaces the settings.
///
/// # Errors
/// If the caller is not an admin, the body is invalid, or `If-Match` is missing or stale.
pub async fn replace_discount_settings(
    pricing: &PricingStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let expected = request.if_match()?;
    let wanted = request.json(settings)?;
    dynamo::change("the settings", || async {
        let stored: Collection<DiscountSettings> = pricing.collection().await?;
        let replaced =
            collection::replace(&stored, NoTerms {}, vec![wanted], &expected, request.now);
        let Some((next, mut event)) = replaced.map_err(|_| Problem::PreconditionFailed)? else {
            return respond(&stored).map(Attempt::Done);
        };
        event.traceparent = request.traceparent();
        match pricing.replace_collection(next, event).await? {
            Some(replaced) => respond(&replaced).map(Attempt::Done),
            None if expected == IfMatch::Any => Ok(Attempt::Overtaken),
            None => Err(Problem::PreconditionFailed),
        }
    })
    .await
}

fn settings(body: &mut Body<'_>) -> Option<DiscountSettings> {
    let exclusive = body.required("exclusive", |json| {
        json.parsed("this must be priority or best", |text| {
            Exclusive::from_name(text).ok_or(())
        })
    });
    Some(DiscountSettings {
        exclusive: exclusive?,
    })
}

fn respond(stored: &Collection<DiscountSettings>) -> Result<Response, Problem> {
    let settings = stored.entries.first().copied().unwrap_or_default();
    let body = SettingsBody {
        exclusive: settings.exclusive,
        version: stored.version,
    };
    Ok(Response::ok(&body)?.etag(&collection::tag(stored)))
}
