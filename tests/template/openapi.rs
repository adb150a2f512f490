//! `infra/openapi.json`: made of the table of routes, the descriptions in `infra/openapi/` and the sample
//! events. `UPDATE_EXPECT=1` writes it anew.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_core::http::routes::{self, Access, Class, Route};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::read::service_of;
use crate::support::contract::contract;
use crate::support::root;

/// What the operations of all services share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    info: Map<String, Value>,
    servers: Value,
    tags: Value,
    #[serde(rename = "securitySchemes")]
    security_schemes: Value,
    parameters: Map<String, Value>,
    headers: Map<String, Value>,
    problems: BTreeMap<u16, String>,
    schemas: Map<String, Value>,
}

/// A service's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    operations: BTreeMap<String, Operation>,
    schemas: Map<String, Value>,
}

/// What the table of routes does not say of an operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    summary: String,
    #[serde(default)]
    description: Option<String>,
    /// Names of shared ones, or whole ones; those in the path go without saying.
    #[serde(default)]
    parameters: Vec<Value>,
    /// The schema of the body.
    #[serde(default)]
    body: Option<String>,
    answers: BTreeMap<u16, Success>,
    /// Beside those that follow from access, parameters and body.
    #[serde(default)]
    problems: BTreeSet<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Success {
    description: String,
    #[serde(default)]
    schema: Option<String>,
    /// The schema of the body as `text/csv`.
    #[serde(default)]
    sheet: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
}

