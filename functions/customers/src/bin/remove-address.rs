//! `DELETE /customers/me/addresses/{address_id}`: remove one of the caller's addresses.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    lambda::serve(&aws, &routes::REMOVE_ADDRESS, |request| {
        customers::addresses::api::remove_address(&addresses, request)
    })
    .await
}
