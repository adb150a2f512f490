//! `GET /customers/me/export`: all that the shop knows about the caller.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let export = orders::privacy::Export::new(&aws)?;
    runtime::serve_http(&aws, &routes::EXPORT_ACCOUNT, |request| {
        orders::privacy::export_account(&export, request)
    })
    .await
}
