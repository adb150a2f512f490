//! The clients of AWS, as a function's environment configures them.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use aws_types::sdk_config::{RetryConfig, TimeoutConfig};

use super::settings::Settings;
use super::telemetry;

/// AWS, as this function reaches it.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    settings: Settings,
}

/// Starts logging and prepares the clients; makes no call.
///
/// # Errors
/// [`MissingVariable`] for one of Lambda's own environment variables.
#[expect(
    clippy::unused_async,
    reason = "every main starts alike, and a start may have to wait"
)]
pub async fn start() -> Result<Aws, MissingVariable> {
    telemetry::start();
    Aws::from_environment(Settings::Environment)
}

/// An environment variable that Lambda itself sets and that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingVariable(&'static str);

fn variable(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name))
}

/// What Lambda puts in the environment, without the chain of other sources that an SDK would search.
fn config() -> Result<SdkConfig, MissingVariable> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    // Quick retries: most of what fails once succeeds at once, and a shopper waits for it.
    let retries = RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(40))
        .with_max_backoff(Duration::from_secs(1));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build();
    let mut config = SdkConfig::builder()
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .timeout_config(timeouts);
    config.set_endpoint_url(std::env::var("AWS_ENDPOINT_URL").ok());
    Ok(config.build())
}

impl Aws {
    /// AWS as `config` reaches it, for tests and for the command line.
    #[must_use]
    pub fn with(config: SdkConfig, settings: Settings) -> Self {
        // Pinned: a later version of the SDK may come with other defaults.
        let version = BehaviorVersion::v2026_01_12();
        let config = config.into_builder().behavior_version(version).build();
        Self { config, settings }
    }

    /// AWS with the region and the credentials that are in the environment.
    ///
    /// # Errors
    /// [`MissingVariable`] for `AWS_REGION`, `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY`.
    pub fn from_environment(settings: Settings) -> Result<Self, MissingVariable> {
        Ok(Self::with(config()?, settings))
    }

    /// The settings of this function.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A client of DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of EventBridge.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    /// A client of Secrets Manager.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// A client of SES.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.config)
    }

    /// A client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Step Functions.
    #[must_use]
    pub fn states(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }
}
