//! `GET /health`: tell that the API answers.

use oxcart_function::{http::routes, lambda, platform};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start().await?;
    lambda::serve_uncounted(&routes::GET_HEALTH, platform::api::get_health).await
}
