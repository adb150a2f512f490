//! The routes of `/payments/{payment_id}/refunds`.

use http::StatusCode;
use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::http::body::{Body, Json};
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::orders::model::Order;
use crate::orders::store::OrderStore;
use crate::payments::gateway::Gateway;
use crate::payments::model::Payment;
use crate::payments::pieces::{self, LineBody};
use crate::values::clock::Time;
use crate::values::id::{PaymentId, RefundId};
use crate::values::money::Money;

use super::model::{Refund, RefundError, RefundStatus};
use super::rules::{self, Draft, FIRST_LOOK, Wanted};
use super::settle::{self, Asked};
use super::store::{Created, RefundStore};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// A refund on the wire.
#[derive(Debug, Serialize)]
struct RefundBody {
    id: RefundId,
    payment_id: PaymentId,
    amount: Money,
    /// How much of it goes back to gift cards.
    gift_card_amount: Money,
    lines: Vec<LineBody>,
    reason: Option<String>,
    restock: bool,
    status: &'static str,
    /// The gateway's code for why it failed.
    failure: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl From<Refund> for RefundBody {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            payment_id: refund.payment_id,
            amount: refund.amount,
            gift_card_amount: refund.gift_card_amount,
            lines: LineBody::all(&refund.units),
            reason: refund.reason,
            restock: refund.restock,
            status: refund.status.as_str(),
            failure: refund.failure,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
        }
    }
}

/// `POST /payments/{payment_id}/refunds`: refunds an amount, or pieces of lines with their share of discounts, taxes and
/// shipping. Responds 201 with the refund; it is `pending` if the gateway's response is not known yet.
///
/// # Errors
/// For a caller who is not an admin, for bad input, without an `Idempotency-Key` or with one that was used with another
/// body, and [`Problem::Conflict`] if more is wanted than is left.
pub async fn create_refund(
    refunds: &RefundStore,
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
    let id = RefundId::derived(&[
        "create-refund",
        &payment,
        &caller.customer_id.to_string(),
        key,
    ]);
    let now = request.now;
    let (refund, replayed) =
        match find_or_create(refunds, orders, &request, payment_id, id, &draft).await? {
            Found::New(payment, refund) => {
                (begin(refunds, gateway, &payment, refund, now).await?, false)
            }
            Found::Stored(refund) if refund.status == RefundStatus::Pending => {
                (settle::ask(refunds, gateway, refund, now).await?, true)
            }
            Found::Stored(refund) => (refund, true),
        };
    let response = Response::json(StatusCode::CREATED, &RefundBody::from(refund))?;
    Ok(response.replayed(replayed))
}

/// A refund, as a request for it finds it.
enum Found {
    /// It has just been stored, of this payment.
    New(Box<Payment>, Refund),
    /// It was stored by an earlier request with the same key.
    Stored(Refund),
}

/// Stores the refund `id` of `draft`, unless it is stored already.
async fn find_or_create(
    refunds: &RefundStore,
    orders: &OrderStore,
    request: &Request,
    payment_id: PaymentId,
    id: RefundId,
    draft: &Draft,
) -> Result<Found, RefundError> {
    let hash = request.body_hash();
    dynamo::change("the payment", || async {
        let payments = refunds.payments();
        let (payment, stored) = futures::try_join!(payments.get(payment_id), refunds.get(id))?;
        if let Some(stored) = stored {
            return if stored.request_hash == hash {
                Ok(Attempt::Done(Found::Stored(stored)))
            } else {
                Err(RefundError::KeyReused)
            };
        }
        let payment = payment.ok_or(RefundError::NotFound)?;
        let order = orders
            .get(payment.order_id)
            .await?
            .ok_or(RefundError::NotFound)?;
        let refund = refund(&payment, &order, draft, id, &hash, request.now)?;
        Ok(match refunds.create(&payment, &refund).await? {
            Created::Done => Attempt::Done(Found::New(Box::new(payment), refund)),
            Created::Exists | Created::Refused => Attempt::Overtaken,
        })
    })
    .await
}

/// Returns the refund `id` of `draft`, pending.
fn refund(
    payment: &Payment,
    order: &Order,
    draft: &Draft,
    id: RefundId,
    hash: &str,
    now: Time,
) -> Result<Refund, RefundError> {
    let taken = rules::take(payment, order, draft)?;
    Ok(Refund {
        id,
        payment_id: payment.id,
        order_id: payment.order_id,
        amount: taken.amount,
        gift_card_amount: rules::gift_card_amount(payment, taken.amount)?,
        units: taken.units,
        reason: draft.reason.clone(),
        restock: draft.restock,
        status: RefundStatus::Pending,
        failure: None,
        attempts: 0,
        due_at: Some(now.plus(FIRST_LOOK)),
        request_hash: hash.to_owned(),
        created_at: now,
        updated_at: now,
    })
}

/// Has the gateway make the new `refund`. If its outcome cannot be stored now, it is asked for later.
async fn begin(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    payment: &Payment,
    refund: Refund,
    now: Time,
) -> Result<Refund, RefundError> {
    let pending = refund.clone();
    match settle::settle(refunds, gateway, payment, refund, Asked::Never, now).await {
        Err(RefundError::Store(StoreError::Busy(_))) => Ok(pending),
        settled => settled,
    }
}

/// `GET /payments/{payment_id}/refunds`: lists the refunds of a payment, newest first, for the owner of its order and for
/// admins.
///
/// # Errors
/// [`Problem::NotFound`] if there is no such payment, or it is another customer's.
pub async fn list_refunds(
    refunds: &RefundStore,
    orders: &OrderStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: PaymentId = request.id("payment_id", "payment")?;
    let query = request.query(routes::LIST_REFUNDS.query)?;
    let page = PageRequest::read(&request, &query)?;
    let payment = refunds.payments().get(id).await?;
    let payment = payment.ok_or(Problem::NotFound("payment"))?;
    let (order, found) = futures::try_join!(
        orders.get(payment.order_id),
        refunds.of_payment(id, page.limit, page.after.as_deref())
    )?;
    let is_theirs = order.is_some_and(|order| order.customer_id == caller.customer_id);
    if !is_theirs && !caller.admin {
        return Err(Problem::NotFound("payment"));
    }
    found.map(RefundBody::from).answer(&request)
}

/// Reads a request for a refund.
fn draft(body: &mut Body<'_>) -> Option<Draft> {
    let both = body.has("amount") && body.has("lines");
    let neither = !body.has("amount") && !body.has("lines");
    let amount = body.optional("amount", positive);
    let lines = body.optional("lines", |json| pieces::wanted(json, both));
    let reason = body.optional("reason", |json| json.text(1..=LONGEST_REASON));
    let restock = body.non_nullable("restock", |json: Json<'_>| json.boolean());
    if neither {
        return body.required("amount", |_| None);
    }
    let wanted = match (amount?, lines?) {
        (Some(amount), _) => Wanted::Amount(amount),
        (None, Some(lines)) => Wanted::Lines(lines),
        (None, None) => return None,
    };
    Some(Draft {
        wanted,
        reason: reason?,
        restock: restock?.unwrap_or(false),
    })
}

/// Reads an amount of more than zero, in any currency.
fn positive(json: Json<'_>) -> Option<Money> {
    let place = json.clone();
    let amount = json.money_in_any_currency()?;
    if amount.is_positive() {
        Some(amount)
    } else {
        place.fault("range", "this must be more than zero")
    }
}
