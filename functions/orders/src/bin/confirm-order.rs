//! Workflow step `OrderConfirmation`: a pending order becomes confirmed.

use oxcart_function::{lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    lambda::serve_step(|step| orders::workflow::confirm_order(&orders, step)).await
}
