//! The guard of a route, which every request passes on its way to the handler.

use http::StatusCode;
use http::header::IF_NONE_MATCH;

use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, gate};
use crate::http::exchange::{Request, Response, Tags};
use crate::http::limits::{Limiter, Refused};
use crate::http::problem::Problem;
use crate::http::routes::{Class, Route};

/// The guard of one route.
#[derive(Clone, Debug)]
pub struct Guard {
    route: &'static Route,
    limiter: Option<Limiter>,
    /// How many seconds caches that many clients share may keep what strangers read.
    edge_seconds: u32,
}

impl Guard {
    /// Returns the guard of `route`.
    ///
    /// # Errors
    /// [`SettingError`] if a setting of the limits is missing or not valid.
    pub fn new(aws: &Aws, route: &'static Route) -> Result<Self, SettingError> {
        let edge_seconds = if route.is_public_catalogue() {
            aws.settings().read(Setting::EdgeCacheSeconds)?
        } else {
            0
        };
        Ok(Self {
            route,
            limiter: Limiter::new(aws, route.class)?,
            edge_seconds,
        })
    }

    /// Returns the response to `request`: the handler's, if the request is admitted. A request that its route does not
    /// admit is not counted, because a token bucket belongs to a caller whose identity is known. The others are counted
    /// beside what the handler reads first.
    pub async fn pass<F, Fut>(&self, request: Request, handler: F) -> Response
    where
        F: FnOnce(Request) -> Fut,
        Fut: Future<Output = Result<Response, Problem>>,
    {
        let names_caller = request.names_caller();
        let response = self.pass_counted(request, handler).await;
        match self.edge_seconds {
            0 => response,
            seconds => kept_at_the_edge(response, seconds, names_caller),
        }
    }

    async fn pass_counted<F, Fut>(&self, request: Request, handler: F) -> Response
    where
        F: FnOnce(Request) -> Fut,
        Fut: Future<Output = Result<Response, Problem>>,
    {
        let limiter = self.limiter.as_ref();
        let Some(limiter) = limiter.filter(|_| admit(self.route, &request).is_ok()) else {
            return pass_uncounted(self.route, request, handler).await;
        };
        let id = request.request_id.clone();
        let counted = limiter.count(limiter.caller(&request));
        let response = pass_uncounted(self.route, request, handler);
        let response = match self.route.class {
            // Checking a password takes the time that the limit is to protect.
            Class::SignIn => match counted.await {
                Ok(()) => Ok(response.await),
                Err(refused) => Err(refused),
            },
            Class::Free | Class::Read | Class::Write | Class::Order => {
                gate::beside(counted, response).await
            }
        };
        response.unwrap_or_else(|refused| completed(self.route, &id, too_many(refused, &id)))
    }
}

/// Returns the response to `request` on a route of [`crate::http::routes::Class::Free`]. It stands apart from
/// [`Guard::pass`] so that a function that counts nothing is built without a client of DynamoDB.
pub async fn pass_uncounted<F, Fut>(route: &Route, request: Request, handler: F) -> Response
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Result<Response, Problem>>,
{
    let id = request.request_id.clone();
    let known = known_tags(route, &request);
    let response = match admit(route, &request) {
        // Boxed: unboxed, its type nests deeper than the compiler goes.
        Ok(()) => Box::pin(handler(request)).await,
        Err(problem) => Err(problem),
    };
    let response = response.unwrap_or_else(|problem| Response::problem(&problem, &id));
    completed(route, &id, conditional(known.as_ref(), response))
}

/// Returns the entity tags of the states that the client already has, if it reads (`If-None-Match`, RFC 9110 section
/// 13.1.2). What cannot be read is ignored: the client gets the whole response, which is never wrong.
fn known_tags(route: &Route, request: &Request) -> Option<Tags> {
    let known = Tags::read(&request.headers, &IF_NONE_MATCH).ok().flatten();
    known.filter(|_| route.method == "GET")
}

