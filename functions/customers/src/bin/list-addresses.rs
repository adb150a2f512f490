//! `GET /customers/me/addresses`: the caller's addresses.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_ADDRESSES, |request| {
        customers::addresses::api::list_addresses(&addresses, request)
    })
    .await
}
