//! `GET /customers/{customer_id}`: one customer.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_CUSTOMER, |request| {
        customers::admin::get_customer(&customers, request)
    })
    .await
}
