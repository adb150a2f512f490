//! The events of Stripe: <https://docs.stripe.com/api/events>. An event says only what to ask about: it may be late, or come
//! before the response to our own call.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Deserialize;

use super::api_key::SigningSecrets;
use super::refunds::REFUND_ID;
use super::{PATIENCE, Stripe, in_time};
use crate::payments::gateway::signature::{self, SignatureError};
use crate::payments::gateway::{EventError, Notice};
use crate::payments::model::{ChargeKey, RefundKey};
use crate::values::clock::Time;
use crate::values::id::RefundId;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Object,
}

/// What an event is about, as far as it is read here.
#[derive(Deserialize)]
struct Object {
    id: String,
    /// The intent, if this is not one.
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl Stripe {
    pub(super) async fn verified_notice(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        let account = self
            .signer(signature.unwrap_or_default(), body, now)
            .await?;
        let event: Event = serde_json::from_slice(body).map_err(EventError::malformed)?;
        let object = event.data.object;
        if event.kind.starts_with("payment_intent.") {
            let charge = key(&object.metadata.unwrap_or_default());
            return Ok(charge.map_or(Notice::Irrelevant, Notice::Charge));
        }
        let is_dispute = event.kind.starts_with("charge.dispute.");
        let refund = refund_id(&event.kind, object.metadata.as_ref());
        let (true, Some(intent)) = (is_dispute || refund.is_some(), object.payment_intent) else {
            return Ok(Notice::Irrelevant);
        };
        // A dispute has none of our metadata, and a refund has not the charge: their intent has.
        let intent = in_time(PATIENCE, self.account(account.as_deref()).read(&intent)).await?;
        let Some(charge) = key(&intent.metadata.unwrap_or_default()) else {
            return Ok(Notice::Irrelevant);
        };
        let id = object.id;
        Ok(match refund {
            Some(refund) => Notice::Refund(RefundKey { charge, refund }),
            None => Notice::Dispute { charge, id },
        })
    }

    /// Returns the account whose secret signed an event: one that is known, or else one that has been added since.
    async fn signer(
        &self,
        header: &str,
        body: &[u8],
        now: Time,
    ) -> Result<Option<String>, EventError> {
        let read_at = Instant::now();
        let keys = self.client.keys();
        let known = keys.signing_secrets(read_at).await;
        match signer(&known.map_err(EventError::secret)?, header, body, now) {
            Err(SignatureError::Forged) => {
                let newer = keys.newer_signing_secrets(read_at).await;
                match newer.map_err(EventError::secret)? {
                    Some(newer) => Ok(signer(&newer, header, body, now)?),
                    None => Err(SignatureError::Forged.into()),
                }
            }
            signer => Ok(signer?),
        }
    }
}

/// Returns the account one of whose secrets signed an event. `None` is the account without a name.
fn signer(
    secrets: &SigningSecrets,
    header: &str,
    body: &[u8],
    now: Time,
) -> Result<Option<String>, SignatureError> {
    for (account, secrets) in secrets.by_account() {
        match signature::verify(header, body, &secrets, now) {
            Err(SignatureError::Forged) => {}
            verified => return verified.map(|()| account.map(str::to_owned)),
        }
    }
    Err(SignatureError::Forged)
}

/// Returns the charge of an intent with `metadata`, or `None` if the shop did not create the intent.
pub(super) fn key(metadata: &BTreeMap<String, String>) -> Option<ChargeKey> {
    let order_id = metadata.get("order_id")?.parse().ok()?;
    let attempt = metadata.get("attempt")?.parse().ok()?;
    Some(ChargeKey::new(order_id, attempt))
}

/// Returns the refund that an event of this `kind` is about, or `None` if it is about another thing, or the shop did not make
/// the refund. Which event comes depends on the version of the API (<https://docs.stripe.com/refunds#failed-refunds>).
fn refund_id(kind: &str, metadata: Option<&BTreeMap<String, String>>) -> Option<RefundId> {
    if !kind.starts_with("refund.") && kind != "charge.refund.updated" {
        return None;
    }
    metadata?.get(REFUND_ID)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_about_refunds_of_the_shop_are_about_refunds() {
        let id = RefundId::derived(&["refund"]);
        let ours = BTreeMap::from([(REFUND_ID.to_owned(), id.to_string())]);
        let others = BTreeMap::from([(REFUND_ID.to_owned(), "1".to_owned())]);
        for (kind, metadata, expected) in [
            ("refund.failed", Some(&ours), Some(id)),
            ("refund.updated", Some(&ours), Some(id)),
            ("charge.refund.updated", Some(&ours), Some(id)),
            ("charge.refunded", Some(&ours), None),
            ("charge.dispute.created", Some(&ours), None),
            ("refund.failed", Some(&others), None),
            ("refund.failed", None, None),
        ] {
            assert_eq!(refund_id(kind, metadata), expected, "{kind}");
        }
    }
}
