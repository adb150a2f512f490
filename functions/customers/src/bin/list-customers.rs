//! `GET /customers`: lists customers, or finds one by email address.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_CUSTOMERS, |request| {
        customers::admin::list_customers(&customers, request)
    })
    .await
}
