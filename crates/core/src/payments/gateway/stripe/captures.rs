//! The capture of an intent that was authorised before.

use super::client::{Call, Loss};
use super::wire::{Intent, IntentStatus};
use super::{EXPAND, Stripe, amounts, moves};
use crate::payments::gateway::{Charge, GatewayError};
use crate::payments::model::ChargeKey;
use crate::values::money::Money;

impl Stripe {
    /// Captures `total` of the intent, once. It stays captured so, whatever a later call asks for.
    pub(super) async fn capture_once(
        &self,
        key: &ChargeKey,
        total: Money,
        last: bool,
    ) -> Result<Charge, GatewayError> {
        let item = self.books.find(key).await?;
        let Some(item) = item else {
            return Ok(Charge::NotFound);
        };
        let Some(id) = item.intent_id else {
            return self.find(key).await;
        };
        let mut intent = self.read(&id).await?;
        let units = amounts::to_stripe(total).filter(|units| last || *units == intent.amount);
        let Some(units) = units else {
            return Err(GatewayError::Unknown("an intent is captured once".into()));
        };
        if intent.status == IntentStatus::RequiresCapture {
            intent = self.send_capture(&intent, units).await?;
        }
        let mut released = item.released;
        if released.is_none() {
            released = moves::released(&intent, units)?;
            if let Some(released) = released {
                self.books.release(key, released).await?;
            }
        }
        moves::charge_of(&moves::without_release(intent, released.unwrap_or(0)))
    }

    async fn send_capture(&self, intent: &Intent, units: u64) -> Result<Intent, GatewayError> {
        let units = units.to_string();
        let fields = [("amount_to_capture", &*units), EXPAND];
        let path = format!("/v1/payment_intents/{}/capture", intent.id);
        // There is no idempotency key: an intent is captured once.
        let call = Call::post(path, &fields, Loss::MovesMoney);
        match self.client.send(&call).await? {
            Ok(captured) => Ok(captured),
            Err(refusal) => {
                let found = self.read(&intent.id).await?;
                if found.status == intent.status {
                    return Err(refusal.into_error(Loss::MovesMoney));
                }
                Ok(found)
            }
        }
    }
}
