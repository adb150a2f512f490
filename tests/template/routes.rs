//! The table of routes is what the template declares and what the functions serve.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_core::http::limits;
use oxcart_core::http::routes::{self, Access, Class};

use super::read::{Template, list, logical_id, service_of};
use crate::support::root;

#[test]
fn the_routes_are_those_of_the_template() {
    let template = Template::read();
    let functions = template.functions().into_iter();
    let binaries: BTreeMap<String, String> = functions
        .map(|function| (function.id, function.binary.replace('-', "_")))
        .collect();
    let declared: BTreeSet<(String, String, String, bool)> = template
        .routes()
        .into_iter()
        .map(|route| {
            let operation = binaries[&route.function].clone();
            (operation, route.method, route.path, route.asked)
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

/// API Gateway calls the functions of routes that read as one role and all others as another, and as neither it may call more.
#[test]
fn the_roles_of_routes_may_call_their_functions_and_no_others() {
    let template = Template::read();
    let mut called: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for route in template.routes() {
        let reads = ["GET", "HEAD"].contains(&route.method.as_str());
        let role = if reads { "ApiReadRole" } else { "ApiWriteRole" };
        assert_eq!(route.role, role, "{} {}", route.method, route.path);
        called.entry(route.role).or_default().insert(route.function);
    }
    let resources: BTreeMap<_, _> = template.resources().into_iter().collect();
    for (role, functions) in called {
        let policies = list(&resources[role.as_str()]["Properties"]["Policies"]);
        let statements = policies
            .into_iter()
            .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
        let allowed = statements.flat_map(|statement| {
            assert_eq!(statement["Action"], "lambda:InvokeFunction", "{role}");
            list(&statement["Resource"])
        });
        let allowed: BTreeSet<String> = allowed.map(logical_id).collect();
        assert_eq!(allowed, functions, "{role}");
    }
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
    let resources: BTreeMap<_, _> = template.resources().into_iter().collect();
    let api = &resources["Api"]["Properties"];
    let settings = &api["RouteSettings"];
    let lower = routes::ALL
        .iter()
        .filter(|route| matches!(route.class, Class::SignIn | Class::Order));
    assert_eq!(settings.as_mapping().unwrap().len(), lower.count());
    for route in routes::ALL {
        let settings = &settings[format!("{} {}", route.method, route.path)];
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
