//! Every minute: go through the products for the rules of collections that are new.

use oxcart_function::{aws, catalog, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let builder = catalog::collections::build::Builder {
        collections: catalog::collections::store::CollectionStore::new(&aws)?,
        entries: catalog::collections::entries::EntryStore::new(&aws)?,
        products: catalog::store::ProductStore::new(&aws)?,
        currency: aws.settings().read(aws::settings::Setting::ShopCurrency)?,
    };
    runtime::serve_event(&aws, |scheduled| {
        catalog::collections::build::build_collections(&builder, scheduled)
    })
    .await
}
