//! Writes the ledger's entries of what changes about payments, from the stream of their table.

use oxcart_function::payments::ledger::record;
use oxcart_function::payments::ledger::store::LedgerStore;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let ledger = LedgerStore::new(&aws)?;
    runtime::serve_event(&aws, |batch| record::record_ledger(&ledger, batch)).await
}
