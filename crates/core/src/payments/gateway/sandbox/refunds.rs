//! The refunds of the sandbox gateway: one item for each, beside the charges.

use serde::{Deserialize, Serialize};

use super::super::{GatewayError, RefundState};
use super::{Sandbox, State, item_key};
use crate::aws::dynamo::{self, Attempt, Key, Written};
use crate::payments::model::RefundKey;

/// What happens to the refunds of a charge, if they do not just succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refunding {
    /// They are pending until they are retrieved.
    Pending,
    /// They fail.
    Fails,
    /// They succeed, and the response is lost.
    LosesResponses,
}

impl Refunding {
    /// Returns what `token` asks for.
    pub(super) fn of(token: &str) -> Option<Self> {
        match token {
            "tok_refund_pending" => Some(Self::Pending),
            "tok_refund_fails" => Some(Self::Fails),
            "tok_refund_unknown" => Some(Self::LosesResponses),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Pending,
    Succeeded,
    Failed,
}

/// A refund as stored; the amount is in the currency's smallest unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RefundItem {
    /// The refund's key, in the key attribute of charges.
    charge_id: String,
    stage: Stage,
    amount: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl RefundItem {
    fn state(self) -> RefundState {
        match self.stage {
            Stage::Pending => RefundState::Pending,
            Stage::Succeeded => RefundState::Succeeded,
            Stage::Failed => RefundState::Failed {
                code: self.code.unwrap_or_default(),
            },
        }
    }
}

fn refund_key(key: &RefundKey) -> Key {
    Key::new("charge_id", key)
}

impl Sandbox {
    /// Refunds `amount` of a captured charge, unless this refund is there.
    pub(super) async fn begin_refund(
        &self,
        key: &RefundKey,
        amount: u64,
    ) -> Result<RefundState, GatewayError> {
        dynamo::change("the refund", || async {
            let stored: Option<RefundItem> = self.books.get(refund_key(key)).await?;
            if let Some(stored) = stored {
                return Ok(Attempt::Done(stored.state()));
            }
            let charge = self.find(&key.charge).await?;
            let charge = charge.filter(|charge| charge.state == State::Captured);
            let refunding = charge.as_ref().and_then(|charge| charge.refunding);
            let most = charge.and_then(|charge| {
                let most = charge.amount.checked_sub(amount);
                most.filter(|most| charge.refunded <= *most)
            });
            let refused = match (most, refunding) {
                (None, _) => Some("charge_already_refunded"),
                (Some(_), Some(Refunding::Fails)) => Some("expired_or_canceled_card"),
                (Some(_), _) => None,
            };
            let item = RefundItem {
                charge_id: key.to_string(),
                stage: match (refused, refunding) {
                    (Some(_), _) => Stage::Failed,
                    (None, Some(Refunding::Pending)) => Stage::Pending,
                    (None, _) => Stage::Succeeded,
                },
                amount,
                code: refused.map(str::to_owned),
            };
            let put = self
                .books
                .put(&item)?
                .when("attribute_not_exists(charge_id)");
            let written = match (refused, most) {
                (None, Some(most)) => {
                    let take = self
                        .books
                        .update(item_key(&key.charge), "SET refunded = refunded + :amount")
                        .when("refunded <= :most")
                        .value(":amount", &amount)?
                        .value(":most", &most)?;
                    self.books.transact(vec![put, take]).await?
                }
                _ => self.books.write(put).await?,
            };
            match written {
                Written::Done if refunding == Some(Refunding::LosesResponses) => Err(
                    GatewayError::Unknown("the token asks for a lost response".into()),
                ),
                Written::Done => Ok(Attempt::Done(item.state())),
                Written::Refused(_) => Ok(Attempt::Overtaken),
            }
        })
        .await
    }

    /// Returns the state of a refund. A pending one succeeds.
    pub(super) async fn find_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        let stored: Option<RefundItem> = self.books.get(refund_key(key)).await?;
        let Some(stored) = stored else {
            return Ok(RefundState::NotFound);
        };
        if stored.stage != Stage::Pending {
            return Ok(stored.state());
        }
        let succeed = self
            .books
            .update(refund_key(key), "SET stage = :succeeded")
            .value(":succeeded", &Stage::Succeeded)?;
        self.books.write(succeed).await?;
        Ok(RefundState::Succeeded)
    }
}
