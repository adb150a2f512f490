//! `GET /customers/me/sessions`: where the caller is signed in.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let sessions = customers::SessionStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_SESSIONS, |request| {
        customers::sessions::api::list_sessions(&sessions, request)
    })
    .await
}
