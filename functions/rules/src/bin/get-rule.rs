//! `GET /rules/{rule_name}`: return one rule.

use oxcart_function::{aws, http::routes, rules, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = rules::store::RuleStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_RULE, |request| {
        rules::api::get_rule(&store, request)
    })
    .await
}
