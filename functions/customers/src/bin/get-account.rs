//! `GET /customers/me`: the caller's account.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_ACCOUNT, |request| {
        customers::profile::get_account(&customers, request)
    })
    .await
}
