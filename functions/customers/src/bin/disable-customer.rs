//! `POST /customers/{customer_id}/disable`: disables an account.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    let sessions = customers::sessions::store::SessionStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::DISABLE_CUSTOMER, |request| {
        customers::admin::disable_customer(&customers, &sessions, request)
    })
    .await
}
