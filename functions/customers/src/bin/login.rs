//! `POST /auth/login`: sign in.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let sign_in = customers::api::SignIn::new(&aws)?;
    lambda::serve(&aws, &routes::LOGIN, |request| {
        customers::api::login(&sign_in, request)
    })
    .await
}
