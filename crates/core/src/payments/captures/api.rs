//! The route of captures, `POST /payments/{payment_id}/captures`.

use http::StatusCode;
use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, StoreError, Written};
use crate::http::body::{Body, Json};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::store::OrderStore;
use crate::payments::gateway::Gateway;
use crate::payments::model::captures::Capture;
use crate::payments::model::{Payment, PaymentError};
use crate::payments::pieces::{self, LineBody};
use crate::payments::store::PaymentStore;
use crate::values::clock::Time;
use crate::values::id::{CaptureId, PaymentId};
use crate::values::money::Money;

use super::rules::{self, CaptureError, Draft, RETRY, Wanted};
use super::settle::settle;

/// A capture on the wire.
#[derive(Debug, Serialize)]
pub(in crate::payments) struct CaptureBody {
    id: CaptureId,
    payment_id: PaymentId,
    amount: Money,
    lines: Vec<LineBody>,
    last: bool,
    /// `pending` or `succeeded`.
    status: &'static str,
    created_at: Time,
}

impl CaptureBody {
    fn new(payment: &Payment, capture: &Capture, status: &'static str) -> Self {
        Self {
            id: capture.id,
            payment_id: payment.id,
            amount: capture.amount,
            lines: LineBody::all(&capture.units),
            last: capture.last,
            status,
            created_at: capture.created_at,
        }
    }

    /// Returns the captures of `payment`, in the order in which they were requested.
    pub(in crate::payments) fn all(payment: &Payment) -> Vec<Self> {
        let succeeded = payment.captures.iter();
        let succeeded = succeeded.map(|capture| Self::new(payment, capture, "succeeded"));
        let pending = payment.capturing.iter();
        let pending = pending.map(|capture| Self::new(payment, capture, "pending"));
        succeeded.chain(pending).collect()
    }
}

/// `POST /payments/{payment_id}/captures`: captures a part of a payment that was authorised, such as what a parcel is worth,
/// or all that is left. Responds 201 with the capture; it is `pending` if the gateway's response is not known yet.
///
/// # Errors
/// For a caller who is not an admin, for bad input, without an `Idempotency-Key` or with one that was used with another
/// body, and [`Problem::Conflict`] if the payment cannot be captured so.
pub async fn create_capture(
    payments: &PaymentStore,
    orders: &OrderStore,
    gateway: &impl Gateway,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.admin()?;
    let payment_id: PaymentId = request.id("payment_id", "payment")?;
    let key = request
        .idempotency_key()?
        .ok_or(Problem::IdempotencyKeyRequired)?;
    let draft = request.json(draft)?;
    let payment = payment_id.to_string();
    let caller = caller.customer_id.to_string();
    let id = CaptureId::derived(&["create-capture", &payment, &caller, key]);
    let parts = gateway.captures_in_parts();
    let (payment, replayed) =
        find_or_begin(payments, orders, &request, payment_id, id, &draft, parts).await?;
    let payment = match &payment.capturing {
        Some(_) => settled(payments, gateway, payment, request.now).await?,
        None => payment,
    };
    let found = stored(&payment, id).ok_or(CaptureError::Expired)?;
    let response = Response::json(StatusCode::CREATED, &found)?;
    Ok(response.replayed(replayed))
}

/// Carries out the capture of `payment` that is not decided. If its outcome cannot be stored now, that is done later.
async fn settled(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    payment: Payment,
    now: Time,
) -> Result<Payment, CaptureError> {
    match settle(payments, gateway, payment.id, now).await {
        Ok(found) => found.ok_or(CaptureError::NotFound),
        Err(PaymentError::Store(StoreError::Busy(_))) => Ok(payment),
        Err(error) => Err(error.into()),
    }
}

/// Returns the capture `id` of `payment`.
fn stored(payment: &Payment, id: CaptureId) -> Option<CaptureBody> {
    let mut captures = CaptureBody::all(payment).into_iter();
    captures.find(|capture| capture.id == id)
}

/// Stores that the capture `id` of `draft` begins, unless it has begun. Returns the payment as it is then, and whether the
/// capture had begun.
async fn find_or_begin(
    payments: &PaymentStore,
    orders: &OrderStore,
    request: &Request,
    payment_id: PaymentId,
    id: CaptureId,
    draft: &Draft,
    in_parts: bool,
) -> Result<(Payment, bool), CaptureError> {
    let hash = request.body_hash();
    dynamo::change("the payment", || async {
        let payment = payments.get(payment_id).await?;
        let payment = payment.ok_or(CaptureError::NotFound)?;
        let begun = payment.captures.iter().chain(&payment.capturing);
        if let Some(begun) = begun.into_iter().find(|capture| capture.id == id) {
            return if begun.request_hash == hash {
                Ok(Attempt::Done((payment, true)))
            } else {
                Err(CaptureError::KeyReused)
            };
        }
        let order = orders.get(payment.order_id).await?;
        let order = order.ok_or(CaptureError::NotFound)?;
        let taken = rules::take(&payment, &order, draft, in_parts)?;
        if payment.capturing.is_some() {
            return Err(CaptureError::Undecided);
        }
        let capture = rules::capture(id, &hash, taken, request.now);
        let due_at = request.now.plus(RETRY);
        Ok(
            match payments.begin_capture(&payment, &capture, due_at).await? {
                Written::Done => {
                    let payment = Payment {
                        capturing: Some(capture),
                        due_at: Some(due_at),
                        ..payment
                    };
                    Attempt::Done((payment, false))
                }
                Written::Refused(_) => Attempt::Overtaken,
            },
        )
    })
    .await
}

/// Reads a request for a capture.
fn draft(body: &mut Body<'_>) -> Option<Draft> {
    let both = body.has("amount") && body.has("lines");
    let amount = body.non_nullable("amount", not_negative);
    let lines = body.non_nullable("lines", |json| pieces::wanted(json, both));
    let last = body.non_nullable("last", |json: Json<'_>| json.boolean());
    let wanted = match (amount?, lines?) {
        (Some(amount), _) => Wanted::Amount(amount),
        (None, Some(lines)) => Wanted::Lines(lines),
        (None, None) => Wanted::Rest,
    };
    Some(Draft {
        wanted,
        last: last?.unwrap_or(false),
    })
}

/// Reads an amount that is not less than zero, in any currency.
fn not_negative(json: Json<'_>) -> Option<Money> {
    let place = json.clone();
    let amount = json.money_in_any_currency()?;
    if amount.is_zero() || amount.is_positive() {
        Some(amount)
    } else {
        place.fault("range", "this must not be less than zero")
    }
}
