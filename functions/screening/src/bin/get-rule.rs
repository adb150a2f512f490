//! `GET /rules/{rule_name}`: return one rule.

use oxcart_function::{aws, http::routes, runtime, screening};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = screening::store::RuleStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_RULE, |request| {
        screening::api::get_rule(&store, request)
    })
    .await
}
