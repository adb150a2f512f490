//! Workflow step `FailOrder`: a pending order becomes failed, with the reason.

use oxcart_function::{lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    lambda::serve_step(|step| orders::workflow::fail_order(&orders, step)).await
}
