//! The routes of retries: `POST /orders/{order_id}/payments`, and the same for guests.

use http::StatusCode;

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Written};
use crate::aws::settings::SettingError;
use crate::customers::link::Links;
use crate::http::body::Body;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::orders::executions::OrderWorkflow;
use crate::orders::fields;
use crate::orders::guests;
use crate::orders::model::Order;
use crate::orders::store::OrderStore;
use crate::payments::api::PaymentBody;
use crate::payments::gateway::{Charge, Gateway};
use crate::payments::model::{Payment, Retry};
use crate::payments::store::PaymentStore;
use crate::values::id::{AttemptId, OrderId};

use super::rules::{self, Next, RetryError};

/// What a retry works with.
#[derive(Clone, Debug)]
pub struct Retries<G> {
    /// The orders.
    pub orders: OrderStore,
    /// The payments.
    pub payments: PaymentStore,
    /// The gateway that voids an attempt which waits for its shopper.
    pub gateway: G,
    /// The workflow that charges.
    pub workflow: OrderWorkflow,
}

impl<G: Gateway> Retries<G> {
    /// Opens the stores and the workflow.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws, gateway: G) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            payments: PaymentStore::new(aws)?,
            gateway,
            workflow: OrderWorkflow::new(aws)?,
        })
    }
}

/// `POST /orders/{order_id}/payments`: tries to pay a pending order with another token. Responds 202 with the payment,
/// which the order's workflow charges. Without `payment` in the body, the shopper has done what the payment requires, and
/// the workflow asks the gateway for the outcome now.
///
/// # Errors
/// For a caller who is neither the owner nor an admin, for bad input, without an `Idempotency-Key` or with one that was used
/// with another body, and [`Problem::Conflict`] if the payment cannot be retried.
pub async fn retry_payment<G: Gateway>(
    retries: &Retries<G>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id: OrderId = request.id("order_id", "order")?;
    let wish = Wish::read(&request)?;
    let may = |order: &Order| order.customer_id == caller.customer_id || caller.admin;
    let caller = caller.customer_id.to_string();
    carry_out(retries, id, may, &caller, wish, &request).await
}

/// `POST /guest/orders/{order_id}/payments?token=`: as [`retry_payment`], for a guest, until an account has claimed the order.
///
/// # Errors
/// As [`retry_payment`], and [`Problem::NotFound`] without a valid token for this order.
pub async fn retry_guest_payment<G: Gateway>(
    retries: &Retries<G>,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let wish = Wish::read(&request)?;
    let id = guests::linked(links, &request, &routes::RETRY_GUEST_PAYMENT).await?;
    let may = |order: &Order| order.guest.is_some();
    carry_out(retries, id, may, "guest", wish, &request).await
}

/// Does what `request` wishes, for `caller`, who `may` pay some orders.
async fn carry_out<G: Gateway>(
    retries: &Retries<G>,
    id: OrderId,
    may: impl Fn(&Order) -> bool,
    caller: &str,
    wish: Wish,
    request: &Request,
) -> Result<Response, Problem> {
    let order = id.to_string();
    let named = |what| AttemptId::derived(&[what, &order, caller, &wish.key]);
    let (payment, replayed) = match wish.token {
        None => {
            let run = named("resume-payment");
            (resume(retries, id, may, run).await?, false)
        }
        Some(token) => {
            let retry = Retry {
                id: named("retry-payment"),
                request_hash: request.body_hash(),
            };
            retry_with(retries, id, may, &token, retry, request).await?
        }
    };
    let response = Response::json(StatusCode::ACCEPTED, &PaymentBody::from(payment))?;
    Ok(response.replayed(replayed))
}

/// Has the workflow ask for the outcome of the payment now, in the run `run`, if it has none yet.
async fn resume<G: Gateway>(
    retries: &Retries<G>,
    id: OrderId,
    may: impl Fn(&Order) -> bool,
    run: AttemptId,
) -> Result<Payment, Problem> {
    let (_, payment) = read(retries, id, &may).await?;
    let payment = payment.ok_or_else(|| {
        Problem::Conflict("the payment has not begun, so there is nothing to go on with".to_owned())
    })?;
    if payment.is_open() {
        retries.workflow.start(id, run).await?;
    }
    Ok(payment)
}

/// Begins the attempt `retry`, and has the workflow charge it. Returns the payment, and whether it had begun already.
async fn retry_with<G: Gateway>(
    retries: &Retries<G>,
    id: OrderId,
    may: impl Fn(&Order) -> bool,
    token: &str,
    retry: Retry,
    request: &Request,
) -> Result<(Payment, bool), Problem> {
    let (payment, replayed) = dynamo::change("the payment", || async {
        let (order, payment) = read(retries, id, &may).await?;
        let (payment, found) = match rules::decide(payment.as_ref(), &order, &retry, request.now)? {
            Next::Begun(payment) => return Ok(Attempt::Done((payment.clone(), true))),
            Next::Void(payment) => (payment, Some(retries.gateway.void(&payment.key()).await?)),
            Next::Begin(payment) => (payment, None),
        };
        if let Some(Charge::Captured { .. } | Charge::Refunded { .. }) = found {
            // The shopper has confirmed it, and the workflow was quicker.
            return Err(RetryError::Undecided(payment.status));
        }
        let next = rules::begin(payment, token.to_owned(), retry.clone(), request.now);
        Ok(match retries.payments.retry(payment, &next).await? {
            Written::Done => Attempt::Done((next, false)),
            Written::Refused(_) => Attempt::Overtaken,
        })
    })
    .await
    .map_err(Problem::from)?;
    if payment.is_open() {
        // The name is that of the attempt, so that a repeated request starts no second execution.
        retries.workflow.start(id, retry.id).await?;
    }
    Ok((payment, replayed))
}

/// Reads the order, which the caller may see, and its payment.
async fn read<G: Gateway>(
    retries: &Retries<G>,
    id: OrderId,
    may: &impl Fn(&Order) -> bool,
) -> Result<(Order, Option<Payment>), RetryError> {
    let (order, payment) =
        futures::try_join!(retries.orders.get(id), retries.payments.of_order(id))?;
    let order = order.filter(|order| may(order));
    Ok((order.ok_or(RetryError::NotFound)?, payment))
}

/// What a request asks for.
struct Wish {
    /// Its `Idempotency-Key`.
    key: String,
    /// The token of another attempt; without one, it asks for the outcome of the current attempt.
    token: Option<String>,
}

impl Wish {
    fn read(request: &Request) -> Result<Self, Problem> {
        let key = request.idempotency_key()?;
        let key = key.ok_or(Problem::IdempotencyKeyRequired)?.to_owned();
        let token = request.json(|body| Some(token(body)))?;
        Ok(Self { key, token })
    }
}

/// Reads the token, if there is one.
fn token(body: &mut Body<'_>) -> Option<String> {
    let token = body.non_nullable("payment", |json| {
        json.object(|payment| payment.required("token", fields::payment_token))
    });
    token.flatten()
}
