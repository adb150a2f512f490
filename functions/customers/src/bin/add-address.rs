//! `POST /customers/me/addresses`: add an address to the caller's book.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    lambda::serve(&aws, &routes::ADD_ADDRESS, |request| {
        customers::addresses::api::add_address(&customers, &addresses, request)
    })
    .await
}
