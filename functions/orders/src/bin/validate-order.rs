//! Workflow step `OrderValidation`: the total is right and the shop's rules are passed.

use oxcart_function::{lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    let asked = orders::workflow::Validation::read(&aws)?;
    lambda::serve_step(|step| orders::workflow::validate_order(&orders, &asked, step)).await
}
