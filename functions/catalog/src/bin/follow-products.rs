//! Notes which products change, and brings them into collections and out of them, from the stream of their table.

use oxcart_function::{aws, catalog, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let log = catalog::cache::changes::ChangeLog::new(&aws)?;
    let collections = catalog::collections::store::CollectionStore::new(&aws)?;
    let entries = catalog::collections::entries::EntryStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_event(&aws, |batch| {
        catalog::follow::follow_products(&log, &collections, &entries, currency, batch)
    })
    .await
}
