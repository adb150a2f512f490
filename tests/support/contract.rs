//! The OpenAPI document, against which every response to a test is checked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::client::Answer;
use super::root;

/// `infra/openapi.json`, with what is needed to compare with it.
pub(crate) struct Contract {
    /// The document.
    pub(crate) document: Value,
    schemas: BTreeMap<String, Validator>,
}

/// One operation of the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    /// In lower case.
    pub(crate) method: &'a str,
    /// With its parameters in braces.
    pub(crate) path: &'a str,
    /// What the document says of it.
    pub(crate) value: &'a Value,
}

/// The document of this workspace.
pub(crate) fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);
    &CONTRACT
}

impl Contract {
    fn read() -> Self {
        let text = std::fs::read(root().join("infra/openapi.json")).unwrap();
        let document: Value = serde_json::from_slice(&text).unwrap();
        let mut components = json!({"schemas": document["components"]["schemas"]});
        close(&mut components);
        let names = document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys();
        let schemas = names.map(|name| {
            let schema = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("#/components/schemas/{name}"),
                "components": components,
            });
            let options = jsonschema::options().should_validate_formats(true);
            let validator = options.build(&schema);
            let validator = validator.unwrap_or_else(|error| panic!("schema {name}: {error}"));
            (name.clone(), validator)
        });
        let schemas = schemas.collect();
        Self { document, schemas }
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(|(method, value)| Operation {
                method,
                path,
                value,
            })
        })
    }

    /// The operation that a request to `path` is; the one with the fewest parameters, if there are two.
    fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // As API Gateway does, which decodes a path before it finds its route.
        let path = &path.replace("%2F", "/");
        let fits = |template: &str| {
            let (given, known) = (path.split('/'), template.split('/'));
            given.clone().count() == known.clone().count()
                && given.zip(known).all(|(given, known)| {
                    given == known || known.starts_with('{') && !given.is_empty()
                })
        };
        self.operations()
            .filter(|operation| {
                operation.method.eq_ignore_ascii_case(method) && fits(operation.path)
            })
            .min_by_key(|operation| operation.path.matches('{').count())
    }

    /// What is wrong with `body`, which should be of the schema that `content` refers to.
    pub(crate) fn faults(&self, content: &Value, body: &Value) -> Vec<String> {
        let reference = content["schema"]["$ref"].as_str().unwrap();
        let name = reference.rsplit('/').next().unwrap();
        let errors = self.schemas[name].iter_errors(body);
        errors
            .map(|error| format!("{name} {}: {error}", error.instance_path()))
            .collect()
    }

    /// Panics if the document does not describe such a response to such a request.
    #[track_caller]
    pub(crate) fn check(&self, method: &str, path: &str, sent: Option<&str>, answer: &Answer) {
        // HEAD is GET without the body.
        let head = method == "HEAD";
        let method = if head { "GET" } else { method };
        let Some(operation) = self.operation(method, path) else {
            assert!(
                answer.status == 404,
                "{method} {path} is not documented: {answer:?}"
            );
            return;
        };
        let responses = &operation.value["responses"];
        let documented = &responses[answer.status.to_string()];
        assert!(
            documented.is_object(),
            "a status that is not documented: {answer:?}"
        );
        self.check_headers(documented, answer);
        match documented["content"].as_object() {
            Some(_) if head => assert_eq!(answer.text, "", "a body: {answer:?}"),
            None => assert_eq!(answer.text, "", "a body that is not documented: {answer:?}"),
            Some(contents) => self.check_body(contents, answer),
        }
        let accepted = (200..300).contains(&answer.status);
        let content = &operation.value["requestBody"]["content"]["application/json"];
        if accepted && let (Some(sent), true) = (sent, content.is_object()) {
            let sent: Value = serde_json::from_str(sent).unwrap();
            let faults = self.faults(content, &sent);
            assert!(
                faults.is_empty(),
                "accepted but not documented: {faults:?} in {sent}"
            );
        }
    }

    fn check_body(&self, contents: &Map<String, Value>, answer: &Answer) {
        let media_type = answer.header("content-type").unwrap_or_default();
        let content = contents.get(media_type);
        let content =
            content.unwrap_or_else(|| panic!("a media type that is not documented: {answer:?}"));
        let body = match media_type {
            "text/csv" => json!(answer.text),
            _ => answer.json(),
        };
        let faults = self.faults(content, &body);
        assert!(faults.is_empty(), "{faults:?} in {answer:?}");
    }

    fn check_headers(&self, documented: &Value, answer: &Answer) {
        let problem = answer.header("content-type") != Some("application/json");
        let of_function = answer.status < 400 || problem;
        let id = answer.header("x-request-id");
        assert!(id.is_some() || !of_function, "no identifier: {answer:?}");
        for (name, header) in documented["headers"].as_object().into_iter().flatten() {
            let reference = header["$ref"].as_str().unwrap().trim_start_matches('#');
            let header = self.document.pointer(reference).unwrap();
            // API Gateway's own responses have none of our headers.
            let wanted = header["required"] == true && of_function;
            let given = answer.header(name);
            assert!(given.is_some() || !wanted, "{name} is missing: {answer:?}");
            if let (Some(given), Some(pattern)) = (given, header["schema"]["pattern"].as_str()) {
                let schema = json!({"pattern": pattern});
                let right = jsonschema::is_valid(&schema, &json!(given));
                assert!(right, "{name}: {given} is not {pattern}");
            }
        }
    }
}

/// Forbids whatever is not described: a client may get more than it knows, a test may not.
fn close(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            let open = entries.get("properties").is_some_and(Value::is_object);
            if open && !entries.contains_key("additionalProperties") {
                entries.insert("additionalProperties".to_owned(), false.into());
            }
            entries.values_mut().for_each(close);
        }
        Value::Array(entries) => entries.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
