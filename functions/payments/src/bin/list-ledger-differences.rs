//! `GET /ledger/differences`: how the ledger and the gateways differ.

use oxcart_function::payments::reconciliation::api;
use oxcart_function::payments::reconciliation::store::ReconciliationStore;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = ReconciliationStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_LEDGER_DIFFERENCES, |request| {
        api::list_ledger_differences(&store, request)
    })
    .await
}
