//! `GET /rules`: list the rules.

use oxcart_function::{aws, http::routes, runtime, screening};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = screening::store::RuleStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_RULES, |request| {
        screening::api::list_rules(&store, request)
    })
    .await
}
