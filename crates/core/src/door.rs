//! The door of a route: what every request passes on its way to the handler.

use crate::http::{Request, Response};
use crate::lambda::Aws;
use crate::problem::Problem;
use crate::routes::Route;

/// The door of one route.
#[derive(Clone, Debug)]
pub struct Door {
    route: &'static Route,
}

impl Door {
    /// The door of `route`.
    #[must_use]
    pub fn new(_aws: &Aws, route: &'static Route) -> Self {
        Self { route }
    }

    /// The answer to `request`: the handler's, if the request comes so far.
    pub async fn pass<F, Fut>(&self, request: Request, handler: F) -> Response
    where
        F: FnOnce(Request) -> Fut,
        Fut: Future<Output = Result<Response, Problem>>,
    {
        let path = request.path.clone();
        let answer = match self.route.admit(&request) {
            // Boxed: unboxed, its type nests deeper than the compiler goes.
            Ok(()) => Box::pin(handler(request)).await,
            Err(problem) => Err(problem),
        };
        answer.unwrap_or_else(|problem| Response::problem(&problem, &path))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Time;
    use crate::routes;
    use crate::testing;

    #[tokio::test]
    async fn no_handler_sees_a_request_that_its_route_does_not_admit() {
        let (aws, _) = testing::aws();
        let door = Door::new(&aws, &routes::CREATE_PRODUCT);
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        let handler = async |_| Response::ok(&"made");
        let admitted = door.pass(request.clone(), handler).await;
        assert_eq!(admitted.status, 200);
        let refused = door.pass(request.of_customer(), handler).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.content_type, "application/problem+json");
    }
}
