//! The charges in the books of the sandbox gateway.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{Key, StoreError};
use crate::payments::gateway::{Charge, GatewayError};
use crate::payments::model::ChargeKey;
use crate::values::money::{Currency, Money};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Authorized,
    Captured,
    Declined,
    Voided,
}

/// A charge as stored; amounts are in the currency's smallest unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ChargeItem {
    pub(super) charge_id: String,
    pub(super) state: State,
    /// Absent for a key that was voided before it was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<Currency>,
    pub(super) amount: u64,
    pub(super) refunded: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Whether responses to charging are lost.
    #[serde(rename = "answers_lost")]
    pub(super) loses_responses: bool,
    /// What happens to refunds; absent if they succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refunding: Option<Refunding>,
}

impl From<StoreError> for GatewayError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(_) => Self::Busy(error.into()),
            StoreError::Failed(_) | StoreError::Shape(_) => Self::Unknown(error.into()),
        }
    }
}

impl ChargeItem {
    /// Returns the charge that the first call with `token` creates.
    pub(super) fn new(key: &ChargeKey, amount: Money, token: &str) -> Result<Self, GatewayError> {
        let (state, code) = match token {
            "tok_ok" | "tok_unknown" | "tok_refund_pending" | "tok_refund_fails"
            | "tok_refund_unknown" => (State::Captured, None),
            "tok_capture_later" => (State::Authorized, None),
            "tok_declined" => (State::Declined, Some("declined")),
            "tok_insufficient_funds" => (State::Declined, Some("insufficient_funds")),
            "tok_requires_action" => (State::Declined, Some("requires_action")),
            _ => (State::Declined, Some("invalid_token")),
        };
        Ok(Self {
            charge_id: key.to_string(),
            state,
            currency: Some(amount.currency()),
            amount: minor_units(amount)?,
            refunded: 0,
            code: code.map(str::to_owned),
            loses_responses: token == "tok_unknown",
            refunding: Refunding::of(token),
        })
    }

    /// Returns the voided charge of a key that was never charged.
    pub(super) fn voided_unseen(key: &ChargeKey) -> Self {
        Self {
            charge_id: key.to_string(),
            state: State::Voided,
            currency: None,
            amount: 0,
            refunded: 0,
            code: None,
            loses_responses: false,
            refunding: None,
        }
    }

    /// Returns the state of the charge.
    pub(super) fn state(&self) -> Result<Charge, GatewayError> {
        Ok(match self.state {
            State::Authorized => Charge::Authorized {
                amount: self.money(self.amount)?,
            },
            State::Captured if self.refunded > 0 => Charge::Refunded {
                captured: self.money(self.amount)?,
                refunded: self.money(self.refunded)?,
            },
            State::Captured => Charge::Captured {
                amount: self.money(self.amount)?,
            },
            State::Declined => Charge::Declined {
                code: self.code.clone().unwrap_or_default(),
            },
            State::Voided => Charge::Voided,
        })
    }

    fn money(&self, units: u64) -> Result<Money, GatewayError> {
        let currency = self
            .currency
            .ok_or_else(|| GatewayError::Unknown("the books lack the currency".into()))?;
        Money::from_minor_units(units, currency)
            .map_err(|error| GatewayError::Unknown(error.into()))
    }
}

/// Returns the amount in the currency's smallest unit. A negative amount is not booked.
pub(super) fn minor_units(amount: Money) -> Result<u64, GatewayError> {
    let units = amount.minor_units();
    units.ok_or_else(|| GatewayError::Unknown("the amount is negative".into()))
}

pub(super) fn item_key(key: &ChargeKey) -> Key {
    Key::new("charge_id", key)
}

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
