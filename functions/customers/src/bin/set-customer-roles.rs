//! `PUT /customers/{customer_id}/roles`: set what a customer may do.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    lambda::serve(&aws, &routes::SET_CUSTOMER_ROLES, |request| {
        customers::admin::set_customer_roles(&customers, request)
    })
    .await
}
