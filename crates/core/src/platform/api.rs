//! The HTTP handlers of the platform, and their wire types.

use serde::Serialize;

use crate::http::{Request, Response};
use crate::problem::Problem;

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
    version: &'static str,
}

/// `GET /health`: tells that the API answers, and with which version. Asks nothing else, so that an
/// outage elsewhere does not take the whole API out of a load balancer.
///
/// # Errors
/// None that a client could cause.
#[expect(
    clippy::unused_async,
    reason = "handlers have one shape, which is asynchronous"
)]
pub async fn get_health(_request: Request) -> Result<Response, Problem> {
    let body = HealthBody {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(Response::ok(&body)?.header("Cache-Control", "no-store"))
}
