//! `GET /integrity`: what audits found.

use oxcart_function::{http::routes, integrity, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = integrity::IntegrityStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_INTEGRITY, |request| {
        integrity::api::get_integrity(&store, request)
    })
    .await
}
