//! A payment at several gateways: which one takes it, and how it gets from one that does not take it to the next.
//!
//! It begins with the gateway that routing chooses, and stays there. It moves only if that gateway says of a charge of which
//! it knows nothing that it did nothing ([`GatewayError::Busy`]); whatever is unknown stays. Then three writes make sure that
//! there is one place where money can move, whatever crashes, repeats or arrives late:
//!
//! 1. The attempt is given up: no run that read the payment before can change it any more.
//! 2. It is voided at its gateway, so that a charge that is still on its way is declined there. If the charge turns out to have
//!    arrived, the payment stays.
//! 3. The payment gets the next gateway and the next attempt's number. Only now that gateway is called.

use std::sync::{Mutex, PoisonError};

use crate::aws::dynamo::{StoreError, Written};
use crate::orders::model::{Order, PaymentStatus};
use crate::values::clock::Time;
use crate::values::money::MoneyError;

use super::gateway::routing::plan::Payer;
use super::gateway::routing::routes::Routes;
use super::gateway::{Charge, GatewayError};
use super::model::{CaptureTime, GatewayName, Payment};
use super::store::PaymentStore;

/// One run of the step `PaymentProcessing`.
#[derive(Debug)]
pub struct Run<'a, G> {
    payments: &'a PaymentStore,
    gateway: &'a G,
    now: Time,
    /// The gateways that did not take the payment in this run.
    tried: Mutex<Vec<GatewayName>>,
}

/// What became of a charge.
#[derive(Debug)]
pub enum Charged {
    /// What its gateway says.
    Answer(Result<Charge, GatewayError>),
    /// The payment is at another gateway now, or another run was quicker: read it again.
    Moved,
    /// It was given up, and it is not known whether it is voided: the next run voids it again.
    Stuck(GatewayError),
}

impl<'a, G: Routes> Run<'a, G> {
    /// Begins a run at `now`.
    pub fn new(payments: &'a PaymentStore, gateway: &'a G, now: Time) -> Self {
        Self {
            payments,
            gateway,
            now,
            tried: Mutex::default(),
        }
    }

    /// Returns the payment of `order`, at the gateway that is to take it. What costs nothing, or is paid by gift cards, needs none.
    ///
    /// # Errors
    /// [`MoneyError`] if the order takes from gift cards in another currency.
    pub async fn begin(&self, order: &Order) -> Result<Payment, MoneyError> {
        let due = order.amount_due()?;
        let chosen = if due.is_zero() {
            None
        } else {
            self.gateway.choose(payer(order), &[], self.now).await
        };
        let gateway = chosen.unwrap_or_else(|| self.gateway.provider().into());
        let payment = Payment {
            capture: self.gateway.capture_time(),
            ..Payment::begin(order.id, due, gateway, self.now)
        };
        Ok(payment.beside_gift_cards(order.paid_by_gift_cards()?))
    }

    /// Charges `payment` at its gateway. `is_new` says that the gateway knew nothing of the attempt: then it can move.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be stored that it moves. The next run goes on.
    pub async fn charge(
        &self,
        payment: &Payment,
        order: &Order,
        token: &str,
        is_new: bool,
    ) -> Result<Charged, StoreError> {
        let key = payment.key();
        let answer = match payment.capture {
            CaptureTime::AtOnce => self.gateway.charge(&key, payment.amount, token).await,
            CaptureTime::AtShipment => self.gateway.authorize(&key, payment.amount, token).await,
        };
        let answered = answer.is_ok();
        let gateway = &payment.gateway;
        self.gateway.note(gateway, answered, self.now).await;
        let can_move = is_new && payment.status == PaymentStatus::Pending;
        match answer {
            Err(GatewayError::Busy(_)) if can_move => {}
            answer => return Ok(Charged::Answer(answer)),
        }
        let Some(next) = self.other(payment, order).await else {
            return Ok(Charged::Answer(answer));
        };
        if self.payments.leave(payment).await? != Written::Done {
            return Ok(Charged::Moved);
        }
        let leaving = Payment {
            leaving: true,
            ..payment.clone()
        };
        self.go(&leaving, next).await
    }

    /// Goes on with a payment whose attempt was given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn go_on(&self, payment: &Payment, order: &Order) -> Result<Charged, StoreError> {
        let next = self.other(payment, order).await;
        // Its attempt may be voided, so it needs another one, and be it at the same gateway.
        let next = next.unwrap_or_else(|| payment.gateway.clone());
        self.go(payment, next).await
    }

    async fn go(&self, payment: &Payment, next: GatewayName) -> Result<Charged, StoreError> {
        match self.gateway.void(&payment.key()).await {
            Ok(Charge::Voided) => {}
            Ok(
                ended @ (Charge::Captured { .. }
                | Charge::Refunded { .. }
                | Charge::Declined { .. }),
            ) => return Ok(Charged::Answer(Ok(ended))),
            Ok(
                Charge::NotFound
                | Charge::ActionRequired(_)
                | Charge::Authorized { .. }
                | Charge::PartlyCaptured { .. },
            ) => {
                let error = "the gateway did not void the charge".into();
                return Ok(Charged::Stuck(GatewayError::Busy(error)));
            }
            Err(error) => return Ok(Charged::Stuck(error)),
        }
        let from = payment.gateway.to_string();
        let moved = self.payments.move_to(payment, &next, self.now).await?;
        if moved == Written::Done {
            tracing::warn!(order.id = %payment.order_id, from, to = %next, "a payment moves to another gateway");
        }
        Ok(Charged::Moved)
    }

    /// Returns the next gateway that this run has not tried.
    async fn other(&self, payment: &Payment, order: &Order) -> Option<GatewayName> {
        let tried = {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            tried.push(payment.gateway.clone());
            tried.clone()
        };
        self.gateway.choose(payer(order), &tried, self.now).await
    }
}

fn payer(order: &Order) -> Payer {
    Payer {
        order_id: order.id,
        customer_id: order.customer_id,
    }
}

#[cfg(test)]
mod tests;
