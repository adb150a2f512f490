//! `GET /.well-known/jwks.json`: returns the keys that verify access tokens.

use oxcart_function::{aws, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let keys = customers::keys::TokenKeys::new(&aws)?;
    runtime::serve_http_uncounted(&routes::GET_JWKS, |request| {
        customers::jwks::get_jwks(&keys, request)
    })
    .await
}
