//! `oxcart redrive`: publishes the events that were set aside, once their cause is mended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oxcart_core::aws::telemetry;
use oxcart_core::publisher::redrive::Redrive;

use crate::{Error, admin, environment};

/// `oxcart redrive`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A JSON file with the environment of `publish-events` of a deployed shop, with credentials in the environment of
    /// this command: `aws lambda get-function-configuration --query Environment.Variables --function-name NAME`.
    /// Without it: the shop running here.
    #[arg(long, value_name = "FILE")]
    environment: Option<PathBuf>,
    /// The control port of the shop running here.
    #[arg(long, default_value_t = 3001)]
    control_port: u16,
}

/// Publishes all events that can be published, and says of the others why they cannot.
///
/// # Errors
/// If the queue cannot be read, or an event is still not published.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let aws = if let Some(path) = arguments.environment {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let settings: BTreeMap<String, String> = serde_json::from_str(&text)
            .map_err(|error| format!("{} is not an environment: {error}", path.display()))?;
        admin::deployed(settings)?
    } else {
        let control = environment::control_url(arguments.control_port);
        admin::local(&environment::of_function("publish-events", &control).await?)?
    };
    let redrive = Redrive::new(&aws)?;
    let (mut published, mut left) = (0_u64, 0_u64);
    loop {
        let redriven = redrive.next().await?;
        if redriven.is_empty() {
            break;
        }
        for change in redriven {
            match change.outcome {
                Ok(()) => published += 1,
                Err(error) => {
                    left += 1;
                    println!("left: {}: {}", telemetry::chain(&error), change.message);
                }
            }
        }
    }
    println!("{published} events published, {left} left in the queue");
    if left > 0 {
        return Err("not all events could be published".into());
    }
    Ok(())
}
