//! `GET /health`: tell that the API answers.

use oxcart_core::{lambda, platform};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start().await?;
    lambda::serve(platform::api::get_health).await
}
