//! The events of the sandbox, by which somebody plays the shopper's bank. An event is signed as Stripe's are, with a secret
//! that everybody knows: it protects nothing, because the sandbox moves no money.

use serde::Deserialize;

use super::Sandbox;
use super::books::item_key;
use super::tokens::State;
use crate::aws::dynamo::{StoreError, Written};
use crate::payments::gateway::signature;
use crate::payments::gateway::{EventError, Notice};
use crate::payments::model::ChargeKey;
use crate::values::clock::Time;

/// The secret with which events of the sandbox are signed.
pub const SECRET: &str = "whsec_sandbox";

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Kind,
    /// The charge, `<order>:<attempt>`.
    charge: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Kind {
    /// The shopper has confirmed the payment.
    #[serde(rename = "charge.confirmed")]
    Confirmed,
    /// The shopper or the bank has refused it.
    #[serde(rename = "charge.refused")]
    Refused,
    #[serde(other)]
    Other,
}

impl Sandbox {
    pub(super) async fn played_notice(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        signature::verify(signature.unwrap_or_default(), body, [SECRET], now)?;
        let event: Event = serde_json::from_slice(body).map_err(EventError::malformed)?;
        let charge: ChargeKey = event.charge.parse().map_err(EventError::malformed)?;
        // If the charge does not wait for its shopper, nothing happens to it.
        let settled = match event.kind {
            Kind::Confirmed => {
                self.settle(&charge, State::ActionRequired, State::Authorized)
                    .await
            }
            Kind::Refused => self.refuse(&charge).await,
            Kind::Other => return Ok(Notice::Irrelevant),
        };
        settled.map_err(|error| EventError::Gateway(error.into()))?;
        Ok(Notice::Charge(charge))
    }

    /// Declines a charge that waits for its shopper.
    async fn refuse(&self, key: &ChargeKey) -> Result<Written, StoreError> {
        let write = self
            .books
            .update(item_key(key), "SET #state = :declined, code = :code")
            .when("#state = :waiting")
            .name("#state", "state")
            .value(":waiting", &State::ActionRequired)?
            .value(":declined", &State::Declined)?
            .value(":code", &"authentication_failed")?;
        self.books.write(write).await
    }
}
