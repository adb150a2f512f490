//! `CustomerDeleted`: the orders of a customer who has gone lose their address, now or in time.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let erasure = orders::erasure::Erasure::new(&aws)?;
    runtime::serve_queue(|message| orders::erasure::on_customer_deleted(&erasure, message)).await
}
