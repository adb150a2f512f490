//! Workflow step `CloseOrder`: a failed or cancelled order is undone, and no longer due.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let cards = orders::gift_cards::store::GiftCardStore::new(&aws)?;
    runtime::serve_step(&aws, |step| {
        orders::workflow::close_order(&orders, &cards, step)
    })
    .await
}
