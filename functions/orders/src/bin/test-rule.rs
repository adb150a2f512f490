//! `POST /rules/{rule_name}/test`: say what a rule, or a change of it, makes of an order.

use oxcart_function::{http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let trials = orders::trial::Trials::new(&aws)?;
    lambda::serve(&aws, &routes::TEST_RULE, |request| {
        orders::trial::test_rule(&trials, request)
    })
    .await
}
