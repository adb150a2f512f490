//! `POST /webhooks/payments/{provider}`: the events of gateways.
//!
//! An event is a hint, whatever it says: it names a charge, and the gateway is asked what is true of it, by a run of the order's
//! workflow. So it does not matter how often an event comes, how late, in which order, or before our own call has returned.

use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::executions::OrderWorkflow;
use crate::values::id::AttemptId;

use super::gateway::signature::HEADER;
use super::gateway::{EventError, Gateway, Notice};
use super::model::ChargeKey;
use super::store::PaymentStore;

impl From<EventError> for Problem {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Signature(error) => Self::parameter(HEADER, error.to_string()),
            EventError::Malformed(_) => Self::Malformed(error.to_string()),
            EventError::Gateway(error) => Self::Busy(error.into()),
        }
    }
}

/// Takes an event of the gateway that the shop uses. Responds 204, also if the event is about nothing that the shop knows of.
///
/// # Errors
/// [`Problem::NotFound`] for another provider and for a charge of an order that has no payment, and problems of an event that
/// is not signed by the provider, was signed more than five minutes ago, or cannot be read.
pub async fn receive_payment_event(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    workflow: &OrderWorkflow,
    request: Request,
) -> Result<Response, Problem> {
    let provider = request.path_parameters.get("provider");
    if provider.is_none_or(|name| name != gateway.provider().name()) {
        return Err(Problem::NotFound("payment provider"));
    }
    let signature = request.header(HEADER);
    let notice = gateway
        .take_event(signature, &request.body, request.now)
        .await?;
    match notice {
        Notice::Irrelevant => {}
        Notice::Charge(charge) => take_up(payments, workflow, &charge, &request).await?,
    }
    Ok(Response::no_content())
}

/// Has the workflow ask for the outcome of `charge`, if it has none yet.
async fn take_up(
    payments: &PaymentStore,
    workflow: &OrderWorkflow,
    charge: &ChargeKey,
    request: &Request,
) -> Result<(), Problem> {
    let payment = payments.of_order(charge.order_id).await?;
    let payment = payment.ok_or(Problem::NotFound("payment"))?;
    if !payment.is_open() {
        return Ok(());
    }
    // An event that comes again starts no second execution while a STANDARD state machine knows the first.
    let hash = request.body_hash();
    let run = AttemptId::derived(&["event", &hash]);
    let started = workflow.start(charge.order_id, run).await;
    started.map_err(|error| Problem::Busy(error.into()))
}

#[cfg(test)]
mod tests;
