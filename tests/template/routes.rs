//! The table of routes is what the template declares and what the functions serve.

use std::collections::BTreeSet;

use oxcart_core::http::limits;
use oxcart_core::http::routes::{self, Access, Class};
use serde_yaml_ng::Value;

use super::read::{Template, service_of};
use crate::support::root;

#[test]
fn the_routes_are_those_of_the_template() {
    let functions = Template::read().functions();
    let declared: BTreeSet<(String, String, String, bool)> = functions
        .into_iter()
        .flat_map(|function| {
            let operation = function.binary.replace('-', "_");
            let routes = function.routes.into_iter();
            routes.map(move |(method, path, asked)| (operation.clone(), method, path, asked))
        })
        .collect();
    // What is read with GET is read with HEAD too (RFC 9110 section 9.3.2).
    let methods = |method| {
        if method == "GET" {
            vec!["GET", "HEAD"]
        } else {
            vec![method]
        }
    };
    let known: BTreeSet<(String, String, String, bool)> = routes::ALL
        .iter()
        .flat_map(|route| {
            methods(route.method).into_iter().map(|method| {
                let [operation, method, path] =
                    [route.operation, method, route.path].map(str::to_owned);
                (operation, method, path, route.access != Access::Anyone)
            })
        })
        .collect();
    assert_eq!(declared, known);
}

#[test]
fn a_function_stands_behind_the_guard_of_its_own_route() {
    for route in routes::ALL {
        let name = route.operation.replace('_', "-");
        let service = service_of(&name).unwrap();
        let path = format!("functions/{service}/src/bin/{name}.rs");
        let main = std::fs::read_to_string(root().join(path)).unwrap();
        let constant = route.operation.to_uppercase();
        let guard = match limits::limit(route.class) {
            Some(_) => format!("runtime::serve_http(&aws, &routes::{constant},"),
            None => format!("runtime::serve_http_uncounted(&routes::{constant},"),
        };
        assert!(main.contains(&guard), "{name} does not {guard}");
        let served = main.matches("runtime::serve").count();
        assert_eq!(served, 1, "{name} serves more than its route");
    }
}

#[test]
fn functions_of_counted_routes_may_count() {
    let functions = Template::read().functions();
    for route in routes::ALL {
        let name = route.operation.replace('_', "-");
        let function = functions.iter().find(|function| function.binary == name);
        let function = function.unwrap();
        let count = ("dynamodb:UpdateItem".to_owned(), "LimitsTable".to_owned());
        // The authoriser tells no function of a route for anyone who calls it: its reads are counted in memory.
        let here = route.access == Access::Anyone
            && limits::limit(route.class).is_some_and(|limit| limit.strangers_here);
        let counted = limits::limit(route.class).is_some() && !here;
        assert_eq!(function.grants.contains(&count), counted, "{name}");
    }
}

#[test]
fn each_route_is_throttled_as_its_class_asks() {
    let template = Template::read();
    let resources = template.resources();
    let functions = resources
        .iter()
        .map(|(_, resource)| &resource["Properties"]);
    let events = functions.filter_map(|properties| properties["Events"].as_mapping());
    let routes: Vec<&Value> = events
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "HttpApi")
        .map(|event| &event["Properties"])
        .filter(|declared| declared["Method"] != "HEAD")
        .collect();
    assert_eq!(routes.len(), routes::ALL.len());
    for route in routes::ALL {
        let declared = routes
            .iter()
            .find(|declared| declared["Method"] == route.method && declared["Path"] == route.path);
        let settings = &declared.unwrap()["RouteSettings"];
        let per_second = settings["ThrottlingRateLimit"].as_u64();
        let at_once = settings["ThrottlingBurstLimit"].as_u64();
        let expected = match route.class {
            Class::SignIn => (Some(100), Some(200)),
            Class::Order => (Some(500), Some(1000)),
            // The default of all routes.
            Class::Free | Class::Read | Class::Write => (None, None),
        };
        assert_eq!((per_second, at_once), expected, "{}", route.operation);
    }
}
