//! `AWS::Serverless::HttpApi` and the routes of functions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::grants::{API, Grant, INVOKE, RequiredGrant};
use super::names::API_ID;
use super::reader::Properties;
use crate::model::{Api, Authorizer, Cors, Permission, Route, Stack};

const TYPE: &str = "AWS::Serverless::HttpApi";
/// The method of a route for all methods, in the model.
const ANY: &str = "ANY";
/// That of one in a template, beside `ANY`.
pub(super) const ANY_METHOD: &str = "x-amazon-apigateway-any-method";

pub(super) fn api(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id, mut properties, ..
    } = declared;
    if builder.stack.api.is_some() {
        let at = format!("Resources.{id}");
        return Err(Refused::new(
            &at,
            "a second HTTP API is not emulated locally",
        ));
    }
    properties.only("StageName", &["$default"])?;
    properties.only("DisableExecuteApiEndpoint", &["false"])?;
    let mut authorizers = BTreeMap::new();
    if let Some(mut auth) = properties.map("Auth")? {
        let declared = auth.map("Authorizers")?;
        builder.default_authorizer = auth.text("DefaultAuthorizer")?;
        if let Some(declared) = declared {
            let at = declared.at().to_owned();
            for (name, value) in declared.into_entries() {
                let properties = Properties::new(format!("{at}.{name}"), value)?;
                authorizers.insert(name.clone(), authorizer(builder, &name, properties)?);
            }
        }
        if let Some(name) = &builder.default_authorizer
            && !authorizers.contains_key(name)
        {
            return Err(auth.refuse(
                "DefaultAuthorizer",
                format!("there is no authorizer {name}"),
            ));
        }
        auth.done("Auth")?;
    }
    let cors = properties.map("CorsConfiguration")?.map(cors).transpose()?;
    builder.route_settings = properties.map("RouteSettings")?;
    builder.definition = properties.map("DefinitionBody")?;
    properties.done(TYPE)?;
    builder.stack.api = Some(Api {
        routes: Vec::new(),
        authorizers,
        cors,
    });
    Ok(())
}

/// Settings for a route that is not there fail a deployment.
pub(super) fn check_route_settings(stack: &Stack, settings: Properties) -> Result<(), Refused> {
    let at = settings.at().to_owned();
    let routes = stack.api.iter().flat_map(|api| &api.routes);
    let keys: Vec<String> = routes
        .map(|route| match route.path.as_str() {
            "$default" => route.path.clone(),
            path => format!("{} {path}", route.method),
        })
        .collect();
    for (key, settings) in settings.into_entries() {
        if !keys.contains(&key) {
            return Err(Refused::new(&at, format!("there is no route {key}")));
        }
        Properties::new(format!("{at}.{key}"), settings)?.done("Route settings")?;
    }
    Ok(())
}

fn authorizer(
    builder: &mut Builder<'_>,
    name: &str,
    mut properties: Properties,
) -> Result<Authorizer, Refused> {
    let arn = properties.needed_text("FunctionArn")?;
    let function = builder.arns.find_function(&arn).map(str::to_owned);
    let problem = || {
        properties.refuse(
            "FunctionArn",
            format!("{arn} is not a function of this stack"),
        )
    };
    let function = function.ok_or_else(problem)?;
    let version = properties.needed_text("AuthorizerPayloadFormatVersion")?;
    if version != "2.0" {
        let problem = format!("{version} is not emulated locally, only 2.0");
        return Err(properties.refuse("AuthorizerPayloadFormatVersion", problem));
    }
    if properties.flag("EnableSimpleResponses")? != Some(true) {
        let problem = "only simple responses are emulated locally";
        return Err(properties.refuse("EnableSimpleResponses", problem));
    }
    let (mut identity_headers, mut ttl) = (Vec::new(), Duration::ZERO);
    if let Some(mut identity) = properties.map("Identity")? {
        identity_headers = identity.texts("Headers")?;
        ttl = identity.seconds("ReauthorizeEvery", 0, 3600, 0)?;
        identity.done("Identity")?;
    }
    if identity_headers.is_empty() && !ttl.is_zero() {
        let problem = "answers can be kept only by identity headers";
        return Err(properties.refuse("Identity", problem));
    }
    let source = format!("{API_ID}/authorizers/{name}");
    let required = RequiredGrant {
        at: properties.at().to_owned(),
        service: API,
        permission: Permission {
            action: INVOKE.to_owned(),
            resource: arn,
        },
        source: builder.arns.build("execute-api", &source),
    };
    // For routes SAM does so by itself; for authorisers, only if it is told.
    if properties.flag("EnableFunctionDefaultPermissions")? == Some(true) {
        builder.grants.push(Grant::by_sam(&required));
    }
    builder.required_grants.push(required);
    properties.done("Authorizer")?;
    Ok(Authorizer {
        function,
        identity_headers,
        ttl,
    })
}

