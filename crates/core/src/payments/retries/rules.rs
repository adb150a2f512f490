//! Pure decisions about retries.

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::orders::model::{Course, Order, PaymentStatus, Status};
use crate::payments::gateway::GatewayError;
use crate::payments::model::{Amounts, Payment, PaymentError, Retry};
use crate::values::clock::Time;

/// With how many tokens an order can be tried to be paid, so that nobody tries stolen cards with it.
pub const MOST_TOKENS: usize = 5;

/// Why a payment is not retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The payment or the order cannot be read or changed.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The gateway did not say whether the attempt before has ended.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// There is no such order, or it is another customer's.
    #[error("there is no such order")]
    NotFound,
    /// The key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The order has an outcome.
    #[error("the order is {0}, so it is not paid any more")]
    Decided(Status),
    /// The deadline has passed.
    #[error("the order's deadline has passed, so it is not paid any more")]
    Expired,
    /// The order was not placed as retryable.
    #[error("the order was placed without payment.retryable, so its payment is not retried")]
    NotRetryable,
    /// The attempt before has not ended.
    #[error("the payment is {0}: it can be retried once it has failed")]
    Undecided(PaymentStatus),
    /// There were too many attempts.
    #[error("the payment was tried with {MOST_TOKENS} tokens, and is not retried any more")]
    TooMany,
}

impl From<StoreError> for RetryError {
    fn from(error: StoreError) -> Self {
        Self::Payment(error.into())
    }
}

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Payment(error) => error.into(),
            RetryError::Gateway(error) => Self::Busy(error.into()),
            RetryError::NotFound => Self::NotFound("order"),
            RetryError::KeyReused => Self::IdempotencyKeyReused,
            RetryError::Decided(_)
            | RetryError::Expired
            | RetryError::NotRetryable
            | RetryError::Undecided(_)
            | RetryError::TooMany => Self::Conflict(error.to_string()),
        }
    }
}

/// What follows from a request to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// It has begun already, with this payment.
    Begun(&'a Payment),
    /// It begins once the current attempt of this payment is voided at the gateway.
    Void(&'a Payment),
    /// It begins.
    Begin(&'a Payment),
}

/// Decides what follows from the request `retry` for `payment`, of `order`.
///
/// # Errors
/// [`RetryError`] if nothing is to be tried again.
pub fn decide<'a>(
    payment: Option<&'a Payment>,
    order: &Order,
    retry: &Retry,
    now: Time,
) -> Result<Next<'a>, RetryError> {
    let earlier = payment.and_then(|payment| {
        let earlier = payment
            .retries
            .iter()
            .find(|earlier| earlier.id == retry.id);
        earlier.map(|earlier| (payment, earlier))
    });
    if let Some((payment, earlier)) = earlier {
        let same = earlier.request_hash == retry.request_hash;
        return same
            .then_some(Next::Begun(payment))
            .ok_or(RetryError::KeyReused);
    }
    match order.status.course() {
        Course::Undecided => {}
        Course::Confirmed | Course::Closed => return Err(RetryError::Decided(order.status)),
    }
    if order.is_past_deadline(now) {
        return Err(RetryError::Expired);
    }
    if !order.details.retryable {
        return Err(RetryError::NotRetryable);
    }
    let payment = payment.ok_or(RetryError::Undecided(PaymentStatus::Pending))?;
    if payment.void_requested {
        return Err(RetryError::Expired);
    }
    let next = match payment.status {
        PaymentStatus::Failed => Next::Begin(payment),
        PaymentStatus::RequiresAction => Next::Void(payment),
        status @ (PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Voided) => return Err(RetryError::Undecided(status)),
    };
    if has_had_all(payment) {
        return Err(RetryError::TooMany);
    }
    Ok(next)
}

/// Returns `payment` with its next attempt, which is to be charged with `token`.
#[must_use]
pub fn begin(payment: &Payment, token: String, retry: Retry, now: Time) -> Payment {
    let mut retries = payment.retries.clone();
    retries.push(retry);
    Payment {
        status: PaymentStatus::Pending,
        attempt: payment.attempt + 1,
        decline: None,
        action: None,
        // What an earlier attempt authorised, it has released.
        amounts: Amounts::none(payment.amount.currency()),
        token: Some(token),
        retries,
        version: payment.version + 1,
        updated_at: now.no_earlier_than(payment.updated_at),
        ..payment.clone()
    }
}

/// Returns whether `order` waits for another token after `payment` was declined, instead of failing.
#[must_use]
pub fn waits(order: &Order, payment: &Payment, now: Time) -> bool {
    order.details.retryable && !has_had_all(payment) && !order.is_past_deadline(now)
}

/// Returns whether `payment` was tried with as many tokens as may be. Its attempts can be more: another gateway takes another
/// one with the same token.
fn has_had_all(payment: &Payment) -> bool {
    payment.retries.len() + 1 >= MOST_TOKENS
}
