//! `POST /auth/logout`: sign out.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let sessions = customers::SessionStore::new(&aws)?;
    lambda::serve(&aws, &routes::LOGOUT, |request| {
        customers::sessions::api::logout(&sessions, request)
    })
    .await
}
