//! `POST /gift-cards/balance`: return what is left on a gift card to somebody with its code.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let cards = orders::gift_cards::store::GiftCardStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_GIFT_CARD_BALANCE, |request| {
        orders::gift_cards::api::get_gift_card_balance(&cards, request)
    })
    .await
}
