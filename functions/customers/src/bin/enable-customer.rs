//! `POST /customers/{customer_id}/enable`: open an account again.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    lambda::serve(&aws, &routes::ENABLE_CUSTOMER, |request| {
        customers::admin::enable_customer(&customers, request)
    })
    .await
}
