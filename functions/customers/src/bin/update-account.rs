//! `PATCH /customers/me`: changes the caller's account.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let customers = customers::store::CustomerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::UPDATE_ACCOUNT, |request| {
        customers::profile::update_account(&customers, request)
    })
    .await
}
