//! `PUT /customers/me/addresses/{address_id}`: replace one of the caller's addresses.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    lambda::serve(&aws, &routes::REPLACE_ADDRESS, |request| {
        customers::addresses::api::replace_address(&addresses, request)
    })
    .await
}
