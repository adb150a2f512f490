//! `EmailConfirmed`: give the account the orders that were placed with its address as a guest.

use oxcart_function::{aws, customers, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let erasure = orders::erasure::Erasure::new(&aws)?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    let claim = |message| orders::claims::on_email_confirmed(&erasure, &customers, message);
    runtime::serve_queue(&aws, claim).await
}
