//! Workflow step `OrderConfirmation`: a pending order becomes confirmed.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    runtime::serve_step(&aws, |step| orders::workflow::confirm_order(&orders, step)).await
}
