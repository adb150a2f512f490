//! `DELETE /customers/me/sessions/{session_id}`: end one of the caller's sessions.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let sessions = customers::SessionStore::new(&aws)?;
    lambda::serve(&aws, &routes::END_SESSION, |request| {
        customers::sessions::api::end_session(&sessions, request)
    })
    .await
}
