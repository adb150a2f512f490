//! Workflow step `FailOrder`: a pending order becomes failed, with the reason.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    runtime::serve_step(&aws, |step| orders::workflow::fail_order(&orders, step)).await
}
