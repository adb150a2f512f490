//! `DELETE /rules/{rule_name}`: remove a rule.

use oxcart_function::{http::routes, lambda, rules};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = rules::RuleStore::new(&aws)?;
    lambda::serve(&aws, &routes::REMOVE_RULE, |request| {
        rules::api::remove_rule(&store, request)
    })
    .await
}
