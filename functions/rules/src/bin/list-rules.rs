//! `GET /rules`: list the rules.

use oxcart_function::{aws, http::routes, rules, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = rules::store::RuleStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_RULES, |request| {
        rules::api::list_rules(&store, request)
    })
    .await
}
