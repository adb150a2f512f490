//! The refunds of the sandbox gateway: one item for each, beside the charges.

use serde::{Deserialize, Serialize};

use super::booking::{BookedKind, Booking, MovementItem};
use super::books::{ChargeItem, item_key, refund_id};

use super::tokens::{Refunding, State};
use crate::aws::dynamo::{self, Attempt, Key, Table, Written};
use crate::payments::gateway::{GatewayError, RefundState};
use crate::payments::model::RefundKey;
use crate::values::money::Currency;

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
    /// That it took the amount, unless it failed.
    #[serde(flatten, skip_deserializing)]
    booking: Booking,
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
    Key::new("charge_id", refund_id(key))
}

/// Refunds `amount` of a captured charge, unless this refund is there.
pub(super) async fn begin(
    books: &Table,
    key: &RefundKey,
    amount: u64,
) -> Result<RefundState, GatewayError> {
    dynamo::change("the refund", || async {
        let stored: Option<RefundItem> = books.get(refund_key(key)).await?;
        if let Some(stored) = stored {
            return Ok(Attempt::Done(stored.state()));
        }
        let charge: Option<ChargeItem> = books.get(item_key(&key.charge)).await?;
        let charge = charge.filter(|charge| charge.state == State::Captured);
        let refunding = charge.as_ref().and_then(|charge| charge.refunding);
        let currency = charge.as_ref().and_then(|charge| charge.currency);
        let most = charge.and_then(|charge| {
            let most = charge.captured().checked_sub(amount);
            most.filter(|most| charge.refunded <= *most)
        });
        let refused = match (most, refunding) {
            (None, _) => Some("charge_already_refunded"),
            (Some(_), Some(Refunding::Fails)) => Some("expired_or_canceled_card"),
            (Some(_), _) => None,
        };
        let item = RefundItem {
            charge_id: refund_id(key),
            stage: match (refused, refunding) {
                (Some(_), _) => Stage::Failed,
                (None, Some(Refunding::Pending)) => Stage::Pending,
                (None, _) => Stage::Succeeded,
            },
            amount,
            code: refused.map(str::to_owned),
            booking: match (refused, currency) {
                (None, Some(currency)) => booking(BookedKind::Refund, key, (amount, currency)),
                _ => Booking::default(),
            },
        };
        let put = books.put(&item)?.when("attribute_not_exists(charge_id)");
        let written = match (refused, most) {
            (None, Some(most)) => {
                let take = books
                    .update(item_key(&key.charge), "SET refunded = refunded + :amount")
                    .when("refunded <= :most")
                    .value(":amount", &amount)?
                    .value(":most", &most)?;
                books.transact(vec![put, take]).await?
            }
            _ => books.write(put).await?,
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
pub(super) async fn find(books: &Table, key: &RefundKey) -> Result<RefundState, GatewayError> {
    let stored: Option<RefundItem> = books.get(refund_key(key)).await?;
    let Some(stored) = stored else {
        return Ok(RefundState::NotFound);
    };
    if stored.stage != Stage::Pending {
        return Ok(stored.state());
    }
    let succeed = books
        .update(refund_key(key), "SET stage = :succeeded")
        .value(":succeeded", &Stage::Succeeded)?;
    books.write(succeed).await?;
    Ok(RefundState::Succeeded)
}

/// Makes a refund fail that has succeeded: what it took is the shop's again. Any other refund stays as it is.
pub(super) async fn send_back(books: &Table, key: &RefundKey) -> Result<(), GatewayError> {
    let stored: Option<RefundItem> = books.get(refund_key(key)).await?;
    let Some(stored) = stored.filter(|stored| stored.stage == Stage::Succeeded) else {
        return Ok(());
    };
    let fail = books
        .update(refund_key(key), "SET stage = :failed, code = :code")
        .when("stage = :succeeded")
        .value(":failed", &Stage::Failed)?
        .value(":code", &"lost_or_stolen_card")?
        .value(":succeeded", &Stage::Succeeded)?;
    let give_back = books
        .update(item_key(&key.charge), "SET refunded = refunded - :amount")
        .when("refunded >= :amount")
        .value(":amount", &stored.amount)?;
    let charge: Option<ChargeItem> = books.get(item_key(&key.charge)).await?;
    let currency = charge.and_then(|charge| charge.currency);
    let currency = currency.ok_or_else(|| GatewayError::Unknown("the charge is gone".into()))?;
    let returned = books.put(&MovementItem {
        charge_id: returned_id(key),
        booking: booking(BookedKind::RefundReturned, key, (stored.amount, currency)),
    })?;
    // If another event was quicker, it has done this.
    let writes = vec![fail, give_back, returned];
    books.transact(writes).await.map(drop)?;
    Ok(())
}

fn returned_id(key: &RefundKey) -> String {
    format!("{}:returned", refund_id(key))
}

fn booking(kind: BookedKind, key: &RefundKey, amount: (u64, Currency)) -> Booking {
    let id = if kind == BookedKind::RefundReturned {
        returned_id(key)
    } else {
        refund_id(key)
    };
    Booking::new(&id, kind, &key.charge, Some(key.refund), amount)
}
