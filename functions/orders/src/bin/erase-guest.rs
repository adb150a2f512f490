//! `POST /guest/erasure`: erase what the shop knows about a guest, with the mailed link.

use oxcart_function::{aws, customers, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let erasure = orders::erasure::Erasure::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    runtime::serve_http(&aws, &routes::ERASE_GUEST, |request| {
        orders::privacy::erase_guest(&erasure, &links, request)
    })
    .await
}
