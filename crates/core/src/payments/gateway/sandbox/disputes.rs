//! Disputes in the books of the sandbox, which its events open and decide.

use serde::{Deserialize, Serialize};

use super::Sandbox;
use super::booking::{BookedKind, Booking, MovementItem};
use super::books::{in_account, minor_units};
use crate::aws::dynamo::Key;
use crate::payments::gateway::{Charge, Gateway as _, GatewayError};
use crate::payments::model::ChargeKey;
use crate::payments::model::disputes::{Dispute, DisputeStatus};
use crate::values::money::{Currency, Money};

/// A dispute as stored; the amount is in the currency's smallest unit.
#[derive(Serialize, Deserialize)]
struct DisputeItem {
    /// `<charge>:<dispute>`, in the key attribute of charges.
    charge_id: String,
    status: DisputeStatus,
    currency: Currency,
    amount: u64,
    reason: String,
}

impl Sandbox {
    /// Gives the dispute `id` of a captured charge this status. It is about all that was captured when it began.
    pub(super) async fn dispute(
        &self,
        charge: &ChargeKey,
        id: &str,
        status: DisputeStatus,
    ) -> Result<(), GatewayError> {
        let (Charge::Captured { amount }
        | Charge::PartlyCaptured {
            captured: amount, ..
        }
        | Charge::Refunded {
            captured: amount, ..
        }) = self.retrieve(charge).await?
        else {
            return Ok(());
        };
        let before = self.find_dispute(charge, id).await?;
        let amount = before.as_ref().map_or(amount, |dispute| dispute.amount);
        let item = DisputeItem {
            charge_id: dispute_id(charge, id),
            status,
            currency: amount.currency(),
            amount: minor_units(amount)?,
            reason: "fraudulent".to_owned(),
        };
        let took = before.is_some_and(|dispute| dispute.status.takes());
        let kind = match (took, status.takes()) {
            (false, true) => Some(BookedKind::Dispute),
            (true, false) => Some(BookedKind::DisputeWon),
            (true, true) | (false, false) => None,
        };
        self.books.write(self.books.put(&item)?).await?;
        if let Some(kind) = kind {
            let id = format!("{}:{}", dispute_id(charge, id), status.as_str());
            let units = (minor_units(amount)?, amount.currency());
            let booking = Booking::new(&id, kind, charge, None, units);
            let charge_id = id;
            let moved = MovementItem { charge_id, booking };
            self.books.write(self.books.put(&moved)?).await?;
        }
        Ok(())
    }

    /// Returns the dispute `id` of a charge.
    pub(super) async fn find_dispute(
        &self,
        charge: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        let found: Option<DisputeItem> = self.books.get(dispute_key(charge, id)).await?;
        let Some(item) = found else {
            return Ok(None);
        };
        let amount = Money::from_minor_units(item.amount, item.currency);
        Ok(Some(Dispute {
            status: item.status,
            amount: amount.map_err(|error| GatewayError::Unknown(error.into()))?,
            reason: item.reason,
        }))
    }
}

fn dispute_key(charge: &ChargeKey, id: &str) -> Key {
    Key::new("charge_id", dispute_id(charge, id))
}

/// Returns the dispute's identifier in the books of the charge's account.
fn dispute_id(charge: &ChargeKey, id: &str) -> String {
    in_account(format!("{charge}:{id}"), charge)
}
