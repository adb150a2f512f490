//! `DELETE /customers/me/sessions`: ends all of the caller's sessions.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let sessions = customers::sessions::store::SessionStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::END_ALL_SESSIONS, |request| {
        customers::sessions::api::end_all_sessions(&sessions, request)
    })
    .await
}
