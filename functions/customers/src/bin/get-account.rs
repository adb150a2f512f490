//! `GET /customers/me`: returns the caller's account.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_ACCOUNT, |request| {
        customers::profile::get_account(&customers, request)
    })
    .await
}
