//! `PUT /collections/{collection}`: create or change a collection.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let collections = catalog::collections::store::CollectionStore::new(&aws)?;
    let products = catalog::store::ProductStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_http(&aws, &routes::PUT_COLLECTION, |request| {
        catalog::collections::api::put_collection(&collections, &products, currency, request)
    })
    .await
}
