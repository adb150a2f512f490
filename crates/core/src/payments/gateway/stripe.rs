//! The gateway of [Stripe](https://docs.stripe.com/api): cards, by `PaymentIntent`s that are captured in a call of their
//! own. The payment's token is the identifier of a `PaymentMethod` (`pm_...`), which the shop's page gets from
//! Stripe.js, so that no card number reaches the shop.
//!
//! A charge goes through these moves, each of which may be made any number of times:
//!
//! 1. An intent is created, which moves no money, with our key as idempotency key. Its identifier is stored
//!    in a table of its own. If something is stored already, that counts, and this intent is canceled.
//! 2. The intent is confirmed, which authorises the amount, and captured. Stripe confirms and captures an intent once,
//!    however often it is asked to, also when it has forgotten every idempotency key, which it does after 24 hours.
//!
//! A void cancels the intent. Stripe decides between a void and a charge at the same time: what is canceled is not
//! captured, and what is captured is not canceled. A void of a key without an intent takes its place in the books.
//!
//! A charge that is captured later stops once it is authorised. Stripe captures an intent once, unless the account may capture
//! several times, which is not used here: what is not captured then is released. Stripe counts that as refunded
//! (as <https://github.com/solidusio/solidus_stripe/pull/268> found), so it is stored how much that was.
//!
//! An intent that needs the shopper (3-D Secure) stays open until they have confirmed it at the bank, by Stripe.js or at the
//! address that Stripe names; then Stripe has authorised it.

use std::time::Duration;

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Written};
use crate::aws::settings::SettingError;
use crate::payments::model::disputes::Dispute;
use crate::payments::model::{ChargeKey, Provider, RefundKey};
use crate::values::clock::Time;
use crate::values::money::Money;

use super::routing::routes::Routes;
use super::{Charge, EventError, Gateway, GatewayError, Notice, RefundState};
use books::Books;
use client::{Call, Client, Loss, Refusal};
use moves::Goal;
use wire::Intent;

mod amounts;
mod api_key;
mod books;
mod captures;
mod charges;
mod client;
mod disputes;
mod events;
mod moves;
mod refunds;
mod statement;
mod wire;

/// How long one call of the gateway takes at most. A step makes two, and has 15 seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// The query and the field with which Stripe returns the charge of an intent in whole.
const EXPAND: (&str, &str) = ("expand[]", "latest_charge");

/// The gateway of Stripe.
#[derive(Clone, Debug)]
pub struct Stripe {
    books: Books,
    client: Client,
}

impl Stripe {
    /// Creates the gateway, from the settings `STRIPE_SECRET_ARN`, `STRIPE_TABLE` and `STRIPE_URL`. It makes no call.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            books: Books::new(aws)?,
            client: Client::new(aws)?,
        })
    }

    /// Returns the gateway of another account, whose key is in the same secret. `None` is the account without a name.
    #[must_use]
    pub fn account(&self, name: Option<&str>) -> Self {
        Self {
            books: self.books.clone(),
            client: self.client.account(name),
        }
    }

    /// Cancels an intent and returns it as it is then, which is something else if another call was quicker.
    async fn cancel(&self, intent: &Intent) -> Result<Intent, GatewayError> {
        match self.act(intent, "cancel", Loss::Harmless).await? {
            Ok(canceled) => Ok(canceled),
            Err(refusal) => {
                let found = self.read(&intent.id).await?;
                if moves::is_open(&found) {
                    return Err(refusal.into_error(Loss::Harmless));
                }
                Ok(found)
            }
        }
    }

    async fn read(&self, intent_id: &str) -> Result<Intent, GatewayError> {
        let (name, value) = EXPAND;
        let call = Call::get(format!("/v1/payment_intents/{intent_id}?{name}={value}"));
        let found = self.client.send(&call).await?;
        found.map_err(|refusal| {
            tracing::error!(intent = intent_id, "a stored intent is missing at Stripe");
            refusal.into_error(Loss::MovesMoney)
        })
    }

    /// Returns the intent with what is captured and refunded of it, if its capture released `released`.
    async fn read_released(
        &self,
        intent_id: &str,
        released: Option<u64>,
    ) -> Result<Intent, GatewayError> {
        let intent = self.read(intent_id).await?;
        Ok(moves::without_release(intent, released.unwrap_or(0)))
    }

    /// Confirms, captures or cancels an intent. There is no idempotency key: Stripe would repeat an error for a day,
    /// while the intent's own state already allows each of these once.
    async fn act(
        &self,
        intent: &Intent,
        action: &str,
        loss: Loss,
    ) -> Result<Result<Intent, Refusal>, GatewayError> {
        let path = format!("/v1/payment_intents/{}/{action}", intent.id);
        self.client.send(&Call::post(path, &[EXPAND], loss)).await
    }

    async fn find(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        let Some(item) = self.books.find(key).await? else {
            return Ok(Charge::NotFound);
        };
        match (item.intent_id, item.decline) {
            (_, Some(code)) => Ok(Charge::Declined { code }),
            (None, None) => Ok(Charge::Voided),
            (Some(id), None) => moves::charge_of(&self.read_released(&id, item.released).await?),
        }
    }

    async fn end(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        dynamo::change("the charge", || async {
            let Some(item) = self.books.find(key).await? else {
                return Ok(match self.books.void(key).await? {
                    Written::Done => Attempt::Done(Charge::Voided),
                    Written::Refused(_) => Attempt::Overtaken,
                });
            };
            let charge = match (item.intent_id, item.decline) {
                (_, Some(code)) => Charge::Declined { code },
                (None, None) => Charge::Voided,
                (Some(id), None) => {
                    let intent = self.read_released(&id, item.released).await?;
                    let ended = if moves::is_open(&intent) {
                        self.cancel(&intent).await?
                    } else {
                        intent
                    };
                    moves::charge_of(&ended)?
                }
            };
            Ok(Attempt::Done(charge))
        })
        .await
    }
}

async fn in_time<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let late = |_| Err(GatewayError::Unknown("Stripe takes too long".into()));
    // Boxed: the states of all these calls would make every step's future kilobytes larger.
    tokio::time::timeout(patience, Box::pin(call))
        .await
        .unwrap_or_else(late)
}

impl Gateway for Stripe {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        let charge = self.begin_or_go_on(key, amount, token, Goal::Captured);
        in_time(PATIENCE, charge).await
    }

    async fn authorize(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        let charge = self.begin_or_go_on(key, amount, token, Goal::Authorized);
        in_time(PATIENCE, charge).await
    }

    async fn capture(
        &self,
        key: &ChargeKey,
        total: Money,
        last: bool,
    ) -> Result<Charge, GatewayError> {
        in_time(PATIENCE, self.capture_once(key, total, last)).await
    }

    fn captures_in_parts(&self) -> bool {
        false
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        in_time(PATIENCE, self.find(key)).await
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        in_time(PATIENCE, self.end(key)).await
    }

    async fn refund(&self, key: &RefundKey, amount: Money) -> Result<RefundState, GatewayError> {
        in_time(PATIENCE, self.begin_refund(key, amount)).await
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        in_time(PATIENCE, self.find_refund(key)).await
    }

    async fn retrieve_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        in_time(PATIENCE, self.find_dispute(key, id)).await
    }

    async fn take_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        self.verified_notice(signature, body, now).await
    }
}

impl Routes for Stripe {}

#[cfg(test)]
mod tests;
