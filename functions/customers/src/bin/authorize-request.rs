//! The authoriser of the HTTP API: tells who is signed in.

use oxcart_function::{customers::authorizer, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let tokens = authorizer::TokenVerifier::new(&aws)?;
    lambda::serve_event(|request| authorizer::authorize_request(&tokens, request)).await
}
