//! `PUT /customers/{customer_id}/group`: puts a customer into a group.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::SET_CUSTOMER_GROUP, |request| {
        customers::admin::set_customer_group(&customers, request)
    })
    .await
}
