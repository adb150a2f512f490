//! `GET /rules`: list the rules that operators made.

use oxcart_function::{http::routes, lambda, rules};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = rules::RuleStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_RULES, |request| {
        rules::api::list_rules(&store, request)
    })
    .await
}
