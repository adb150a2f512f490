//! `POST /auth/login`: sign in.

use oxcart_core::{customers, lambda, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    let tokens = customers::api::TokenIssuer::new(&aws)?;
    lambda::serve(&aws, &routes::LOGIN, |request| {
        customers::api::login(&customers, &tokens, request)
    })
    .await
}
