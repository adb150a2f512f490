//! `PUT /rules/{rule_name}`: create or change a rule.

use oxcart_function::{aws, http::routes, runtime, screening};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = screening::store::RuleStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_http(&aws, &routes::PUT_RULE, |request| {
        screening::api::put_rule(&store, currency, request)
    })
    .await
}
