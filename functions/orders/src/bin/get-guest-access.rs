//! `GET /guest/access`: what the shop knows about a guest, with the mailed link.

use oxcart_function::{aws, customers, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_GUEST_ACCESS, |request| {
        orders::privacy::get_guest_access(&orders, &links, request)
    })
    .await
}
