//! Publishes the events of changed items, from the tables' streams, to the event log and the bus.

use oxcart_function::{aws, publisher::publish, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let publisher = publish::Publisher::new(&aws)?;
    runtime::serve_event(&aws, |batch| publish::publish_events(&publisher, batch)).await
}
