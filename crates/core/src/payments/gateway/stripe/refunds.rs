//! Refunds. Stripe's list of the refunds of an intent is current, so a refund is found there by its metadata, and no
//! identifier of it is stored. Only that one was refused is stored, because Stripe keeps no refund then.

use super::client::{Call, Loss};
use super::moves;
use super::wire::{Intent, Refund, RefundPage};
use super::{Stripe, amounts};
use crate::payments::gateway::{GatewayError, RefundState};
use crate::payments::model::RefundKey;
use crate::values::money::Money;

/// Stripe's code for a refund of more than is left.
const NOTHING_LEFT: &str = "charge_already_refunded";

/// The key of a refund's identifier in the metadata.
pub(super) const REFUND_ID: &str = "refund_id";

/// The most pages of refunds that are read, of a hundred each.
const MOST_PAGES: usize = 10;

impl Stripe {
    /// Refunds `amount`, unless this refund is there.
    pub(super) async fn begin_refund(
        &self,
        key: &RefundKey,
        amount: Money,
    ) -> Result<RefundState, GatewayError> {
        if amount.minor_units().is_none() {
            return Err(GatewayError::Unknown("the amount is negative".into()));
        }
        let intent = self.captured(key).await?;
        match self.look_up(key, intent.as_ref()).await? {
            RefundState::NotFound => {}
            found
            @ (RefundState::Pending | RefundState::Succeeded | RefundState::Failed { .. }) => {
                return Ok(found);
            }
        }
        let (Some(intent), Some(units)) = (intent, amounts::to_stripe(amount)) else {
            return self.refuse_refund(key, NOTHING_LEFT.to_owned()).await;
        };
        if moves::refundable(&intent)?.is_none_or(|left| left < units) {
            return self.refuse_refund(key, NOTHING_LEFT.to_owned()).await;
        }
        let (units, refund_id) = (units.to_string(), key.refund.to_string());
        let (order_id, attempt) = (
            key.charge.order_id.to_string(),
            key.charge.attempt.to_string(),
        );
        let fields = [
            ("payment_intent", &*intent.id),
            ("amount", &units),
            ("metadata[refund_id]", &refund_id),
            ("metadata[order_id]", &order_id),
            ("metadata[attempt]", &attempt),
        ];
        let call = Call::post("/v1/refunds".to_owned(), &fields, Loss::MovesMoney);
        match self
            .client
            .send::<Refund>(&call.keyed(key.to_string()))
            .await?
        {
            Ok(refund) => Ok(state(&refund)),
            Err(refusal) => {
                let code = refusal.failure.code;
                let code = code.unwrap_or_else(|| NOTHING_LEFT.to_owned());
                self.refuse_refund(key, code).await
            }
        }
    }

    /// Returns the state of a refund.
    pub(super) async fn find_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        let intent = self.captured(key).await?;
        self.look_up(key, intent.as_ref()).await
    }

    /// Returns the intent that is refunded, or `None` if nothing was captured.
    async fn captured(&self, key: &RefundKey) -> Result<Option<Intent>, GatewayError> {
        let item = self.books.find(&key.charge).await?;
        let Some((id, released)) = item.and_then(|item| Some((item.intent_id?, item.released)))
        else {
            return Ok(None);
        };
        let intent = self.read_released(&id, released).await?;
        Ok(moves::refundable(&intent)?.map(|_| intent))
    }

    async fn look_up(
        &self,
        key: &RefundKey,
        intent: Option<&Intent>,
    ) -> Result<RefundState, GatewayError> {
        if let Some(intent) = intent
            && let Some(refund) = self.listed(key, intent).await?
        {
            return Ok(state(&refund));
        }
        let refused = self.books.refusal(key).await?;
        Ok(refused.map_or(RefundState::NotFound, |code| RefundState::Failed { code }))
    }

    /// Returns the refund from the list of those of `intent`.
    async fn listed(
        &self,
        key: &RefundKey,
        intent: &Intent,
    ) -> Result<Option<Refund>, GatewayError> {
        let refund_id = key.refund.to_string();
        let first = format!("/v1/refunds?payment_intent={}&limit=100", intent.id);
        let mut path = first.clone();
        for _ in 0..MOST_PAGES {
            let page = self.client.send::<RefundPage>(&Call::get(path)).await?;
            let page = page.map_err(|refusal| refusal.into_error(Loss::Harmless))?;
            let Some(last) = page.data.last() else {
                return Ok(None);
            };
            path = format!("{first}&starting_after={}", last.id);
            let found = page.data.into_iter().find(|refund| {
                let metadata = refund.metadata.as_ref();
                metadata.and_then(|texts| texts.get(REFUND_ID)) == Some(&refund_id)
            });
            if found.is_some() || !page.has_more {
                return Ok(found);
            }
        }
        Err(GatewayError::Unknown("there are too many refunds".into()))
    }

    /// Stores that a refund was refused.
    async fn refuse_refund(
        &self,
        key: &RefundKey,
        code: String,
    ) -> Result<RefundState, GatewayError> {
        self.books.refuse(key, &code).await?;
        Ok(RefundState::Failed { code })
    }
}

fn state(refund: &Refund) -> RefundState {
    match refund.status.as_deref() {
        Some("succeeded") => RefundState::Succeeded,
        Some(ended @ ("failed" | "canceled")) => RefundState::Failed {
            code: refund.failure_reason.as_deref().unwrap_or(ended).to_owned(),
        },
        // `pending`, `requires_action`, or none, which other payment methods than cards have.
        Some(_) | None => RefundState::Pending,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_status_of_a_refund_has_its_meaning() {
        let failed = |code: &str| RefundState::Failed {
            code: code.to_owned(),
        };
        for (status, reason, expected) in [
            (json!("succeeded"), json!(null), RefundState::Succeeded),
            (json!("pending"), json!(null), RefundState::Pending),
            (json!("requires_action"), json!(null), RefundState::Pending),
            (json!(null), json!(null), RefundState::Pending),
            (
                json!("failed"),
                json!("lost_or_stolen_card"),
                failed("lost_or_stolen_card"),
            ),
            (json!("failed"), json!(null), failed("failed")),
            (json!("canceled"), json!(null), failed("canceled")),
        ] {
            let refund = json!({"id": "re_1", "status": status, "failure_reason": reason});
            let refund: Refund = serde_json::from_value(refund).unwrap();
            assert_eq!(state(&refund), expected);
        }
    }
}
