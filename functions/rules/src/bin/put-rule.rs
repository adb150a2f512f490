//! `PUT /rules/{rule_name}`: make or change a rule.

use oxcart_function::{http::routes, lambda, rules, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = rules::RuleStore::new(&aws)?;
    let currency = aws.settings().read(settings::Setting::ShopCurrency)?;
    lambda::serve(&aws, &routes::PUT_RULE, |request| {
        rules::api::put_rule(&store, currency, request)
    })
    .await
}
