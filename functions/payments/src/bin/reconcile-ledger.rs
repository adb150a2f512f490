//! Every ten minutes: compares the ledger with the gateways' statements of finished days.

use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::ledger::store::LedgerStore;
use oxcart_function::payments::reconciliation::run;
use oxcart_function::payments::reconciliation::store::ReconciliationStore;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = ReconciliationStore::new(&aws)?;
    let ledger = LedgerStore::new(&aws)?;
    let gateways = ConfiguredGateway::listed(&aws)?;
    runtime::serve_event(&aws, |scheduled| {
        run::reconcile_ledger(&store, &ledger, &gateways, scheduled)
    })
    .await
}
