//! `POST /customers/me/addresses`: adds an address to the caller's book.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::ADD_ADDRESS, |request| {
        customers::addresses::api::add_address(&customers, &addresses, request)
    })
    .await
}
