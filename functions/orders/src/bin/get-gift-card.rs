//! `GET /gift-cards/{gift_card_id}`: return a gift card to an admin.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let cards = orders::gift_cards::store::GiftCardStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_GIFT_CARD, |request| {
        orders::gift_cards::api::get_gift_card(&cards, request)
    })
    .await
}
