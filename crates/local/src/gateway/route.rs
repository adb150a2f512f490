//! Which route a request takes: the most specific one that has its method and path.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::Route;

/// The routes of an API, the most specific first.
pub(super) struct Routes {
    routes: Vec<(Vec<Segment>, Route)>,
}

/// A part of a route's path.
enum Segment {
    /// `{name+}`, also for `$default`: everything that is left.
    Rest(String),
    /// `{name}`.
    Parameter(String),
    /// Text.
    Static(String),
}

/// A route and what its parameters stand for.
pub(super) struct Matched<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: BTreeMap<String, String>,
}

impl Matched<'_> {
    /// As in `GET /orders/{order_id}`.
    pub(super) fn key(&self) -> String {
        match self.route.path.as_str() {
            "$default" => "$default".to_owned(),
            path => format!("{} {path}", self.route.method),
        }
    }
}

impl Routes {
    pub(super) fn new(routes: &[Route]) -> Self {
        let mut routes: Vec<_> = routes
            .iter()
            .map(|route| (segments(&route.path), route.clone()))
            .collect();
        routes.sort_by_key(|(segments, route)| {
            // `$default` has no segments: it comes last. A method beats ANY on the same path.
            let kinds: Vec<u8> = segments.iter().map(Segment::rank).collect();
            Reverse((kinds, route.method != "ANY"))
        });
        Self { routes }
    }

    /// The route for a method and a decoded path.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        self.routes.iter().find_map(|(segments, route)| {
            let right_method = route.method == "ANY" || route.method == method;
            let parameters = right_method.then(|| parameters(segments, path)).flatten()?;
            Some(Matched { route, parameters })
        })
    }
}

impl Segment {
    fn rank(&self) -> u8 {
        match self {
            Self::Rest(_) => 0,
            Self::Parameter(_) => 1,
            Self::Static(_) => 2,
        }
    }
}

fn segments(path: &str) -> Vec<Segment> {
    let path = path.strip_prefix('/');
    let segments = path.into_iter().flat_map(|path| path.split('/'));
    segments
        .map(|segment| {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name.map(|name| (name.strip_suffix('+'), name)) {
                Some((Some(rest), _)) => Segment::Rest(rest.to_owned()),
                Some((None, name)) => Segment::Parameter(name.to_owned()),
                None => Segment::Static(segment.to_owned()),
            }
        })
        .collect()
}

/// What the parameters stand for, if the path matches.
fn parameters(segments: &[Segment], path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    if segments.is_empty() {
        return Some(parameters); // $default
    }
    let mut left = Some(path.strip_prefix('/')?);
    for segment in segments {
        let (first, rest) = match left?.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (left?, None),
        };
        match segment {
            Segment::Static(text) if text == first => left = rest,
            Segment::Parameter(name) if !first.is_empty() => {
                parameters.insert(name.clone(), first.to_owned());
                left = rest;
            }
            Segment::Rest(name) if left != Some("") => {
                parameters.insert(name.clone(), left?.to_owned());
                left = None;
            }
            Segment::Static(_) | Segment::Parameter(_) | Segment::Rest(_) => return None,
        }
    }
    left.is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let route = |key: &str| {
            let (method, path) = key.split_once(' ').unwrap();
            let (function, authorizer) = (key.to_owned(), None);
            Route {
                method: method.to_owned(),
                path: path.to_owned(),
                function,
                authorizer,
            }
        };
        let routes = Routes::new(&[
            route("ANY /files/{path+}"),
            route("GET /orders/{order_id}"),
            route("ANY /orders/{order_id}"),
            route("GET /orders/search"),
            route("POST /orders"),
            route("GET /orders/{order_id}/history"),
            route("GET /"),
        ]);
        let found = routes.find(method, path);
        let found = found.map(|found| (found.key(), found.parameters));
        let expected = expected.map(|(key, parameters)| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            (key.to_owned(), parameters.iter().map(owned).collect())
        });
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn the_most_specific_route_is_taken() {
        check("GET", "/orders/search", Some(("GET /orders/search", &[])));
        check(
            "GET",
            "/orders/1",
            Some(("GET /orders/{order_id}", &[("order_id", "1")])),
        );
        check(
            "PUT",
            "/orders/1",
            Some(("ANY /orders/{order_id}", &[("order_id", "1")])),
        );
        check(
            "PUT",
            "/orders/search",
            Some(("ANY /orders/{order_id}", &[("order_id", "search")])),
        );
        check(
            "GET",
            "/orders/a%2Fb",
            Some(("GET /orders/{order_id}", &[("order_id", "a%2Fb")])),
        );
        check(
            "GET",
            "/orders/1/history",
            Some(("GET /orders/{order_id}/history", &[("order_id", "1")])),
        );
        check(
            "GET",
            "/files/a/b c",
            Some(("ANY /files/{path+}", &[("path", "a/b c")])),
        );
        check("GET", "/", Some(("GET /", &[])));
    }

    #[test]
    fn what_has_no_route_is_not_found() {
        check("GET", "/orders", None);
        check("GET", "/orders/", None);
        check("POST", "/orders/", None);
        check("GET", "/files/", None);
        check("GET", "/orders/1/2", None);
        check("POST", "/", None);
    }

    #[test]
    fn the_default_route_takes_what_is_left() {
        let default = |path: &str, method: &str| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: path.to_owned(),
            authorizer: None,
        };
        let routes = Routes::new(&[default("$default", "ANY"), default("/a/{all+}", "GET")]);
        let key = |method, path| routes.find(method, path).map(|found| found.key());
        assert_eq!(key("GET", "/a/b").as_deref(), Some("GET /a/{all+}"));
        assert_eq!(key("POST", "/a/b").as_deref(), Some("$default"));
        assert_eq!(key("GET", "/").as_deref(), Some("$default"));
    }
}
