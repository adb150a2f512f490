//! Workflow step `OrderValidation`: the total is right and the shop's rules are passed.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let asked = orders::workflow::Validation::read(&aws)?;
    runtime::serve_step(|step| orders::workflow::validate_order(&orders, &asked, step)).await
}
