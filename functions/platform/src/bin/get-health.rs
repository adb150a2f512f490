//! `GET /health`: returns that the API works.

use oxcart_function::{aws, http::routes, platform, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    aws::start().await?;
    runtime::serve_http_uncounted(&routes::GET_HEALTH, platform::api::get_health).await
}
