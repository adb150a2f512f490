//! `POST /rules/{rule_name}/test`: try a rule, or a change of it, on an order.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let trials = orders::trial::Trials::new(&aws)?;
    runtime::serve_http(&aws, &routes::TEST_RULE, |request| {
        orders::trial::test_rule(&trials, request)
    })
    .await
}
