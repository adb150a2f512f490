//! Captures of what the sandbox gateway has authorised.

use super::Sandbox;
use super::booking::{Booking, MovementItem};
use super::books::{ChargeItem, item_key, lost};
use super::tokens::{Capturing, State};
use crate::aws::dynamo::{self, Attempt, Written};
use crate::payments::gateway::{Charge, GatewayError};
use crate::payments::model::ChargeKey;

impl Sandbox {
    /// Captures until `total` is captured in all; `last` releases the rest.
    pub(super) async fn capture_until(
        &self,
        key: &ChargeKey,
        total: u64,
        last: bool,
    ) -> Result<Charge, GatewayError> {
        let item = dynamo::change("the charge", || async {
            let Some(item) = self.find(key).await? else {
                return Ok::<_, GatewayError>(Attempt::Done(None));
            };
            if item.state != State::Authorized {
                return Ok(Attempt::Done(Some(item)));
            }
            let next = after(item.clone(), total, last);
            let written = if next == item {
                Written::Done
            } else {
                self.replace(key, &item, &next).await?
            };
            Ok(match written {
                Written::Done => Attempt::Done(Some(next)),
                Written::Refused(_) => Attempt::Overtaken,
            })
        })
        .await?;
        match item {
            None => Ok(Charge::NotFound),
            Some(item) if item.capturing == Some(Capturing::LosesResponses) => Err(lost()),
            Some(item) => item.state(),
        }
    }

    /// Releases what is not captured of the charge `item`, which is captured in part.
    pub(super) async fn release(
        &self,
        key: &ChargeKey,
        item: &ChargeItem,
    ) -> Result<Attempt<Charge>, GatewayError> {
        let next = ChargeItem {
            state: State::Captured,
            ..item.clone()
        };
        Ok(match self.replace(key, item, &next).await? {
            Written::Done => Attempt::Done(next.state()?),
            Written::Refused(_) => Attempt::Overtaken,
        })
    }

    /// Stores the state of `next`, and what is captured, if the charge is still as `item` has it. What is captured by it is a
    /// movement of its own.
    async fn replace(
        &self,
        key: &ChargeKey,
        item: &ChargeItem,
        next: &ChargeItem,
    ) -> Result<Written, GatewayError> {
        let same = match item.captured {
            Some(_) => "captured = :had",
            None => "attribute_not_exists(captured)",
        };
        let write = self
            .books
            .update(item_key(key), "SET #state = :to, captured = :has")
            .when(&format!("#state = :from AND {same}"))
            .name("#state", "state")
            .value(":from", &item.state)?
            .value(":to", &next.state)?
            .value(":has", &next.captured())?;
        let write = match item.captured {
            Some(had) => write.value(":had", &had)?,
            None => write,
        };
        let captured = next.captured().saturating_sub(item.captured());
        let Some(currency) = item.currency.filter(|_| captured > 0) else {
            return Ok(self.books.write(write).await?);
        };
        let charge_id = format!("{}:captured:{}", item.charge_id, next.captured());
        let moved = (captured, currency);
        let booking = Booking::charge(&charge_id, key, moved, item.keeps_fee);
        let movement = self.books.put(&MovementItem { charge_id, booking })?;
        Ok(self.books.transact(vec![write, movement]).await?)
    }
}

/// Returns the authorised charge `item` as it is once `total` is captured.
fn after(item: ChargeItem, total: u64, last: bool) -> ChargeItem {
    if item.capturing == Some(Capturing::Expired) {
        let state = if item.captured.is_some() {
            State::Captured
        } else {
            State::Voided
        };
        return ChargeItem { state, ..item };
    }
    let captured = total.min(item.amount).max(item.captured());
    let state = if last || captured == item.amount {
        State::Captured
    } else {
        State::Authorized
    };
    ChargeItem {
        state,
        captured: Some(captured),
        ..item
    }
}
