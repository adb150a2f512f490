//! `POST /auth/refresh`: renew a session.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let renewal = customers::sessions::api::Renewal::new(&aws)?;
    lambda::serve(&aws, &routes::REFRESH_SESSION, |request| {
        customers::sessions::api::refresh_session(&renewal, request)
    })
    .await
}
