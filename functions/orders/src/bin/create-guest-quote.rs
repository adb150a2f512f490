//! `POST /guest/quotes`: promise what an order without an account would cost.

use oxcart_function::{aws, customers, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let totals = orders::totals::Totals::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    let cards = orders::gift_cards::preview::Preview::new(&aws)?;
    runtime::serve_http(&aws, &routes::CREATE_GUEST_QUOTE, |request| {
        orders::quotes::create_guest_quote(&totals, &links, &cards, request)
    })
    .await
}
