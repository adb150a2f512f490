//! The charges in the books of the sandbox gateway.

use serde::{Deserialize, Serialize};

use super::booking::Booking;
use super::tokens::{Behaviour, Capturing, Refunding, State};
use crate::aws::dynamo::{Key, StoreError};
use crate::payments::gateway::{Charge, GatewayError};
use crate::payments::model::{Action, ChargeKey, RefundKey};
use crate::values::money::{Currency, Money};

/// The address of the sandbox's bank, up to the charge's key. There is nothing at it: what the shopper does there is told to
/// the shop as the gateway's event.
const BANK: &str = "https://bank.example/confirm?charge=";

/// A charge as stored; amounts are in the currency's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChargeItem {
    pub(super) charge_id: String,
    pub(super) state: State,
    /// Absent for a key that was voided before it was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<Currency>,
    pub(super) amount: u64,
    /// Absent unless it is captured in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) captured: Option<u64>,
    pub(super) refunded: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Whether responses to charging are lost.
    #[serde(rename = "answers_lost")]
    pub(super) loses_responses: bool,
    /// What happens to a capture of its own; absent if it succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) capturing: Option<Capturing>,
    /// What happens to refunds; absent if they succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refunding: Option<Refunding>,
    /// Whether a fee is kept of what is captured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) keeps_fee: bool,
    /// That it was captured; only statements read it.
    #[serde(flatten, skip_deserializing)]
    pub(super) booking: Booking,
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
    /// Returns the charge that the first call creates.
    pub(super) fn new(
        key: &ChargeKey,
        amount: Money,
        behaviour: Behaviour,
    ) -> Result<Self, GatewayError> {
        Ok(Self {
            charge_id: charge_id(key),
            state: behaviour.state,
            currency: Some(amount.currency()),
            amount: minor_units(amount)?,
            captured: None,
            refunded: 0,
            code: behaviour.code.map(str::to_owned),
            loses_responses: behaviour.loses_responses,
            capturing: behaviour.capturing,
            refunding: behaviour.refunding,
            keeps_fee: behaviour.keeps_fee,
            booking: if behaviour.state == State::Captured {
                captured(key, amount, behaviour.keeps_fee)?
            } else {
                Booking::default()
            },
        })
    }

    /// Returns the voided charge of a key that was never charged.
    pub(super) fn voided_unseen(key: &ChargeKey) -> Self {
        Self {
            charge_id: charge_id(key),
            state: State::Voided,
            currency: None,
            amount: 0,
            captured: None,
            refunded: 0,
            code: None,
            loses_responses: false,
            capturing: None,
            refunding: None,
            keeps_fee: false,
            booking: Booking::default(),
        }
    }

    /// Returns the state of the charge.
    pub(super) fn state(&self) -> Result<Charge, GatewayError> {
        Ok(match self.state {
            State::ActionRequired => Charge::ActionRequired(Action::Redirect {
                url: format!("{BANK}{}", self.charge_id),
            }),
            State::Authorized if self.captured.is_some() => Charge::PartlyCaptured {
                authorized: self.money(self.amount)?,
                captured: self.money(self.captured())?,
            },
            State::Authorized => Charge::Authorized {
                amount: self.money(self.amount)?,
            },
            State::Captured if self.refunded > 0 => Charge::Refunded {
                captured: self.money(self.captured())?,
                refunded: self.money(self.refunded)?,
            },
            State::Captured => Charge::Captured {
                amount: self.money(self.captured())?,
            },
            State::Declined => Charge::Declined {
                code: self.code.clone().unwrap_or_default(),
            },
            State::Voided => Charge::Voided,
        })
    }

    /// Returns what charging it or capturing it answers.
    pub(super) fn answer(&self) -> Result<Charge, GatewayError> {
        if self.loses_responses {
            return Err(lost());
        }
        match self.state {
            State::Voided => Ok(Charge::Declined {
                code: "voided".to_owned(),
            }),
            State::ActionRequired | State::Authorized | State::Captured | State::Declined => {
                self.state()
            }
        }
    }

    /// Returns what is captured.
    pub(super) fn captured(&self) -> u64 {
        match self.state {
            State::Captured => self.captured.unwrap_or(self.amount),
            State::ActionRequired | State::Authorized | State::Declined | State::Voided => {
                self.captured.unwrap_or(0)
            }
        }
    }

    fn money(&self, units: u64) -> Result<Money, GatewayError> {
        let currency = self
            .currency
            .ok_or_else(|| GatewayError::Unknown("the books lack the currency".into()))?;
        Money::from_minor_units(units, currency)
            .map_err(|error| GatewayError::Unknown(error.into()))
    }
}

/// Returns the error of a response that the token asks to be lost.
pub(super) fn lost() -> GatewayError {
    GatewayError::Unknown("the token asks for a lost response".into())
}

/// Returns the amount in the currency's smallest unit. A negative amount is not booked.
pub(super) fn minor_units(amount: Money) -> Result<u64, GatewayError> {
    let units = amount.minor_units();
    units.ok_or_else(|| GatewayError::Unknown("the amount is negative".into()))
}

/// Returns what says that the charge is captured.
pub(super) fn captured(
    key: &ChargeKey,
    amount: Money,
    keeps_fee: bool,
) -> Result<Booking, GatewayError> {
    let amount = (minor_units(amount)?, amount.currency());
    let id = charge_id(key);
    Ok(Booking::charge(&id, key, amount, keeps_fee))
}

/// Returns the charge's identifier. Each account has books of its own, `<order>:<attempt>@<account>`.
fn charge_id(key: &ChargeKey) -> String {
    in_account(key.to_string(), key)
}

/// Returns the refund's identifier, in the same books.
pub(super) fn refund_id(key: &RefundKey) -> String {
    in_account(key.to_string(), &key.charge)
}

pub(super) fn in_account(id: String, key: &ChargeKey) -> String {
    match key.account() {
        Some(account) => format!("{id}@{account}"),
        None => id,
    }
}

pub(super) fn item_key(key: &ChargeKey) -> Key {
    Key::new("charge_id", charge_id(key))
}
