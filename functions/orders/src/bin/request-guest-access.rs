//! `POST /guest/access`: mail a guest the link to what the shop knows.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let messages = orders::messages::MessageQueue::new(&aws)?;
    runtime::serve_http(&aws, &routes::REQUEST_GUEST_ACCESS, |request| {
        orders::privacy::request_guest_access(&orders, &messages, request)
    })
    .await
}
