//! `GET /ledger`: the entries of the ledger.

use oxcart_function::payments::ledger::api;
use oxcart_function::payments::ledger::store::LedgerStore;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let ledger = LedgerStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_LEDGER, |request| {
        api::list_ledger(&ledger, request)
    })
    .await
}
