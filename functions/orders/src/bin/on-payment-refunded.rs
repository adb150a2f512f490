//! On `PaymentRefunded`: shows on the order what of its payment has been refunded.

use oxcart_function::{aws, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let cards = orders::gift_cards::store::GiftCardStore::new(&aws)?;
    runtime::serve_queue(&aws, |message| {
        orders::refunds::on_payment_refunded(&orders, &cards, message)
    })
    .await
}
