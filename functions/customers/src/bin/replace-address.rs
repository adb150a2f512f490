//! `PUT /customers/me/addresses/{address_id}`: replaces one of the caller's addresses.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let addresses = customers::addresses::store::AddressStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::REPLACE_ADDRESS, |request| {
        customers::addresses::api::replace_address(&addresses, request)
    })
    .await
}
