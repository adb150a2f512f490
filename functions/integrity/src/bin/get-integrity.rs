//! `GET /integrity`: returns the latest audit and the findings.

use oxcart_function::{aws, http::routes, integrity, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = integrity::store::IntegrityStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_INTEGRITY, |request| {
        integrity::api::get_integrity(&store, request)
    })
    .await
}
