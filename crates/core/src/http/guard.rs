//! The guard of a route, which every request passes on its way to the handler.

use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::http::exchange::{Request, Response};
use crate::http::limits::{Limiter, Refused};
use crate::http::problem::Problem;
use crate::http::routes::Route;

/// The guard of one route.
#[derive(Clone, Debug)]
pub struct Guard {
    route: &'static Route,
    limiter: Option<Limiter>,
}

impl Guard {
    /// Returns the guard of `route`.
    ///
    /// # Errors
    /// [`SettingError`] if a setting of the limits is missing or not valid.
    pub fn new(aws: &Aws, route: &'static Route) -> Result<Self, SettingError> {
        let limiter = Limiter::new(aws, route.class)?;
        Ok(Self { route, limiter })
    }

    /// Returns the response to `request`: the handler's, if the request is admitted. A request that is not
    /// admitted is not counted, because a token bucket belongs to a caller whose identity is known.
    pub async fn pass<F, Fut>(&self, request: Request, handler: F) -> Response
    where
        F: FnOnce(Request) -> Fut,
        Fut: Future<Output = Result<Response, Problem>>,
    {
        let counted = match &self.limiter {
            Some(limiter) if admit(self.route, &request).is_ok() => limiter.count(&request).await,
            Some(_) | None => Ok(()),
        };
        match counted {
            Ok(()) => pass_uncounted(self.route, request, handler).await,
            Err(refused) => too_many(refused, &request.path),
        }
    }
}

/// Returns the response to `request` on a route of [`crate::http::routes::Class::Free`]. It stands apart from
/// [`Guard::pass`] so that a function that counts nothing is built without a client of DynamoDB.
pub async fn pass_uncounted<F, Fut>(route: &Route, request: Request, handler: F) -> Response
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Result<Response, Problem>>,
{
    let path = request.path.clone();
    let response = match admit(route, &request) {
        // Boxed: unboxed, its type nests deeper than the compiler goes.
        Ok(()) => Box::pin(handler(request)).await,
        Err(problem) => Err(problem),
    };
    response.unwrap_or_else(|problem| Response::problem(&problem, &path))
}

fn admit(route: &Route, request: &Request) -> Result<(), Problem> {
    request.bounded()?;
    route.admit(request)
}

fn too_many(refused: Refused, path: &str) -> Response {
    let problem = Problem::TooManyRequests {
        retry_after_seconds: refused.retry_after_seconds,
    };
    let response = Response::problem(&problem, path);
    let headers = refused.headers().into_iter();
    headers.fold(response, |response, (name, value)| {
        response.header(name, value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::settings::Setting;
    use crate::http::routes;
    use crate::testing;
    use crate::values::clock::Time;

    #[tokio::test]
    async fn no_handler_sees_a_request_that_its_route_does_not_admit() {
        let (aws, _) = testing::aws();
        let guard = Guard::new(&aws, &routes::CREATE_PRODUCT).unwrap();
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        let handler = async |_| Response::ok(&"made");
        let admitted = guard.pass(request.clone(), handler).await;
        assert_eq!(admitted.status, 200);
        let refused = guard.pass(request.of_customer(), handler).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.content_type, "application/problem+json");
    }

    #[tokio::test]
    async fn a_caller_over_the_limit_is_told_when_to_retry() {
        let (aws, engine) = testing::aws();
        let guard = Guard::new(&aws, &routes::PLACE_ORDER).unwrap();
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        let handler = async |_| Response::ok(&"placed");
        for _ in 0..600 {
            assert_eq!(guard.pass(request.clone(), handler).await.status, 200);
        }
        let refused = guard.pass(request.clone(), handler).await;
        assert_eq!(refused.status, 429);
        let header = |name| {
            let mut headers = refused.headers.iter();
            let found = headers.find(|(given, _)| *given == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(header("Retry-After"), Some("1"));
        assert_eq!(header("RateLimit"), Some("\"order\";r=0;t=1"));
        assert_eq!(header("RateLimit-Policy"), Some("\"order\";q=600;w=60"));
        // A request that is refused for another reason is not counted.
        let written = engine.items(Setting::LimitsTable);
        let nobody = Request {
            identity: None,
            ..request
        };
        assert_eq!(guard.pass(nobody, handler).await.status, 401);
        assert_eq!(engine.items(Setting::LimitsTable), written);
    }
}
