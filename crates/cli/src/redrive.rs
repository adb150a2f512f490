//! `oxcart redrive`: publishes the events that were set aside, once their cause is mended.

use oxcart_core::aws::telemetry;
use oxcart_core::publisher::redrive::Redrive;

use crate::{Error, admin};

/// `oxcart redrive`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shop: admin::Shop,
}

/// Publishes all events that can be published, and says of the others why they cannot.
///
/// # Errors
/// If the queue cannot be read, or an event is still not published.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let aws = arguments.shop.reached("publish-events").await?;
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
