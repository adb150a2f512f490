//! `POST /customers/{customer_id}/disable`: shut an account.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    let sessions = customers::SessionStore::new(&aws)?;
    lambda::serve(&aws, &routes::DISABLE_CUSTOMER, |request| {
        customers::admin::disable_customer(&customers, &sessions, request)
    })
    .await
}
