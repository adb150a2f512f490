//! `oxcart admin`: what only an operator with access to the tables may do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use oxcart_core::aws::Aws;
use oxcart_core::aws::settings::{Setting, Settings};
use oxcart_core::customers::model::Email;
use oxcart_core::customers::operator::grant_admin;
use oxcart_core::customers::store::CustomerStore;
use oxcart_core::values::clock::Time;

use crate::{Error, environment};

/// `oxcart admin ...`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Makes the customer with this email an admin, from the next sign-in on.
    Grant {
        /// The email of an account.
        email: String,
        /// The customers table of a deployed shop (the stack's output `CustomersTableName`), with
        /// credentials in the environment. Without it: the shop running here.
        #[arg(long)]
        table: Option<String>,
        /// The control port of the shop running here.
        #[arg(long, default_value_t = 3001)]
        control_port: u16,
    },
}

/// Carries out `command`.
///
/// # Errors
/// If the table cannot be reached, or nobody has that email.
pub(crate) async fn run(command: Command) -> Result<(), Error> {
    let Command::Grant {
        email,
        table,
        control_port,
    } = command;
    let aws = match table {
        Some(table) => {
            let setting = Setting::CustomersTable.name().to_owned();
            deployed([(setting, table)].into())?
        }
        None => local(
            &environment::of_function("register-customer", &environment::control_url(control_port))
                .await?,
        )?,
    };
    grant(&aws, &email).await?;
    println!("{email} is an admin from the next sign-in on");
    Ok(())
}

/// Makes the customer with this email an admin of the shop that `aws` reaches.
///
/// # Errors
/// If nobody has that email, or the table cannot be reached.
pub(crate) async fn grant(aws: &Aws, email: &str) -> Result<(), Error> {
    // An operator's command has no event with a time, so the machine's clock is read.
    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = Time::from_millis(i64::try_from(millis)?);
    let email = email.parse::<Email>()?;
    grant_admin(&CustomerStore::new(aws)?, &email, now).await?;
    Ok(())
}

/// The shop that a command works on, through the environment of one of its functions.
#[derive(Debug, clap::Args)]
pub(crate) struct Shop {
    /// A JSON file with the environment of the command's function of a deployed shop, with credentials in the environment
    /// of this command: `aws lambda get-function-configuration --query Environment.Variables --function-name NAME`.
    /// Without it: the shop running here.
    #[arg(long, value_name = "FILE")]
    environment: Option<PathBuf>,
    /// The control port of the shop running here.
    #[arg(long, default_value_t = 3001)]
    control_port: u16,
}

impl Shop {
    /// Returns what `function` of the shop running here would reach, or of the deployed shop.
    ///
    /// # Errors
    /// If the file is not an environment, or no shop runs here.
    pub(crate) async fn reached(self, function: &str) -> Result<Aws, Error> {
        let Some(path) = self.environment else {
            let control = environment::control_url(self.control_port);
            return local(&environment::of_function(function, &control).await?);
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let settings: BTreeMap<String, String> = serde_json::from_str(&text)
            .map_err(|error| format!("{} is not an environment: {error}", path.display()))?;
        deployed(settings)
    }
}

/// A deployed shop, with the credentials that are in the environment and those of its functions' settings that are
/// needed.
///
/// # Errors
/// If the environment has no credentials or no region: says how to export them.
pub(crate) fn deployed(settings: BTreeMap<String, String>) -> Result<Aws, Error> {
    Aws::from_environment(Settings::Given(settings)).map_err(|error| {
        let export = "eval \"$(aws configure export-credentials --format env)\"";
        format!("{error}; run `{export}` and set AWS_REGION first").into()
    })
}

/// The shop running here, from the environment of one of its functions.
///
/// # Errors
/// If the environment has no endpoint.
pub(crate) fn local(environment: &BTreeMap<String, String>) -> Result<Aws, Error> {
    let value = |name: &str| {
        environment
            .get(name)
            .cloned()
            .ok_or(format!("{name} is missing"))
    };
    let credentials = Credentials::new("operator", "local", None, None, "local");
    let config = SdkConfig::builder()
        .endpoint_url(value("AWS_ENDPOINT_URL")?)
        .region(Region::new(value("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Ok(Aws::with(config, Settings::Given(environment.clone())))
}
