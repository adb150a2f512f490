//! `DELETE /customers/me`: erases the caller's account.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let deletion = customers::deletion::Deletion::new(&aws)?;
    runtime::serve_http(&aws, &routes::DELETE_ACCOUNT, |request| {
        customers::deletion::delete_account(&deletion, request)
    })
    .await
}
