//! `CustomerDeleted`: erase the addresses of a deleted customer's orders, now or later.

use oxcart_function::{aws, customers, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let erasure = orders::erasure::Erasure::new(&aws)?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_queue(&aws, |message| {
        orders::erasure::on_customer_deleted(&erasure, &customers, message)
    })
    .await
}
