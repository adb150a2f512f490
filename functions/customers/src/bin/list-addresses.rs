//! `GET /customers/me/addresses`: lists the caller's addresses.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_ADDRESSES, |request| {
        customers::addresses::api::list_addresses(&addresses, request)
    })
    .await
}
