//! `POST /auth/refresh`: renews a session.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let renewal = customers::sessions::api::Renewal::new(&aws)?;
    runtime::serve_http(&aws, &routes::REFRESH_SESSION, |request| {
        customers::sessions::api::refresh_session(&renewal, request)
    })
    .await
}
