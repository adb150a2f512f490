//! `DELETE /rules/{rule_name}`: remove a rule.

use oxcart_function::{aws, http::routes, runtime, screening};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = screening::store::RuleStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::REMOVE_RULE, |request| {
        screening::api::remove_rule(&store, request)
    })
    .await
}
