//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::reader::{Properties, scalar};
use super::{policies, sources};
use crate::model::{Destination, Function};

const TYPE: &str = "AWS::Serverless::Function";

pub(super) fn function(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        metadata,
    } = declared;
    properties.take("FunctionName");
    properties.only("Runtime", &["provided.al2023", "provided.al2"])?;
    properties.only("PackageType", &["Zip"])?;
    let binary = binary(&mut properties, metadata.as_ref())?;
    let timeout = properties.seconds("Timeout", 1, 900, 3)?;
    let memory_mib = properties.number("MemorySize", 128, 10_240)?.unwrap_or(128);
    let reserved_concurrency = properties.number("ReservedConcurrentExecutions", 0, 1000)?;
    let environment = environment(&mut properties)?;
    let policies = policies::of_sam(&mut properties)?;
    builder.allow(id.clone(), policies);
    let (async_retries, async_on_failure) = asynchronous(builder, &id, &mut properties)?;
    if let Some(events) = properties.map("Events")? {
        sources::events(builder, &id, events)?;
    }
    properties.done(TYPE)?;
    let function = Function {
        name,
        binary,
        environment,
        timeout,
        memory_mib,
        reserved_concurrency,
        async_retries,
        async_on_failure,
    };
    builder.stack.functions.insert(id, function);
    Ok(())
}

/// What cargo-lambda's build method names, else the last part of `CodeUri`.
fn binary(properties: &mut Properties, metadata: Option<&Value>) -> Result<String, Refused> {
    let code = properties.needed_text("CodeUri")?;
    let built =
        metadata.and_then(|metadata| metadata.get("BuildProperties")?.get("Binary")?.as_str());
    let last = || code.trim_end_matches('/').rsplit('/').next();
    let binary = built
        .or_else(last)
        .filter(|name| !name.is_empty() && *name != ".");
    let problem =
        || properties.refuse("CodeUri", format!("{code} does not end in a binary's name"));
    binary.ok_or_else(problem).map(str::to_owned)
}

fn environment(properties: &mut Properties) -> Result<BTreeMap<String, String>, Refused> {
    let Some(mut environment) = properties.map("Environment")? else {
        return Ok(BTreeMap::new());
    };
    let variables = environment.map("Variables")?;
    environment.done("Environment")?;
    let Some(variables) = variables else {
        return Ok(BTreeMap::new());
    };
    let at = variables.at().to_owned();
    let variables = variables.into_entries().into_iter().map(|(name, value)| {
        let at = format!("{at}.{name}");
        if RESERVED.contains(&name.as_str()) {
            return Err(Refused::new(&at, "is reserved by Lambda"));
        }
        if !is_variable(&name) {
            return Err(Refused::new(&at, "is not a name for a variable"));
        }
        let value = scalar(&value).ok_or_else(|| Refused::new(&at, "expected a string"))?;
        Ok((name, value))
    });
    let variables = variables.collect::<Result<BTreeMap<_, _>, _>>()?;
    // Lambda measures the variables as JSON.
    let bytes = serde_json::to_string(&variables).map_or(0, |json| json.len());
    if bytes > ENVIRONMENT_LIMIT {
        let problem = format!("{bytes} bytes are more than {ENVIRONMENT_LIMIT}");
        return Err(Refused::new(&at, problem));
    }
    Ok(variables)
}

/// The largest environment: 4 KB, in bytes.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ENVIRONMENT_LIMIT: usize = 4096;

/// Whether Lambda takes the name: `[a-zA-Z]([a-zA-Z0-9_])+`.
fn is_variable(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(letters)
}

/// Variables that Lambda sets and a template may not.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// `EventInvokeConfig`: retries and the on-failure destination.
fn asynchronous(
    builder: &mut Builder<'_>,
    function: &str,
    properties: &mut Properties,
) -> Result<(u32, Option<Destination>), Refused> {
    let Some(mut config) = properties.map("EventInvokeConfig")? else {
        return Ok((2, None));
    };
    let retries = config.number("MaximumRetryAttempts", 0, 2)?.unwrap_or(2);
    config.only("MaximumEventAgeInSeconds", &["21600"])?;
    let on_failure = builder.on_failure(function, &mut config)?;
    config.done("EventInvokeConfig")?;
    Ok((retries, on_failure))
}
