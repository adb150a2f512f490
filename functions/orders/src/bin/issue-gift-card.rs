//! `POST /gift-cards`: issue a gift card or store credit.

use oxcart_function::customers::store::CustomerStore;
use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let cards = orders::gift_cards::store::GiftCardStore::new(&aws)?;
    let customers = CustomerStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_http(&aws, &routes::ISSUE_GIFT_CARD, |request| {
        orders::gift_cards::api::issue_gift_card(&cards, &customers, currency, request)
    })
    .await
}
