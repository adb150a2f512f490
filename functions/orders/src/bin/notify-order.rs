//! Workflow step `Notification`: the confirmation is queued, and the order is no longer due.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let messages = orders::messages::MessageQueue::new(&aws)?;
    runtime::serve_step(&aws, |step| {
        orders::workflow::notify_order(&orders, &messages, step)
    })
    .await
}
