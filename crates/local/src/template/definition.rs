//! `DefinitionBody` of an `AWS::Serverless::HttpApi`: its routes as an OpenAPI document with API Gateway's extensions
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>). Only integrations that
//! call functions of the stack as a role of the stack are emulated.

use std::collections::BTreeSet;

use super::api;
use super::builder::Builder;
use super::error::Refused;
use super::grants::API;
use super::names::API_ID;
use super::reader::Properties;
use super::resource_policies;
use super::standing;
use crate::model::Route;

const METHODS: &[&str] = &[
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    api::ANY_METHOD,
];
const INTEGRATION: &str = "x-amazon-apigateway-integration";

/// Adds the routes of the document.
pub(super) fn routes(builder: &mut Builder<'_>, mut document: Properties) -> Result<(), Refused> {
    document.only("openapi", &["3.0.0", "3.0.1", "3.0.2", "3.0.3"])?;
    document.take("info");
    let paths = document.map("paths")?;
    let paths = paths.ok_or_else(|| document.refuse("paths", "is missing"))?;
    document.done("DefinitionBody")?;
    let at = paths.at().to_owned();
    for (path, item) in paths.into_entries() {
        let mut item = Properties::new(format!("{at}.{path}"), item)?;
        parameters(&mut item, &path)?;
        for method in METHODS {
            if let Some(operation) = item.map(method)? {
                let route = operation_route(builder, &path, method, operation)?;
                api::add_route(builder, &item, route)?;
            }
        }
        item.done("Path item")?;
    }
    Ok(())
}

/// Checks that the parameters of a path item are those of its path.
fn parameters(item: &mut Properties, path: &str) -> Result<(), Refused> {
    let mut declared = BTreeSet::new();
    for mut parameter in item.maps("parameters")? {
        parameter.only("in", &["path"])?;
        parameter.only("required", &["true"])?;
        declared.insert(parameter.needed_text("name")?);
        parameter.take("schema");
        parameter.done("Parameter")?;
    }
    let segments = path.split('/');
    let named = segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let named: BTreeSet<_> = named
        .map(|name| name.strip_suffix('+').unwrap_or(name).to_owned())
        .collect();
    match declared.symmetric_difference(&named).next() {
        Some(name) => Err(item.refuse(
            "parameters",
            format!("{name} is not in both the path and its parameters"),
        )),
        None => Ok(()),
    }
}

fn operation_route(
    builder: &mut Builder<'_>,
    path: &str,
    method: &str,
    mut operation: Properties,
) -> Result<Route, Refused> {
    let authorizer = authorizer(builder, &mut operation)?;
    operation.take("responses");
    let integration = operation.map(INTEGRATION)?;
    let integration = integration.ok_or_else(|| operation.refuse(INTEGRATION, "is missing"))?;
    operation.done("Operation")?;
    let function = integration_function(builder, integration)?;
    Ok(Route {
        method: api::method_name(method),
        path: path.to_owned(),
        function,
        authorizer,
    })
}

/// The authoriser in `security`; where nothing stands, SAM adds the default.
fn authorizer(
    builder: &Builder<'_>,
    operation: &mut Properties,
) -> Result<Option<String>, Refused> {
    let mut schemes = operation.maps("security")?;
    if schemes.len() > 1 {
        return Err(operation.refuse("security", "more than one is not emulated locally"));
    }
    let Some(scheme) = schemes.pop() else {
        return Ok(builder.default_authorizer.clone());
    };
    let at = scheme.at().to_owned();
    let mut named = scheme.into_entries().into_iter();
    let (Some((name, scopes)), None) = (named.next(), named.next()) else {
        return Err(Refused::new(&at, "expected one name"));
    };
    if scopes.as_array().is_none_or(|scopes| !scopes.is_empty()) {
        return Err(Refused::new(
            &format!("{at}.{name}"),
            "scopes are not emulated locally",
        ));
    }
    api::named_authorizer(builder, name).map_err(|problem| Refused::new(&at, problem))
}

/// The function that an integration calls, whose role may do so.
fn integration_function(
    builder: &mut Builder<'_>,
    mut integration: Properties,
) -> Result<String, Refused> {
    integration.only("type", &["aws_proxy"])?;
    integration.only("httpMethod", &["POST"])?;
    integration.only("payloadFormatVersion", &["2.0"])?;
    integration.only("timeoutInMillis", &["30000"])?;
    let uri = integration.needed_text("uri")?;
    let called = uri
        .split_once(":lambda:path/2015-03-31/functions/")
        .and_then(|(_, rest)| rest.strip_suffix("/invocations"))
        .and_then(|arn| Some((arn, builder.arns.find_function(arn)?.to_owned())));
    let problem = || integration.refuse("uri", format!("{uri} calls no function of this stack"));
    let (arn, function) = called.ok_or_else(problem)?;
    let credentials = integration.needed_text("credentials")?;
    let problem = || {
        let problem = format!("{credentials} is not a role of this stack");
        integration.refuse("credentials", problem)
    };
    let role = builder.role(&credentials).ok_or_else(problem)?;
    builder.stack.standing.push(standing::of_route(&role, arn));
    let at = integration.at().to_owned();
    let source = builder.arns.build("execute-api", API_ID);
    let assumed = resource_policies::assuming(at, API, &role, source);
    builder.required_grants.push(assumed);
    integration.done("Integration")?;
    Ok(function)
}
