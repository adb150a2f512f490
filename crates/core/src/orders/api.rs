//! The routes of `/orders`, except for placing an order ([`super::checkout`]).

use std::collections::BTreeMap;

use serde::Serialize;

use super::change::{self, Change};
use super::executions::OrderWorkflow;
use super::model::{Order, Status};
use super::number::OrderNumber;
use super::redemptions::{self, Redemption};
use super::rules;
use super::store::OrderStore;
use crate::aws::telemetry;
use crate::event_log::store::EventLog;
use crate::http::address::AddressBody;
use crate::http::exchange::{Caller, Request, Response};
use crate::http::page::{Page, PageRequest};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::{CustomerId, OrderId};
use crate::values::money::Money;

pub(super) mod charges;

use charges::TotalsBody;

/// An order on the wire.
#[derive(Debug, Serialize)]
pub(super) struct OrderBody {
    id: OrderId,
    number: Option<OrderNumber>,
    customer_id: CustomerId,
    status: &'static str,
    payment_status: &'static str,
    #[serde(flatten)]
    totals: TotalsBody,
    #[serde(flatten)]
    paid_by: PaidByBody,
    shipping_address: AddressBody,
    billing_address: Option<AddressBody>,
    note: Option<String>,
    metadata: BTreeMap<String, String>,
    failure: Option<FailureBody>,
    review: Option<ReviewBody>,
    version: u64,
    created_at: Time,
    updated_at: Time,
}

/// What pays for an order: gift cards, and a gateway what they leave.
#[derive(Debug, Serialize)]
pub(super) struct PaidByBody {
    gift_cards: Vec<RedemptionBody>,
    /// What the gateway charges: the total without what gift cards pay.
    amount_due: Money,
}

#[derive(Debug, Serialize)]
struct RedemptionBody {
    last_four: String,
    amount: Money,
}

#[derive(Debug, Serialize)]
struct FailureBody {
    code: &'static str,
    detail: String,
}

#[derive(Debug, Serialize)]
struct ReviewBody {
    state: &'static str,
    reasons: String,
}

#[derive(Debug, Serialize)]
struct HistoryBody {
    items: Vec<DomainEvent>,
}

impl PaidByBody {
    /// Shows `redemptions` for an order that costs `total`.
    pub(super) fn new(redemptions: Vec<Redemption>, total: Money) -> Result<Self, Problem> {
        let due = redemptions::due(&redemptions, total);
        let gift_cards = redemptions.into_iter().map(|redemption| RedemptionBody {
            last_four: redemption.last_four,
            amount: redemption.amount,
        });
        Ok(Self {
            gift_cards: gift_cards.collect(),
            amount_due: due.map_err(Problem::internal)?,
        })
    }
}

impl TryFrom<Order> for OrderBody {
    type Error = Problem;

    fn try_from(order: Order) -> Result<Self, Problem> {
        Ok(Self {
            paid_by: PaidByBody::new(order.gift_cards, order.total)?,
            id: order.id,
            number: order.number,
            customer_id: order.customer_id,
            status: order.status.as_str(),
            payment_status: order.payment_status.as_str(),
            totals: TotalsBody::new(&order.lines, &order.breakdown, order.total)?,
            shipping_address: order.shipping_address.into(),
            billing_address: order.details.billing_address.map(AddressBody::from),
            note: order.details.note,
            metadata: order.details.metadata,
            failure: order.failure.map(|failure| FailureBody {
                code: failure.code.as_str(),
                detail: failure.detail,
            }),
            review: order.review.map(|review| ReviewBody {
                state: review.state.as_str(),
                reasons: review.reasons,
            }),
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
        })
    }
}

pub(super) fn respond(order: Order) -> Result<Response, Problem> {
    let tag = order.tag();
    Ok(Response::ok(&OrderBody::try_from(order)?)?.etag(&tag))
}

/// Returns whether `caller` may see `order`, which its owner and admins may.
pub(super) fn is_visible(order: &Order, caller: &Caller) -> bool {
    caller.admin || order.customer_id == caller.customer_id
}

