//! The table of routes is what the template declares and what the functions serve.

use std::collections::BTreeSet;

use oxcart_core::limits;
use oxcart_core::routes::{self, Access};

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
    let known: BTreeSet<(String, String, String, bool)> = routes::ALL
        .iter()
        .map(|route| {
            let [operation, method, path] =
                [route.operation, route.method, route.path].map(str::to_owned);
            (operation, method, path, route.access != Access::Anyone)
        })
        .collect();
    assert_eq!(declared, known);
}

#[test]
fn a_function_stands_behind_the_door_of_its_own_route() {
    for route in routes::ALL {
        let name = route.operation.replace('_', "-");
        let service = service_of(&name).unwrap();
        let path = format!("functions/{service}/src/bin/{name}.rs");
        let main = std::fs::read_to_string(root().join(path)).unwrap();
        let door = format!(
            "lambda::serve(&aws, &routes::{},",
            route.operation.to_uppercase()
        );
        assert!(main.contains(&door), "{name} does not {door}");
        let served = main.matches("lambda::serve").count();
        assert_eq!(served, 1, "{name} serves more than its route");
    }
}

#[test]
fn what_is_counted_may_count() {
    let functions = Template::read().functions();
    for route in routes::ALL {
        let name = route.operation.replace('_', "-");
        let function = functions.iter().find(|function| function.binary == name);
        let function = function.unwrap();
        let count = ("dynamodb:UpdateItem".to_owned(), "LimitsTable".to_owned());
        let counted = limits::limit(route.class).is_some();
        assert_eq!(function.grants.contains(&count), counted, "{name}");
        let told = function.variables.contains("RATE_LIMIT_PERCENT");
        assert_eq!(told, counted, "{name}");
    }
}
