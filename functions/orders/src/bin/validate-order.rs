//! Workflow step `OrderValidation`: the total and the shop's rules are checked.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let validation = orders::workflow::Validation::read(&aws)?;
    runtime::serve_step(&aws, |step| {
        orders::workflow::validate_order(&orders, &validation, step)
    })
    .await
}
