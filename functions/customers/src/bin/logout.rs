//! `POST /auth/logout`: ends a session.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let sessions = customers::sessions::store::SessionStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LOGOUT, |request| {
        customers::sessions::api::logout(&sessions, request)
    })
    .await
}
