//! `GET /customers`: list customers, or find one by address.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_CUSTOMERS, |request| {
        customers::admin::list_customers(&customers, request)
    })
    .await
}
