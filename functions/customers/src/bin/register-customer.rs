//! `POST /customers`: open an account.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    lambda::serve(&aws, &routes::REGISTER_CUSTOMER, |request| {
        customers::api::register_customer(&customers, request)
    })
    .await
}