/// Returns 304 instead of a response that the client has.
fn conditional(known: Option<&Tags>, response: Response) -> Response {
    let tag = response.entity_tag();
    let is_known = known
        .zip(tag)
        .is_some_and(|(known, tag)| known.match_weakly(tag));
    if is_known && response.status == StatusCode::OK {
        response.not_modified()
    } else {
        response
    }
}

/// Returns `response` with the headers that every response has: the identifier of its request, the request headers that
/// it depends on (RFC 9110 section 12.5.5), and what protects it on its way and in the client. No browser guesses another
/// media type for it, and nobody keeps what may be about a person (RFC 9111 section 5.2.2.5), unless the handler says how
/// long it may be kept. What is public may be kept, and is asked for again before it is used: a price may have changed.
fn completed(route: &Route, request_id: &str, response: Response) -> Response {
    // API Gateway adds the CORS headers of the origin.
    let vary = if route.depends_on_caller() {
        "Authorization, Origin"
    } else {
        "Origin"
    };
    let response = response
        .header("X-Request-Id", request_id)
        .header("Vary", vary)
        .header("X-Content-Type-Options", "nosniff");
    let mut names = response.headers.iter().map(|(name, _)| *name);
    if names.any(|name| name == "Cache-Control") {
        response
    } else if route.is_personal() {
        response.header("Cache-Control", "no-store")
    } else {
        response.header("Cache-Control", "no-cache")
    }
}

/// Returns `response` of the catalogue with how long it may be kept. What a stranger got, caches that many clients share may
/// keep for `seconds`, and serve for as long again while they ask for what it is now (RFC 5861 section 3); a client by
/// itself asks each time. What a caller got who says who they are is for that caller (RFC 9111 section 5.2.2.7). Problems
/// are asked for again.
fn kept_at_the_edge(mut response: Response, seconds: u32, names_caller: bool) -> Response {
    let status = response.status;
    let is_kept = status.is_success() || status.is_redirection();
    let control = match (names_caller, is_kept) {
        (true, _) => "private, no-cache".to_owned(),
        (false, true) => {
            format!("public, max-age=0, s-maxage={seconds}, stale-while-revalidate={seconds}")
        }
        (false, false) => return response,
    };
    response
        .headers
        .retain(|(name, _)| *name != "Cache-Control");
    response.header("Cache-Control", control)
}

fn admit(route: &Route, request: &Request) -> Result<(), Problem> {
    request.bounded()?;
    route.admit(request)
}

