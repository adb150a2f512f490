//! `GET /.well-known/jwks.json`: what other services verify access tokens with.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let keys = customers::keys::TokenKeys::new(&aws)?;
    lambda::serve_uncounted(&routes::GET_JWKS, |request| {
        customers::jwks::get_jwks(&keys, request)
    })
    .await
}
