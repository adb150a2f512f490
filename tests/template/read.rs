//! `template.yaml` and the workflow's definition, as these tests look at them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value as Json;
use serde_yaml_ng::Value;

use crate::support::root;

/// The parsed template.
pub(super) struct Template(Value);

/// A function, as the template declares it.
#[derive(Debug)]
pub(super) struct Function {
    /// The logical id.
    pub(super) id: String,
    /// The last part of `CodeUri`.
    pub(super) binary: String,
    /// The names of its own environment variables.
    pub(super) variables: BTreeSet<String>,
    /// The types of its events.
    pub(super) sources: BTreeSet<String>,
    /// What its policies allow: action, and the logical ids in the resource (`*` for any).
    pub(super) grants: Vec<(String, String)>,
}

/// A route of the API.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: String,
    pub(super) path: String,
    /// The function that it calls, by logical id.
    pub(super) function: String,
    /// The role as which API Gateway calls it, by logical id.
    pub(super) role: String,
    /// Whether an authoriser is asked.
    pub(super) asked: bool,
}

impl Template {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
        Self(serde_yaml_ng::from_str(&text).unwrap())
    }

    /// All functions, by logical id.
    pub(super) fn functions(&self) -> Vec<Function> {
        let resources = self.0["Resources"].as_mapping().unwrap();
        resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
            .map(|(id, resource)| function(id.as_str().unwrap(), &resource["Properties"]))
            .collect()
    }

    /// The routes of the API.
    pub(super) fn routes(&self) -> Vec<Route> {
        let definition = &self.0["Resources"]["Api"]["Properties"]["DefinitionBody"];
        let paths = definition["paths"].as_mapping().unwrap().iter();
        let routes = paths.flat_map(|(path, item)| {
            let operations = item.as_mapping().unwrap().iter();
            let operations = operations.filter(|(method, _)| *method != "parameters");
            operations.map(move |(method, operation)| route(path, method, operation))
        });
        routes.collect()
    }

    /// All resources, by logical id.
    pub(super) fn resources(&self) -> Vec<(&str, &Value)> {
        let resources = self.0["Resources"].as_mapping().unwrap();
        let resources = resources.iter();
        resources
            .map(|(id, resource)| (id.as_str().unwrap(), resource))
            .collect()
    }

    /// A parameter.
    pub(super) fn parameter(&self, name: &str) -> &Value {
        &self.0["Parameters"][name]
    }

    /// What all functions, or all of another kind, have.
    pub(super) fn globals(&self, kind: &str) -> &Value {
        &self.0["Globals"][kind]
    }

    /// The names of the environment variables that every function has.
    pub(super) fn global_variables(&self) -> BTreeSet<String> {
        names(&self.0["Globals"]["Function"]["Environment"]["Variables"])
    }

    /// The logical ids of the tables.
    pub(super) fn tables(&self) -> BTreeSet<String> {
        let resources = self.0["Resources"].as_mapping().unwrap();
        resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table")
            .map(|(id, _)| id.as_str().unwrap().to_owned())
            .collect()
    }

    /// Which function (logical id) each variable of the workflow's definition stands for.
    pub(super) fn workflow_substitutions(&self) -> BTreeMap<String, String> {
        let properties = &self.0["Resources"]["OrderWorkflow"]["Properties"];
        let substitutions = properties["DefinitionSubstitutions"].as_mapping().unwrap();
        substitutions
            .iter()
            .map(|(name, value)| (name.as_str().unwrap().to_owned(), logical_id(value)))
            .collect()
    }
}

/// The workflow's definition.
pub(super) fn workflow() -> Json {
    let path = root().join("infra/statemachines/order.asl.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The service that a function belongs to: the package that has its binary.
pub(super) fn service_of(binary: &str) -> Option<String> {
    let packages = std::fs::read_dir(root().join("functions")).unwrap();
    packages
        .map(|package| package.unwrap().path())
        .find(|package| package.join(format!("src/bin/{binary}.rs")).exists())
        .map(|package| package.file_name().unwrap().to_str().unwrap().to_owned())
}

/// Every Rust source below `folder`, with its path from the workspace.
pub(super) fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn function(id: &str, properties: &Value) -> Function {
    let code = properties["CodeUri"].as_str().unwrap();
    let binary = code.strip_prefix("target/lambda/").unwrap_or_default();
    let mut grants = Vec::new();
    for policy in list(&properties["Policies"]) {
        let statements = list(&policy["Statement"]).into_iter();
        for statement in statements.flat_map(either) {
            for action in list(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    let resource = logical_id(resource);
                    grants.push((action.as_str().unwrap().to_owned(), resource));
                }
            }
        }
    }
    let events = properties["Events"].as_mapping();
    let kinds = events.into_iter().flat_map(|events| events.values());
    Function {
        id: id.to_owned(),
        sources: kinds
            .map(|event| event["Type"].as_str().unwrap().to_owned())
            .collect(),
        binary: binary.trim_end_matches('/').to_owned(),
        variables: names(&properties["Environment"]["Variables"]),
        grants,
    }
}

fn route(path: &Value, method: &Value, operation: &Value) -> Route {
    let integration = &operation["x-amazon-apigateway-integration"];
    let Value::Tagged(uri) = &integration["uri"] else {
        panic!("{path:?}: uri is not !Sub");
    };
    let called = uri.value.as_str().unwrap();
    let called = called.split_once("/functions/${").unwrap().1;
    Route {
        method: method.as_str().unwrap().to_uppercase(),
        path: path.as_str().unwrap().to_owned(),
        function: called.strip_suffix(".Arn}/invocations").unwrap().to_owned(),
        role: logical_id(&integration["credentials"]),
        asked: operation["security"].is_null(),
    }
}

/// The resource that `!GetAtt X.Arn`, `!Ref X`, `!Sub "${X.Arn}/..."` or a plain text names.
pub(super) fn logical_id(value: &Value) -> String {
    let value = if let Value::Tagged(tagged) = value {
        &tagged.value
    } else {
        value
    };
    let text = value.as_str().unwrap();
    let text = text.strip_prefix("${").unwrap_or(text);
    let end = text.find(['.', '}']).unwrap_or(text.len());
    text[..end].to_owned()
}

/// A list, or the one that stands for a list.
pub(super) fn list(value: &Value) -> Vec<&Value> {
    if let Value::Sequence(entries) = value {
        entries.iter().collect()
    } else if value.is_null() {
        Vec::new()
    } else {
        vec![value]
    }
}

/// Both values of `!If`, without `AWS::NoValue`, or the value.
fn either(value: &Value) -> Vec<&Value> {
    if let Value::Tagged(tagged) = value
        && tagged.tag == "If"
    {
        let values = list(&tagged.value).into_iter().skip(1);
        values.filter(|value| value.is_mapping()).collect()
    } else {
        vec![value]
    }
}

fn names(mapping: &Value) -> BTreeSet<String> {
    let Some(mapping) = mapping.as_mapping() else {
        return BTreeSet::new();
    };
    mapping
        .keys()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}
