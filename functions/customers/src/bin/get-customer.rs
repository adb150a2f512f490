//! `GET /customers/{customer_id}`: returns one customer.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_CUSTOMER, |request| {
        customers::admin::get_customer(&customers, request)
    })
    .await
}