/// Returns the order in the request's path, if the caller may see it.
async fn visible(orders: &OrderStore, request: &Request) -> Result<Order, Problem> {
    let caller = request.caller()?;
    let id: OrderId = request.id("order_id", "order")?;
    let order = orders.get(id).await?;
    order
        .filter(|order| is_visible(order, &caller))
        .ok_or(Problem::NotFound("order"))
}

/// `GET /orders/{order_id}`: returns the order.
///
/// # Errors
/// Returns [`Problem::NotFound`], also for another customer's order.
pub async fn get_order(orders: &OrderStore, request: Request) -> Result<Response, Problem> {
    respond(visible(orders, &request).await?)
}

/// `GET /orders?status=&number=&limit=&cursor=`: returns a page of the caller's own orders, newest first; with `status`, an
/// admin gets the orders of all customers. With `number`, the page has the order of this number, if the caller may see it.
///
/// # Errors
/// Returns [`Problem::InvalidParameters`] for a parameter that is not valid.
pub async fn list_orders(orders: &OrderStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let query = request.query(routes::LIST_ORDERS.query)?;
    let status: Option<Status> = Request::parameter(&query, "status")?;
    let number: Option<OrderNumber> = Request::parameter(&query, "number")?;
    let page = PageRequest::read(&request, &query)?;
    let found = match (number, status) {
        (Some(number), status) => {
            let order = orders.get_by_number(number).await?;
            let wanted = |order: &Order| {
                is_visible(order, &caller) && status.is_none_or(|status| status == order.status)
            };
            Page {
                items: order.into_iter().filter(wanted).collect(),
                next: None,
            }
        }
        (None, Some(status)) if caller.admin => orders.by_status(status, &page).await?,
        (None, status) => {
            orders
                .by_customer(caller.customer_id, status, &page)
                .await?
        }
    };
    found
        .fitting(Order::position, OrderBody::try_from)?
        .answer(&request)
}

/// `POST /orders/{order_id}/cancel`: cancels the order and starts the run that undoes it. An order that is cancelled
/// already is returned unchanged.
///
/// # Errors
/// Returns [`Problem::NotFound`], also for another customer's order, and [`Problem::Conflict`] once the order is being
/// picked or has failed.
pub async fn cancel_order(
    orders: &OrderStore,
    workflow: &OrderWorkflow,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: OrderId = request.id("order_id", "order")?;
    let may_cancel = |order: &Order| is_visible(order, &caller);
    cancel(orders, workflow, id, may_cancel, &request).await
}

/// Cancels the order `id` as [`cancel_order`] does, if it is one that the caller `may_cancel`.
pub(super) async fn cancel(
    orders: &OrderStore,
    workflow: &OrderWorkflow,
    id: OrderId,
    may_cancel: impl Fn(&Order) -> bool,
    request: &Request,
) -> Result<Response, Problem> {
    let cancel = |order| {
        if !may_cancel(&order) {
            return Err(Problem::NotFound("order"));
        }
        Ok(rules::cancel(order, request.now, request.traceparent())?)
    };
    let changed = change::apply(orders, id, cancel).await?;
    let order = match changed.ok_or(Problem::NotFound("order"))? {
        Change::Made(order) => {
            start(workflow, &order).await;
            order
        }
        // An earlier request may have cancelled it and died before it could start the run.
        Change::Unneeded(order) if order.due_at.is_some() => {
            start(workflow, &order).await;
            order
        }
        Change::Unneeded(order) => order,
    };
    respond(order)
}

/// Starts the order's current run. If that fails nothing is lost: the order is due soon.
pub(super) async fn start(workflow: &OrderWorkflow, order: &Order) {
    if let Err(error) = workflow.start(order.id, order.run).await {
        let error = telemetry::chain(&error);
        tracing::warn!(order.id = %order.id, error, "order not run at once");
    }
}

/// `GET /orders/{order_id}/history`: returns the order's events, oldest first. The newest may be missing for a moment.
///
/// # Errors
/// Returns [`Problem::NotFound`], also for another customer's order.
pub async fn get_order_history(
    orders: &OrderStore,
    log: &EventLog,
    request: Request,
) -> Result<Response, Problem> {
    let order = visible(orders, &request).await?;
    let items = log.history(order.id).await?;
    Response::ok(&HistoryBody { items })
}

#[cfg(test)]
mod tests;
