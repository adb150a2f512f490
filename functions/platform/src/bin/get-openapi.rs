//! `GET /openapi.json`: returns the description of the API.

use oxcart_function::{aws, http::routes, platform, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    aws::start().await?;
    let document = platform::api::Document::new(include_str!("../../../../infra/openapi.json"));
    runtime::serve_http_uncounted(&routes::GET_OPENAPI, |_| {
        platform::api::get_openapi(&document)
    })
    .await
}
