//! Every minute: run the workflow of each order that is due, and erase each address that is due to be erased.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let workflow = orders::executions::OrderWorkflow::new(&aws)?;
    runtime::serve_event(&aws, |scheduled| {
        orders::workflow::run_due_orders(&orders, &workflow, scheduled)
    })
    .await
}
