//! `GET /rules/{rule_name}`: answer one rule.

use oxcart_function::{http::routes, lambda, rules};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = rules::RuleStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_RULE, |request| {
        rules::api::get_rule(&store, request)
    })
    .await
}