impl Operation {
    fn has(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|given| given == parameter)
    }

    /// The headers of a response that a client may have already, which has an entity tag.
    fn conditional_headers(&self, route: &Route) -> Option<&[String]> {
        let read = self.answers.get(&200).filter(|_| route.method == "GET")?;
        let tagged = read.headers.iter().any(|name| name == "ETag");
        tagged.then_some(&read.headers)
    }

    fn parameters(&self, route: &Route) -> Vec<Value> {
        let segments = route.path.split('/');
        let names = segments.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let of_path = names.map(|name| {
            // A parameter that is not an identifier has a schema of its own, `RuleName` for `rule_name`.
            let schema = if name.ends_with("_id") {
                json!({"type": "string", "format": "uuid"})
            } else {
                reference("schemas", &super::names::pascal(&name.replace('_', "-")))
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        });
        let others = self.parameters.iter().map(|given| match given.as_str() {
            Some(name) => reference("parameters", name),
            None => given.clone(),
        });
        let conditional = self.conditional_headers(route);
        let conditional = conditional.map(|_| reference("parameters", "IfNoneMatch"));
        of_path.chain(others).chain(conditional).collect()
    }

    /// The statuses of all problems that it may end in.
    fn problems(&self, route: &Route) -> BTreeSet<u16> {
        let mut found = self.problems.clone();
        found.extend([400, 429, 431, 500, 503]);
        if route.access != Access::Anyone {
            found.extend([401, 403]);
        }
        if route.path.contains('{') {
            found.insert(404);
        }
        if self.body.is_some() {
            found.extend([413, 415, 422]);
        }
        if self.has("IfMatch") {
            found.extend([412, 428]);
        }
        found
    }

    fn responses(&self, common: &Common, route: &Route) -> Value {
        let mut responses = Map::new();
        let described = |headers: &[String]| -> Value {
            let headers = headers.iter();
            headers
                .map(|name| (name.clone(), reference("headers", name)))
                .collect()
        };
        if let Some(headers) = self.conditional_headers(route) {
            let description = "The client has the current state.";
            let answer = json!({"description": description, "headers": described(headers)});
            responses.insert("304".to_owned(), answer);
        }
        for (status, success) in &self.answers {
            let mut answer = json!({"description": success.description});
            if !success.headers.is_empty() {
                answer["headers"] = described(&success.headers);
            }
            if let Some(schema) = &success.schema {
                let mut bodies = entries(content("application/json", schema));
                let sheet = success.sheet.iter();
                bodies.extend(sheet.flat_map(|schema| entries(content("text/csv", schema))));
                answer["content"] = bodies.into();
            }
            responses.insert(status.to_string(), answer);
        }
        for status in self.problems(route) {
            // A response that only API Gateway gives is not a problem document.
            let only_gateway = match status {
                403 => !matches!(route.access, Access::Admin | Access::Anyone),
                429 => route.class == Class::Free,
                _ => false,
            };
            let of_gateway = match status {
                401 | 403 => route.access != Access::Anyone,
                413 | 429 | 500 | 503 => true,
                _ => false,
            };
            let mut bodies = Map::new();
            if !only_gateway {
                bodies.extend(entries(content("application/problem+json", "Problem")));
            }
            if of_gateway {
                bodies.extend(entries(content("application/json", "GatewayError")));
            }
            let why = &common.problems[&status];
            let mut answer = json!({"description": why, "content": bodies});
            if status == 401 {
                answer["headers"]["WWW-Authenticate"] = reference("headers", "WWW-Authenticate");
            }
            if status == 429 || status == 503 {
                answer["headers"]["Retry-After"] = reference("headers", "Retry-After");
            }
            if status == 429 && !only_gateway {
                for name in ["RateLimit", "RateLimit-Policy"] {
                    answer["headers"][name] = reference("headers", name);
                }
            }
            responses.insert(status.to_string(), answer);
        }
        for response in responses.values_mut() {
            response["headers"]["X-Request-Id"] = reference("headers", "X-Request-Id");
        }
        responses.into()
    }

    fn document(&self, common: &Common, route: &Route, service: &str) -> Value {
        let mut operation = json!({
            "operationId": route.operation,
            "summary": self.summary,
            "tags": [service],
            "x-oxcart-access": route.access.as_str(),
            "security": match route.access {
                // Anyone may use it, and an admin gets more.
                Access::Anyone if route.depends_on_caller() => json!([{}, {"access_token": []}]),
                Access::Anyone => json!([]),
                Access::Customer | Access::OwnerOrAdmin | Access::Admin => json!([{"access_token": []}]),
            },
            "responses": self.responses(common, route),
        });
        if let Some(description) = &self.description {
            operation["description"] = json!(description);
        }
        let parameters = self.parameters(route);
        if !parameters.is_empty() {
            operation["parameters"] = json!(parameters);
        }
        if let Some(schema) = &self.body {
            let mut content = content("application/json", schema);
            content["application/json"]["example"] = sample(route.operation);
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        operation
    }
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn content(media_type: &str, schema: &str) -> Value {
    json!({media_type: {"schema": reference("schemas", schema)}})
}

fn entries(value: Value) -> Map<String, Value> {
    let Value::Object(entries) = value else {
        panic!("{value} is not an object");
    };
    entries
}

/// The body of the operation's sample event.
fn sample(operation: &str) -> Value {
    let path = format!("events/{}.json", operation.replace('_', "-"));
    let event = std::fs::read_to_string(root().join(path)).unwrap();
    let event: Value = serde_json::from_str(&event).unwrap();
    serde_json::from_str(event["body"].as_str().unwrap()).unwrap()
}

fn read<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let path = format!("infra/openapi/{name}.yaml");
    let text = std::fs::read_to_string(root().join(&path)).unwrap();
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn document() -> Value {
    let common: Common = read("common");
    let mut schemas = common.schemas.clone();
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes::ALL {
        let name = service_of(&route.operation.replace('_', "-")).unwrap();
        let service = services.entry(name.clone()).or_insert_with(|| read(&name));
        let operation = service.operations.remove(route.operation);
        let operation = operation.unwrap_or_else(|| {
            panic!(
                "infra/openapi/{name}.yaml does not describe {}",
                route.operation
            )
        });
        let operation = operation.document(&common, route, &name);
        let methods = paths.entry(route.path).or_default();
        methods.insert(route.method.to_lowercase(), operation);
    }
    for (name, service) in services {
        let left: Vec<String> = service.operations.into_keys().collect();
        assert!(
            left.is_empty(),
            "{name} describes something that is not a route: {left:?}"
        );
        for (schema, definition) in service.schemas {
            let twice = schemas.insert(schema.clone(), definition);
            assert!(twice.is_none(), "{schema} is described twice");
        }
    }
    let mut info = common.info;
    info.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    close_bodies(&paths, &mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": info,
        "servers": common.servers,
        "tags": common.tags,
        "paths": paths,
        "components": {
            "securitySchemes": common.security_schemes,
            "parameters": common.parameters,
            "headers": common.headers,
            "schemas": schemas,
        },
    })
}

/// Says of each object that a request's body may have that it takes no other fields.
fn close_bodies(paths: &BTreeMap<&str, Map<String, Value>>, schemas: &mut Map<String, Value>) {
    let mut closed = BTreeSet::new();
    let operations = paths.values().flat_map(Map::values);
    let mut open = BTreeSet::new();
    operations.for_each(|operation| references(&operation["requestBody"], &mut open));
    while let Some(target) = open.pop_first() {
        let name = target.trim_start_matches("#/components/schemas/");
        let schema = schemas
            .get_mut(name)
            .unwrap_or_else(|| panic!("there is no {target}"));
        close(schema);
        references(schema, &mut open);
        closed.insert(target);
        open.retain(|target| !closed.contains(target));
    }
}

/// Closes `schema` and all objects in it that do not say what else they take.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if entries.contains_key("properties") {
                entries
                    .entry("additionalProperties")
                    .or_insert(json!(false));
            }
            entries.values_mut().for_each(close);
        }
        Value::Array(entries) => entries.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_query_parameter_that_a_route_takes_is_described_and_no_other() {
    let document = document();
    for route in routes::ALL {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described: BTreeSet<String> = parameters
            .map(|given| match given["$ref"].as_str() {
                Some(target) => document.pointer(target.trim_start_matches('#')).unwrap(),
                None => given,
            })
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| {
                let name = parameter["name"].as_str().unwrap();
                let is_object = parameter["style"] == "deepObject";
                if is_object {
                    format!("{name}[*]")
                } else {
                    name.to_owned()
                }
            })
            .collect();
        let taken = route.query.iter().map(|name| (*name).to_owned());
        assert_eq!(described, taken.collect(), "{}", route.operation);
    }
}

