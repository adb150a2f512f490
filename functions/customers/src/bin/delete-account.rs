//! `DELETE /customers/me`: erase the caller's account.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let deletion = customers::deletion::Deletion::new(&aws)?;
    lambda::serve(&aws, &routes::DELETE_ACCOUNT, |request| {
        customers::deletion::delete_account(&deletion, request)
    })
    .await
}
