//! Workflow step Notification: the confirmation is queued, the order is done.

use oxcart_function::{lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    let messages = orders::MessageQueue::new(&aws)?;
    lambda::serve_step(|step| orders::workflow::notify_order(&orders, &messages, step)).await
}
