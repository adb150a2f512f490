//! `POST /auth/login`: signs a customer in.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let sign_in = customers::sessions::api::SignIn::new(&aws)?;
    runtime::serve_http(&aws, &routes::LOGIN, |request| {
        customers::sessions::api::login(&sign_in, request)
    })
    .await
}
