//! `GET /openapi.json`: describe the API.

use oxcart_function::{http::routes, lambda, platform};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start().await?;
    let document = platform::api::Document::new(include_str!("../../../../infra/openapi.json"));
    lambda::serve_uncounted(&routes::GET_OPENAPI, |request| {
        platform::api::get_openapi(&document, request)
    })
    .await
}
