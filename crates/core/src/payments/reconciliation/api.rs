//! The route of the reconciliation.

use std::time::Duration;

use serde::Serialize;

use super::model::Difference;
use super::store::ReconciliationStore;
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::payments::ledger::api::span;
use crate::values::clock::Time;
use crate::values::id::{EntryId, OrderId, PaymentId, RefundId};
use crate::values::money::Money;

/// How long before `to` the list begins by itself.
const LAST_WEEK: Duration = Duration::from_hours(7 * 24);

/// A difference on the wire.
#[derive(Debug, Serialize)]
struct DifferenceBody {
    id: EntryId,
    kind: &'static str,
    gateway: String,
    of: &'static str,
    at: Time,
    gateway_amount: Option<Money>,
    ledger_amount: Option<Money>,
    movement_id: Option<String>,
    order_id: Option<OrderId>,
    payment_id: Option<PaymentId>,
    refund_id: Option<RefundId>,
    found_at: Time,
}

impl From<Difference> for DifferenceBody {
    fn from(difference: Difference) -> Self {
        Self {
            id: difference.id,
            kind: difference.kind.as_str(),
            gateway: difference.gateway.to_string(),
            of: difference.of.as_str(),
            at: difference.at,
            gateway_amount: difference.gateway_amount,
            ledger_amount: difference.ledger_amount,
            movement_id: difference.movement_id,
            order_id: difference.order_id,
            payment_id: difference.payment_id,
            refund_id: difference.refund_id,
            found_at: difference.found_at,
        }
    }
}

/// `GET /ledger/differences`: lists how the ledger and the gateways differ about what moved from `from` to before `to`, in
/// the order of time; of the last week if no time is given.
///
/// # Errors
/// If the caller is not an admin or a parameter is invalid.
pub async fn list_ledger_differences(
    store: &ReconciliationStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::LIST_LEDGER_DIFFERENCES.query)?;
    let page = PageRequest::read(&request, &query)?;
    let wanted = span(&query, request.now, LAST_WEEK)?;
    let found = store.between(wanted, page.limit, page.after.as_deref());
    found.await?.map(DifferenceBody::from).answer(&request)
}
