//! The authoriser of the HTTP API: identifies the caller.

use oxcart_function::{aws, customers::authorizer, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let tokens = authorizer::TokenVerifier::new(&aws)?;
    runtime::serve_event(&aws, |request| {
        authorizer::authorize_request(&tokens, request)
    })
    .await
}
