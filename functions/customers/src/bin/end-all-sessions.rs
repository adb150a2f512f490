//! `DELETE /customers/me/sessions`: end all of the caller's sessions.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let sessions = customers::SessionStore::new(&aws)?;
    lambda::serve(&aws, &routes::END_ALL_SESSIONS, |request| {
        customers::sessions::api::end_all_sessions(&sessions, request)
    })
    .await
}
