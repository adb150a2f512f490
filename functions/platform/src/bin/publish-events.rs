//! The tables' streams: put the events of changed items into the event log and on the bus.

use oxcart_function::{lambda, platform::publish};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let publisher = publish::Publisher::new(&aws)?;
    lambda::serve_event(|batch| publish::publish_events(&publisher, batch)).await
}
