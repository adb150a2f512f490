//! `CustomerDeleted`: the orders of a customer who has gone lose their address, now or in time.

use oxcart_function::{lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let erasure = orders::erasure::Erasure::new(&aws)?;
    lambda::serve_queue(|message| orders::erasure::on_customer_deleted(&erasure, message)).await
}
