//! `DELETE /customers/me/sessions/{session_id}`: ends one of the caller's sessions.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let sessions = customers::sessions::store::SessionStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::END_SESSION, |request| {
        customers::sessions::api::end_session(&sessions, request)
    })
    .await
}
