//! `POST /customers/{customer_id}/enable`: enables an account again.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::ENABLE_CUSTOMER, |request| {
        customers::admin::enable_customer(&customers, request)
    })
    .await
}
