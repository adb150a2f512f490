//! The events of the sandbox, by which somebody plays the shopper's bank. An event is signed as Stripe's are, with a secret
//! that everybody knows: it protects nothing, because the sandbox moves no money.

use serde::Deserialize;

use super::books::item_key;
use super::tokens::State;
use super::{Sandbox, refunds};
use crate::aws::dynamo::{StoreError, Written};
use crate::payments::gateway::signature;
use crate::payments::gateway::{Charge, EventError, Gateway as _, GatewayError, Notice};
use crate::payments::model::disputes::DisputeStatus;
use crate::payments::model::{ChargeKey, RefundKey};
use crate::values::clock::Time;
use crate::values::id::RefundId;

/// The secret with which events of the sandbox are signed.
pub const SECRET: &str = "whsec_sandbox";

/// The longest identifier of a dispute.
const LONGEST_ID: usize = 64;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Kind,
    /// The charge, `<order>:<attempt>`.
    charge: String,
    /// The account of the charge, if it has a name.
    #[serde(default)]
    account: Option<String>,
    /// The dispute, if it is about one.
    #[serde(default)]
    dispute: Option<String>,
    /// The refund, if it is about one.
    #[serde(default)]
    refund: Option<RefundId>,
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
    /// The authorisation has expired before it was captured.
    #[serde(rename = "charge.expired")]
    Expired,
    /// The cardholder disputes the charge.
    #[serde(rename = "dispute.opened")]
    DisputeOpened,
    /// The bank has decided for the shop.
    #[serde(rename = "dispute.won")]
    DisputeWon,
    /// The bank has decided for the cardholder.
    #[serde(rename = "dispute.lost")]
    DisputeLost,
    /// A refund that had succeeded has come back.
    #[serde(rename = "refund.failed")]
    RefundFailed,
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
        signature::verify(signature.unwrap_or_default(), body, &[SECRET], now)?;
        let event: Event = serde_json::from_slice(body).map_err(EventError::malformed)?;
        let mut charge: ChargeKey = event.charge.parse().map_err(EventError::malformed)?;
        if let Some(account) = event.account {
            let gateway = format!("sandbox:{account}").parse();
            charge = charge.at(gateway.map_err(EventError::malformed)?);
        }
        // If the charge does not wait for this, nothing happens to it.
        let settled = match event.kind {
            Kind::Confirmed => {
                self.settle(&charge, State::ActionRequired, State::Authorized)
                    .await
            }
            Kind::Refused => self.refuse(&charge).await,
            Kind::Expired => {
                self.expire(&charge).await?;
                return Ok(Notice::Charge(charge));
            }
            Kind::DisputeOpened => {
                return self
                    .disputed(charge, event.dispute, DisputeStatus::Opened)
                    .await;
            }
            Kind::DisputeWon => {
                return self
                    .disputed(charge, event.dispute, DisputeStatus::Won)
                    .await;
            }
            Kind::DisputeLost => {
                return self
                    .disputed(charge, event.dispute, DisputeStatus::Lost)
                    .await;
            }
            Kind::RefundFailed => return self.refund_failed(charge, event.refund).await,
            Kind::Other => return Ok(Notice::Irrelevant),
        };
        settled.map_err(|error| EventError::Gateway(error.into()))?;
        Ok(Notice::Charge(charge))
    }

    /// Notes what became of a dispute of `charge`.
    async fn disputed(
        &self,
        charge: ChargeKey,
        id: Option<String>,
        status: DisputeStatus,
    ) -> Result<Notice, EventError> {
        let id = id.filter(|id| (1..=LONGEST_ID).contains(&id.len()));
        let id = id.ok_or_else(|| EventError::malformed("the event names no dispute"))?;
        self.dispute(&charge, &id, status).await?;
        Ok(Notice::Dispute { charge, id })
    }

    /// Notes that the bank of the shopper has sent the refund `id` of `charge` back.
    async fn refund_failed(
        &self,
        charge: ChargeKey,
        id: Option<RefundId>,
    ) -> Result<Notice, EventError> {
        let refund = id.ok_or_else(|| EventError::malformed("the event names no refund"))?;
        let key = RefundKey { charge, refund };
        refunds::send_back(&self.books, &key).await?;
        Ok(Notice::Refund(key))
    }

    /// Releases what is not captured of an authorised charge.
    async fn expire(&self, charge: &ChargeKey) -> Result<(), GatewayError> {
        match self.retrieve(charge).await? {
            Charge::Authorized { .. } | Charge::PartlyCaptured { .. } => {
                self.void(charge).await.map(drop)
            }
            Charge::NotFound
            | Charge::ActionRequired(_)
            | Charge::Captured { .. }
            | Charge::Refunded { .. }
            | Charge::Declined { .. }
            | Charge::Voided => Ok(()),
        }
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
