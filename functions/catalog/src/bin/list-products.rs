//! `GET /products`: list products.

use oxcart_function::{aws, catalog, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::cache::catalogue::PublicCatalogue::new(&aws)?;
    let chosen = catalog::chosen::Chosen {
        collections: catalog::collections::store::CollectionStore::new(&aws)?,
        entries: catalog::collections::entries::EntryStore::new(&aws)?,
    };
    let search = catalog::search::index::SearchIndex::new(&aws)?;
    let admins = customers::authorizer::Admins::new(&aws);
    runtime::serve_http(&aws, &routes::LIST_PRODUCTS, |request| {
        catalog::api::list_products(&products, &chosen, &search, &admins, request)
    })
    .await
}
