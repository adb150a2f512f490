//! Refunds that come back: days after one has succeeded, the bank of the cardholder may send the money back, because the card
//! was lost or the account is closed (<https://docs.stripe.com/refunds#failed-refunds>). It is the shop's again then, and the
//! customer has nothing. The gateway would only send it to the same card, so another refund is for a person to make.

use super::model::{Refund, RefundError, RefundStatus};
use super::rules;
use super::settle;
use super::store::RefundStore;
use crate::aws::dynamo::{self, Attempt, Written};
use crate::http::problem::Problem;
use crate::payments::gateway::{EventError, Gateway, RefundState};
use crate::payments::model::RefundKey;
use crate::values::clock::Time;

/// Asks the gateway what became of a refund that its event names, and stores that if it is news.
///
/// # Errors
/// If the gateway cannot be asked, or the outcome not be stored: the event has to be sent again.
pub async fn follow(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    key: &RefundKey,
    now: Time,
) -> Result<(), Problem> {
    let stored = refunds.get(key.refund).await?;
    // The refund of all that was left is stored once it has succeeded; until then the workflow asks for it.
    let Some(refund) = stored.filter(|stored| stored.order_id == key.charge.order_id) else {
        return Ok(());
    };
    // One of which gift cards have got a part stays succeeded.
    if refund.failure.is_some() {
        return Ok(());
    }
    let payment = refunds.payments().get(refund.payment_id).await?;
    let payment = payment.ok_or(Problem::NotFound("payment"))?;
    let key = payment.refund_key(refund.id);
    let state = gateway.retrieve_refund(&key).await;
    match (refund.status, state.map_err(EventError::from)?) {
        (RefundStatus::Pending, RefundState::Succeeded) => {
            settle::record(refunds, rules::settle(refund, None, now), now).await?;
        }
        (RefundStatus::Pending, RefundState::Failed { code }) => {
            settle::record(refunds, rules::settle(refund, Some(code), now), now).await?;
        }
        (RefundStatus::Succeeded, RefundState::Failed { code }) => {
            take_back(refunds, refund, code, now).await?;
        }
        (RefundStatus::Pending, RefundState::Pending | RefundState::NotFound)
        | (
            RefundStatus::Succeeded,
            RefundState::Succeeded | RefundState::Pending | RefundState::NotFound,
        )
        | (RefundStatus::Failed, _) => {}
    }
    Ok(())
}

/// Stores that `refund`, which had succeeded, has failed with `code`.
async fn take_back(
    refunds: &RefundStore,
    refund: Refund,
    code: String,
    now: Time,
) -> Result<(), RefundError> {
    let failed = rules::returned(refund.clone(), code, now);
    let stored = dynamo::change("the payment", || async {
        let (payment, stored) = futures::try_join!(
            refunds.payments().get(failed.payment_id),
            refunds.get(failed.id)
        )?;
        if stored.is_some_and(|stored| stored.failure.is_some()) {
            return Ok(Attempt::Done(false));
        }
        let payment = payment.ok_or(RefundError::NotFound)?;
        let next = rules::take_back(&payment, &refund, now)?;
        let amount = refund.gateway_amount()?;
        let written = refunds.take_back(&payment, &next, &failed, amount).await?;
        Ok::<_, RefundError>(match written {
            Written::Done => Attempt::Done(true),
            Written::Refused(_) => Attempt::Overtaken,
        })
    });
    if stored.await? {
        // A metric filter in template.yaml counts `returned_refund`.
        tracing::warn!(
            returned_refund = %failed.id,
            order.id = %failed.order_id,
            code = failed.failure,
            "a refund that had succeeded has come back; the customer has to get the money in another way"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
