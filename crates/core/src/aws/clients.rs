//! The clients of AWS, as a function's environment configures them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::sdk_config::{RetryConfig, TimeoutConfig};

use super::settings::Settings;
use super::telemetry;

/// How long a process that starts waits for its connection to DynamoDB.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// AWS, as this function reaches it. All clients share one pool of connections, and all tables one client.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    settings: Settings,
    shared: Arc<Shared>,
}

/// What is made when it is needed first, so that a function that calls no service is built without it.
#[derive(Debug, Default)]
struct Shared {
    http: OnceLock<SharedHttpClient>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
}

/// Starts logging and prepares the clients. It makes no call.
///
/// # Errors
/// [`MissingVariable`] for one of Lambda's own environment variables.
pub async fn start() -> Result<Aws, MissingVariable> {
    telemetry::start();
    Aws::from_environment(Settings::Environment)
}

/// An environment variable that Lambda sets is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingVariable(&'static str);

fn variable(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name))
}

/// Reads what Lambda puts in the environment, without the chain of other sources that an SDK searches.
fn config() -> Result<SdkConfig, MissingVariable> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    // Retries are quick: most calls that fail once succeed at once, and a shopper is waiting.
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

fn https() -> SharedHttpClient {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    aws_smithy_http_client::Builder::new()
        .tls_provider(provider)
        .build_https()
}

impl Aws {
    /// Returns AWS as `config` reaches it, for tests and for the command line.
    #[must_use]
    pub fn with(config: SdkConfig, settings: Settings) -> Self {
        // Pinned: a later version of the SDK may come with other defaults.
        let version = BehaviorVersion::v2026_01_12();
        let config = config.into_builder().behavior_version(version).build();
        let shared = Arc::default();
        Self {
            config,
            settings,
            shared,
        }
    }

    /// Returns AWS with the region and the credentials in the environment.
    ///
    /// # Errors
    /// [`MissingVariable`] for `AWS_REGION`, `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY`.
    pub fn from_environment(settings: Settings) -> Result<Self, MissingVariable> {
        Ok(Self::with(config()?, settings))
    }

    /// Returns the settings of this function.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns what all clients have in common: region, credentials, and where AWS is reached.
    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Returns the configuration of a client. One without an HTTP client makes a pool of its own, with a TLS handshake for
    /// each.
    fn client_config(&self) -> SdkConfig {
        let given = self.config.http_client();
        let http = given.unwrap_or_else(|| self.shared.http.get_or_init(https).clone());
        self.config.to_builder().http_client(http).build()
    }

    /// Returns the client of DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let client = self
            .shared
            .dynamodb
            .get_or_init(|| aws_sdk_dynamodb::Client::new(&self.client_config()));
        client.clone()
    }

    /// Opens the connection to DynamoDB that the first request will use, if this process has a client of it: names are
    /// resolved, certificates are read and keys are exchanged while Lambda starts the function. What DynamoDB says to the request for its health
    /// makes no difference, and neither does a failure: the first request opens the connection then.
    pub async fn connect(&self) {
        let Some(client) = self.shared.dynamodb.get() else {
            return;
        };
        let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
        let health = client.list_tables().customize().config_override(once);
        let health = health.mutate_request(|request| {
            // Fails only for a text that is not a method. The path is that of every call of DynamoDB.
            let _ = request.set_method("GET");
            request.headers_mut().remove("x-amz-target");
        });
        let health = Box::pin(health.send());
        if tokio::time::timeout(CONNECT_PATIENCE, health)
            .await
            .is_err()
        {
            tracing::debug!("DynamoDB did not say anything at the start");
        }
    }

    /// Returns a client of EventBridge.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.client_config())
    }

    /// Returns a client of S3. Buckets are named in the path, as in their addresses on one machine.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.client_config())
            .force_path_style(true)
            // TLS and the entity tag are enough; presigned addresses would ask their users for a checksum.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Returns a client of Secrets Manager.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.client_config())
    }

    /// Returns a client of SES.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.client_config())
    }

    /// Returns a client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.client_config())
    }

    /// Returns a client of Step Functions.
    #[must_use]
    pub fn states(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.client_config())
    }
}
