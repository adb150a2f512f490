//! `POST /webhooks/payments/{provider}`: the events of gateways.
//!
//! An event is a hint, whatever it says: it names a charge, and the gateway is asked what is true of it, by a run of the order's
//! workflow. So it does not matter how often an event comes, how late, in which order, or before our own call has returned:
//! docs/decisions/0050-an-event-of-a-gateway-is-a-hint.md.

use crate::aws::dynamo::{self, Attempt, Written};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::executions::OrderWorkflow;
use crate::values::clock::Time;
use crate::values::id::AttemptId;

use super::captures::settle::settle;
use super::disputes;
use super::gateway::signature::HEADER;
use super::gateway::{EventError, Gateway, Notice};
use super::model::{Change, ChargeKey, Payment, PaymentError};
use super::refunds::returns;
use super::refunds::store::RefundStore;
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
    refunds: &RefundStore,
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
    let payments = refunds.payments();
    match notice {
        Notice::Irrelevant => {}
        Notice::Refund(key) => returns::follow(refunds, gateway, &key, request.now).await?,
        Notice::Charge(charge) => take_up(payments, gateway, workflow, &charge, &request).await?,
        Notice::Dispute { charge, id } => {
            let payment = note_dispute(payments, gateway, &charge, &id, request.now).await?;
            // Money that a bank gave back for an order that has ended is refunded, also if an earlier delivery of the event
            // stored the dispute and died.
            let kept = payment.kept().map_err(PaymentError::from)?;
            if payment.void_requested && kept.is_positive() {
                run(workflow, &charge, &request).await?;
            }
        }
    }
    Ok(Response::no_content())
}

/// Has the workflow ask for the outcome of `charge`, if it has none yet. If it waits for captures, the gateway is asked here.
async fn take_up(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    workflow: &OrderWorkflow,
    charge: &ChargeKey,
    request: &Request,
) -> Result<(), Problem> {
    let payment = payments.of_order(charge.order_id).await?;
    let payment = payment.ok_or(Problem::NotFound("payment"))?;
    if payment.awaits_capture() {
        // It was captured or has expired at the gateway, perhaps by our own call.
        settle(payments, gateway, payment.id, request.now).await?;
        return Ok(());
    }
    if !payment.is_open() {
        return Ok(());
    }
    run(workflow, charge, request).await
}

/// Starts a run of the workflow of the order of `charge`.
async fn run(
    workflow: &OrderWorkflow,
    charge: &ChargeKey,
    request: &Request,
) -> Result<(), Problem> {
    // An event that comes again starts no second execution while a STANDARD state machine knows the first.
    let hash = request.body_hash();
    let run = AttemptId::derived(&["event", &hash]);
    Ok(workflow.start(charge.order_id, run).await?)
}

/// Stores what the gateway has of the dispute `id` of `charge`, if that is news. Returns the payment as it is then.
async fn note_dispute(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    charge: &ChargeKey,
    id: &str,
    now: Time,
) -> Result<Payment, Problem> {
    dynamo::change("the payment", || async {
        // The payment is read first: if another event is quicker, this one is refused and asks again.
        let payment = payments.of_order(charge.order_id).await?;
        let payment = payment.ok_or(Problem::NotFound("payment"))?;
        let charge = charge.clone().at(payment.gateway.clone());
        let found = gateway.retrieve_dispute(&charge, id).await;
        let Some(dispute) = found.map_err(EventError::from)? else {
            return Ok(Attempt::Done(payment));
        };
        let Some(next) = disputes::rules::note(&payment, id, &dispute, now)? else {
            return Ok(Attempt::Done(payment));
        };
        let status = dispute.status;
        let disputed = Change::Disputed {
            id: id.to_owned(),
            dispute,
        };
        if payments.record(&payment, &next, &disputed).await? != Written::Done {
            return Ok(Attempt::Overtaken);
        }
        // A metric filter in template.yaml counts `disputed_order`.
        tracing::warn!(
            disputed_order = %charge.order_id,
            dispute.id = id,
            dispute.status = status.as_str(),
            "a payment is disputed, or a dispute decided"
        );
        Ok(Attempt::Done(next))
    })
    .await
}

#[cfg(test)]
pub(super) mod tests;
