//! `POST /quotes`: what an order would cost, as a promise.

use oxcart_function::{customers, http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let totals = orders::totals::Totals::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    lambda::serve(&aws, &routes::CREATE_QUOTE, |request| {
        orders::quotes::create_quote(&totals, &links, request)
    })
    .await
}