/// Every `$ref` in `value`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            if let Some(Value::String(target)) = entries.get("$ref") {
                found.insert(target.clone());
            }
            entries.values().for_each(|value| references(value, found));
        }
        Value::Array(entries) => entries.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_openapi_document_is_current() {
    let path = root().join("infra/openapi.json");
    let made = document();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }
    let stored: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(
        stored == made,
        "infra/openapi.json is out of date: UPDATE_EXPECT=1 cargo test --package oxcart-tests openapi"
    );
}

#[test]
fn what_the_document_refers_to_is_there_and_all_of_it_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for kind in ["parameters", "headers", "schemas"] {
        let there = document["components"][kind].as_object().unwrap();
        let there: BTreeSet<String> = there
            .keys()
            .map(|name| format!("#/components/{kind}/{name}"))
            .collect();
        let prefix = format!("#/components/{kind}/");
        let used: BTreeSet<String> = used
            .iter()
            .filter(|target| target.starts_with(&prefix))
            .cloned()
            .collect();
        assert_eq!(used, there);
    }
}

#[test]
fn the_examples_are_of_their_schemas() {
    for operation in contract().operations() {
        let content = &operation.value["requestBody"]["content"]["application/json"];
        if content.is_object() {
            let faults = contract().faults(content, &content["example"]);
            assert!(faults.is_empty(), "{operation:?}: {faults:?}");
        }
    }
}