fn too_many(refused: Refused, request_id: &str) -> Response {
    let problem = Problem::TooManyRequests {
        retry_after_seconds: refused.retry_after_seconds,
    };
    let response = Response::problem(&problem, request_id);
    let headers = refused.headers().into_iter();
    headers.fold(response, |response, (name, value)| {
        response.header(name, value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::dynamo::{Key, Table};
    use crate::http::routes;
    use crate::testing::{self, Fault};
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
    async fn personal_responses_are_not_kept_and_no_media_type_is_guessed() {
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        let headers = async |route, answer: Result<Response, Problem>| {
            let request = Request {
                identity: request
                    .identity
                    .clone()
                    .filter(|_| route != &routes::GET_PRODUCT),
                ..request.clone()
            };
            let response = pass_uncounted(route, request, async |_| answer).await;
            let value = |name| {
                let mut headers = response.headers.iter();
                let found = headers.find(|(given, _)| *given == name);
                found.map(|(_, value)| value.clone())
            };
            (value("X-Content-Type-Options"), value("Cache-Control"))
        };
        let (nosniff, kept) = (Some("nosniff".to_owned()), Some("no-store".to_owned()));
        let ok = || Response::ok(&"made");
        let failed = || Err(Problem::NotFound("order"));
        let personal = (nosniff.clone(), kept);
        assert_eq!(headers(&routes::GET_ORDER, ok()).await, personal);
        assert_eq!(headers(&routes::GET_ORDER, failed()).await, personal);
        assert_eq!(headers(&routes::GET_GUEST_ORDER, ok()).await, personal);
        let public = (nosniff.clone(), Some("no-cache".to_owned()));
        assert_eq!(headers(&routes::GET_PRODUCT, ok()).await, public);
        let kept = ok().map(|response| response.header("Cache-Control", "max-age=1"));
        let said = (nosniff, Some("max-age=1".to_owned()));
        assert_eq!(headers(&routes::GET_ORDER, kept).await, said);
    }

    #[tokio::test]
    async fn what_strangers_read_of_the_catalogue_is_kept_at_the_edge_if_it_may_be() {
        let known = "\"7\"";
        let control = async |seconds: u32, route, header: Option<(&'static str, &str)>, found| {
            let guard = Guard {
                route,
                limiter: None,
                edge_seconds: seconds,
            };
            let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
            let mut request = Request {
                identity: None,
                ..request
            };
            if let Some((name, value)) = header {
                request = request.with(name, value);
            }
            let handler = async |_| {
                if found {
                    Ok(Response::ok(&"made")?.etag("7"))
                } else {
                    Err(Problem::NotFound("product"))
                }
            };
            let response = guard.pass(request, handler).await;
            let mut headers = response.headers.into_iter();
            let value = headers.find(|(name, _)| *name == "Cache-Control");
            assert!(headers.all(|(name, _)| name != "Cache-Control"));
            (response.status.as_u16(), value.unwrap().1)
        };
        let product = &routes::GET_PRODUCT;
        let kept = "public, max-age=0, s-maxage=30, stale-while-revalidate=30";
        assert_eq!(
            control(30, product, None, true).await,
            (200, kept.to_owned())
        );
        let again = control(30, product, Some(("if-none-match", known)), true).await;
        assert_eq!(again, (304, kept.to_owned()));
        let named = control(30, product, Some(("authorization", "Bearer x")), true).await;
        assert_eq!(named, (200, "private, no-cache".to_owned()));
        let missing = control(30, product, None, false).await;
        assert_eq!(missing, (404, "no-cache".to_owned()));
        assert_eq!(control(0, product, None, true).await.1, "no-cache");
    }

    #[tokio::test]
    async fn every_response_names_its_request_and_what_it_depends_on() {
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        for (route, answer, vary) in [
            (
                &routes::GET_ORDER,
                Response::ok(&"made"),
                "Authorization, Origin",
            ),
            (
                &routes::GET_PRODUCT,
                Err(Problem::NotFound("product")),
                "Authorization, Origin",
            ),
            (
                &routes::LIST_PRODUCTS,
                Response::ok(&"made"),
                "Authorization, Origin",
            ),
            (
                &routes::GET_SHIPPING_METHODS,
                Response::ok(&"made"),
                "Origin",
            ),
            (&routes::LOGIN, Err(Problem::QuoteExpired), "Origin"),
        ] {
            let response = pass_uncounted(route, request.clone(), async |_| answer).await;
            let value = |name| {
                let mut headers = response.headers.iter();
                let found = headers.find(|(given, _)| *given == name);
                found.map(|(_, value)| value.as_str())
            };
            assert_eq!(value("X-Request-Id"), Some("MJy3ZgkZFiAEJ8Q="));
            assert_eq!(value("Vary"), Some(vary), "{}", route.operation);
            let body: Value = serde_json::from_slice(&response.body).unwrap();
            if response.status != StatusCode::OK {
                assert_eq!(body["instance"], "urn:oxcart:request:MJy3ZgkZFiAEJ8Q=");
            }
        }
    }

    #[tokio::test]
    async fn a_client_that_has_the_current_state_gets_304_when_it_reads() {
        let mut request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        request
            .headers
            .insert(IF_NONE_MATCH, "W/\"6\", \"7\"".parse().unwrap());
        let status = async |route, tag: &str| {
            let handler = async |_| Ok(Response::ok(&"made")?.etag(tag));
            pass_uncounted(route, request.clone(), handler).await
        };
        let known = status(&routes::GET_STOCK, "7").await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
        assert_eq!(known.content_type, "");
        assert_eq!(known.entity_tag(), Some("7"));
        assert_eq!(status(&routes::GET_STOCK, "6").await.status, 304);
        assert_eq!(status(&routes::GET_STOCK, "8").await.status, 200);
        assert_eq!(status(&routes::SET_STOCK, "7").await.status, 200);
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
        assert_eq!(header("Cache-Control"), Some("no-store"));
        assert_eq!(header("X-Request-Id"), Some("MJy3ZgkZFiAEJ8Q="));
        // A request that is refused for another reason is not counted.
        let written = engine.items(Setting::LimitsTable);
        let nobody = Request {
            identity: None,
            ..request
        };
        assert_eq!(guard.pass(nobody, handler).await.status, 401);
        assert_eq!(engine.items(Setting::LimitsTable), written);
    }

    /// How a handler writes.
    #[derive(Clone, Copy, Debug)]
    enum Way {
        Alone,
        ToldWhatWasThere,
        InTransaction,
    }

    /// Returns what `guard` responds to an order whose handler writes as soon as it can.
    async fn writes_at_once(aws: &Aws, guard: &Guard, way: Way) -> Response {
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        let table = Table::new(aws, Setting::OrdersTable).unwrap();
        let put = table.put(&json!({"order_id": "1", "part": "header"}));
        let key = Key::new("order_id", "1").and("part", "header");
        let update = table.update(key, "REMOVE payment_token");
        let handler = async |_| {
            match way {
                Way::Alone => drop(table.write(put.unwrap()).await.unwrap()),
                Way::ToldWhatWasThere => {
                    drop(table.write_or_tell::<Value>(update).await.unwrap());
                }
                Way::InTransaction => drop(table.transact(vec![put.unwrap()]).await.unwrap()),
            }
            Response::ok(&"placed")
        };
        guard.pass(request, handler).await
    }

    #[tokio::test]
    async fn a_handler_reads_while_it_is_counted_and_writes_afterwards() {
        let (aws, engine) = testing::aws();
        let guard = Guard::new(&aws, &routes::PLACE_ORDER).unwrap();
        // The count is retried: the handler is under way meanwhile.
        engine.fail_next("UpdateItem", Fault::Throttled);
        let placed = writes_at_once(&aws, &guard, Way::Alone).await;
        assert_eq!(placed.status, 200);
        assert_eq!(engine.calls(), ["UpdateItem", "UpdateItem", "PutItem"]);
        let table = Table::new(&aws, Setting::OrdersTable).unwrap();
        engine.forget_calls();
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        let reads = async |_| {
            let key = Key::new("order_id", "1").and("part", "header");
            let found: Option<Value> = table.get(key).await.unwrap();
            Response::ok(&found)
        };
        // The table of limits does not respond at once: the read does not wait for it.
        for _ in 0..3 {
            engine.fail_next("UpdateItem", Fault::Throttled);
        }
        assert_eq!(guard.pass(request, reads).await.status, 200);
        assert_eq!(engine.calls()[..2], ["UpdateItem", "GetItem"]);
    }

    #[tokio::test]
    async fn a_request_over_the_limit_changes_nothing() {
        let (aws, engine) = testing::aws();
        for _ in 0..600 {
            let guard = Guard::new(&aws, &routes::PLACE_ORDER).unwrap();
            let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
            let handler = async |_| Response::ok(&"placed");
            assert_eq!(guard.pass(request, handler).await.status, 200);
        }
        for way in [Way::Alone, Way::ToldWhatWasThere, Way::InTransaction] {
            // A process that knows nothing of the caller asks the table, while the handler is under way.
            engine.fail_next("UpdateItem", Fault::Throttled);
            let guard = Guard::new(&aws, &routes::PLACE_ORDER).unwrap();
            let refused = writes_at_once(&aws, &guard, way).await;
            assert_eq!(refused.status, 429, "{way:?}");
            assert!(engine.items(Setting::OrdersTable).is_empty(), "{way:?}");
        }
    }
}