fn cors(mut properties: Properties) -> Result<Cors, Refused> {
    let cors = Cors {
        origins: properties.texts("AllowOrigins")?,
        methods: properties.texts("AllowMethods")?,
        headers: properties.texts("AllowHeaders")?,
        expose: properties.texts("ExposeHeaders")?,
        credentials: properties.flag("AllowCredentials")?.unwrap_or(false),
        max_age: properties
            .number("MaxAge", 0, 86_400)?
            .map(|seconds| Duration::from_secs(seconds.into())),
    };
    if cors.credentials
        && [&cors.origins, &cors.methods, &cors.headers]
            .iter()
            .any(|list| list.contains(&"*".to_owned()))
    {
        let problem = "cannot be combined with * in AllowOrigins, AllowMethods or AllowHeaders";
        return Err(properties.refuse("AllowCredentials", problem));
    }
    properties.done("CorsConfiguration")?;
    Ok(cors)
}

/// An event of type `HttpApi`.
pub(super) fn route(
    builder: &mut Builder<'_>,
    function: &str,
    mut properties: Properties,
) -> Result<(), Refused> {
    let id = properties.needed_text("ApiId")?;
    if builder.stack.api.is_none() || id != API_ID {
        return Err(properties.refuse("ApiId", format!("{id} is not the HTTP API of this stack")));
    }
    if builder.definition.is_some() {
        // SAM would add a permission and no route.
        let problem = "the API has a DefinitionBody, which has to have its routes";
        return Err(properties.refuse("ApiId", problem));
    }
    properties.only("PayloadFormatVersion", &["2.0"])?;
    properties.only("TimeoutInMillis", &["30000"])?;
    let mut authorizer = builder.default_authorizer.clone();
    if let Some(mut auth) = properties.map("Auth")? {
        if let Some(name) = auth.text("Authorizer")? {
            let named = named_authorizer(builder, name);
            authorizer = named.map_err(|problem| auth.refuse("Authorizer", problem))?;
        }
        auth.done("Route auth")?;
    }
    let (path, method) = match (properties.text("Path")?, properties.text("Method")?) {
        (None, None) => ("$default".to_owned(), ANY.to_owned()),
        (Some(path), Some(method)) => (path, method_name(&method)),
        (Some(_), None) => return Err(properties.refuse("Method", "is missing")),
        (None, Some(_)) => return Err(properties.refuse("Path", "is missing")),
    };
    let route = Route {
        method,
        path,
        function: function.to_owned(),
        authorizer,
    };
    add_route(builder, &properties, route)?;
    properties.done("HttpApi event")
}

/// The authoriser with a name, which `NONE` takes for nobody.
pub(super) fn named_authorizer(
    builder: &Builder<'_>,
    name: String,
) -> Result<Option<String>, String> {
    if name == "NONE" {
        return Ok(None);
    }
    let mut apis = builder.stack.api.iter();
    if apis.any(|api| api.authorizers.contains_key(&name)) {
        Ok(Some(name))
    } else {
        Err(format!("there is no authorizer {name}"))
    }
}

/// A method as routes have it: `GET`, or `ANY`.
pub(super) fn method_name(method: &str) -> String {
    if method.eq_ignore_ascii_case(ANY_METHOD) {
        ANY.to_owned()
    } else {
        method.to_uppercase()
    }
}

/// Adds a route, which `properties` declare, to the API.
pub(super) fn add_route(
    builder: &mut Builder<'_>,
    properties: &Properties,
    route: Route,
) -> Result<(), Refused> {
    let Route { method, path, .. } = &route;
    check_path(properties, path)?;
    let routes = builder.stack.api.as_mut().map(|api| &mut api.routes);
    let Some(routes) = routes else { return Ok(()) };
    let same = |other: &&Route| other.method == *method && shape(&other.path) == shape(path);
    if let Some(other) = routes.iter().find(same) {
        let problem = format!("{method} {path} is {method} {}", other.path);
        return Err(properties.refuse("Path", problem));
    }
    routes.push(route);
    Ok(())
}

/// A path without the names of its parameters, which do not tell routes apart.
fn shape(path: &str) -> Vec<&str> {
    let segments = path.split('/').map(|segment| match segment {
        _ if segment.ends_with("+}") => "{+}",
        _ if segment.starts_with('{') => "{}",
        _ => segment,
    });
    segments.collect()
}

fn check_path(properties: &Properties, path: &str) -> Result<(), Refused> {
    let segment_is_right = |segment: &str| {
        let inner = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let inner = inner.unwrap_or(segment);
        !inner.contains(['{', '}'])
    };
    let greedy = path
        .split_once("+}")
        .is_none_or(|(_, after)| after.is_empty());
    let right = path == "$default"
        || (path.starts_with('/') && path.split('/').all(segment_is_right) && greedy);
    if right {
        Ok(())
    } else {
        Err(properties.refuse("Path", format!("{path} is not a route")))
    }
}
