//! The HTTP routes of payments.

use serde::Serialize;

use crate::http::{Request, Response};
use crate::id::{OrderId, PaymentId};
use crate::money::Money;
use crate::orders::OrderStore;
use crate::page::{Page, PageRequest};
use crate::problem::Problem;

use super::model::Payment;
use super::store::PaymentStore;

/// A payment on the wire.
#[derive(Serialize)]
struct PaymentBody {
    id: PaymentId,
    status: &'static str,
    gateway: &'static str,
    authorized: Money,
    captured: Money,
    refunded: Money,
    attempts: u32,
}

impl From<Payment> for PaymentBody {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            status: payment.status.as_str(),
            gateway: payment.gateway.name(),
            authorized: payment.amounts.authorized(),
            captured: payment.amounts.captured(),
            refunded: payment.amounts.refunded(),
            attempts: payment.attempt,
        }
    }
}

/// `GET /orders/{order_id}/payments`: the payments of an order, for its owner and for admins.
///
/// # Errors
/// [`Problem::NotFound`] if there is no such order or it is another customer's.
pub async fn list_order_payments(
    orders: &OrderStore,
    payments: &PaymentStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: OrderId = request.id("order_id", "order")?;
    let query = request.query(&["limit", "cursor"])?;
    // An order has one payment, so there is never a second page.
    PageRequest::read(query.get("limit").copied(), query.get("cursor").copied())?;
    let order = orders.get(id).await?.ok_or(Problem::NotFound("order"))?;
    if order.customer_id != caller.customer_id && !caller.admin {
        return Err(Problem::NotFound("order"));
    }
    let payment = payments.of_order(id).await?;
    let page = Page {
        items: payment.into_iter().map(PaymentBody::from).collect(),
        next: None,
    };
    page.answer(&request)
}
