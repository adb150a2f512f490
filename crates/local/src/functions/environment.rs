//! What a function's process finds in its environment.

use std::collections::BTreeMap;

use super::pool::Pool;

/// The secret of every function's access key.
pub(crate) const SECRET_ACCESS_KEY: &str = "local";

/// The whole environment of a process: what the template declares, and what Lambda itself sets.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub(super) fn environment(pool: &Pool, token: &str, api: &str) -> BTreeMap<String, String> {
    let function = pool.function();
    let settings = pool.settings();
    let mut environment = function.environment.clone();
    let set = [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory_mib.to_string(),
        ),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", function.name),
        ),
        ("AWS_LAMBDA_LOG_STREAM_NAME", token.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", api.to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_REGION", pool.region().to_owned()),
        ("AWS_DEFAULT_REGION", pool.region().to_owned()),
        // The logical id and the process: so the endpoint knows who calls.
        ("AWS_ACCESS_KEY_ID", pool.id().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        ("AWS_SESSION_TOKEN", token.to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LAMBDA_TASK_ROOT", settings.binaries.display().to_string()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        // What leads to this machine instead of AWS.
        ("AWS_ENDPOINT_URL", settings.endpoint.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    environment.extend(set.map(|(name, value)| (name.to_owned(), value)));
    environment
}
