//! The sandbox gateway stands in for another company's system. It keeps its books in a table of its own, moves no
//! money, and decides by the payment's token:
//!
//! | token | outcome |
//! |---|---|
//! | `tok_ok` | captured |
//! | `tok_declined` | declined, `declined` |
//! | `tok_insufficient_funds` | declined, `insufficient_funds` |
//! | `tok_requires_action` | declined, `requires_action` |
//! | `tok_unknown` | captured, but every response to charging is lost; retrieve the charge to see it |
//! | `tok_capture_later` | authorised by the first charge, captured by the second |
//! | `tok_refund_pending` | captured; a refund is pending until it is retrieved, and succeeds then |
//! | `tok_refund_fails` | captured; refunds fail, `expired_or_canceled_card` |
//! | `tok_refund_unknown` | captured; refunds succeed, but every response to refunding is lost |
//! | any other | declined, `invalid_token` |

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::money::{Currency, Money};

use super::{Charge, Gateway, GatewayError, RefundState};
use crate::payments::model::{ChargeKey, Provider, RefundKey};
use refunds::Refunding;

mod refunds;

/// The sandbox gateway.
#[derive(Clone, Debug)]
pub struct Sandbox {
    books: Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Authorized,
    Captured,
    Declined,
    Voided,
}

/// A charge as stored; amounts are in the currency's smallest unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ChargeItem {
    charge_id: String,
    state: State,
    /// Absent for a key that was voided before it was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    amount: u64,
    refunded: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Whether responses to charging are lost.
    #[serde(rename = "answers_lost")]
    loses_responses: bool,
    /// What happens to refunds; absent if they succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunding: Option<Refunding>,
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
    fn new(key: &ChargeKey, amount: Money, token: &str) -> Result<Self, GatewayError> {
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
    fn voided_unseen(key: &ChargeKey) -> Self {
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
    fn state(&self) -> Result<Charge, GatewayError> {
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

impl Sandbox {
    /// Creates the sandbox, whose books are in the table that the setting `SANDBOX_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            books: Table::new(aws, Setting::SandboxTable)?,
        })
    }

    async fn find(&self, key: &ChargeKey) -> Result<Option<ChargeItem>, StoreError> {
        self.books.get(item_key(key)).await
    }

    /// Stores `item` unless its key has a charge.
    async fn create(&self, item: &ChargeItem) -> Result<Written, StoreError> {
        let write = self.books.put(item)?;
        self.books
            .write(write.when("attribute_not_exists(charge_id)"))
            .await
    }

    /// Changes an authorised charge to `state`.
    async fn settle(&self, key: &ChargeKey, state: State) -> Result<Written, StoreError> {
        let write = self
            .books
            .update(item_key(key), "SET #state = :state")
            .when("#state = :authorized")
            .name("#state", "state")
            .value(":state", &state)?
            .value(":authorized", &State::Authorized)?;
        self.books.write(write).await
    }
}

/// Returns the amount in the currency's smallest unit. A negative amount is not booked.
fn minor_units(amount: Money) -> Result<u64, GatewayError> {
    let units = amount.minor_units();
    units.ok_or_else(|| GatewayError::Unknown("the amount is negative".into()))
}

fn item_key(key: &ChargeKey) -> Key {
    Key::new("charge_id", key)
}

impl Gateway for Sandbox {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    async fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        let item = dynamo::change("the charge", || async {
            // Most charges are new, so they are stored without being read first.
            let new = ChargeItem::new(key, amount, token)?;
            if self.create(&new).await? == Written::Done {
                return Ok::<_, GatewayError>(Attempt::Done(new));
            }
            Ok(match self.find(key).await? {
                None => Attempt::Overtaken,
                Some(item) if item.state == State::Authorized => {
                    match self.settle(key, State::Captured).await? {
                        Written::Done => Attempt::Done(ChargeItem {
                            state: State::Captured,
                            ..item
                        }),
                        Written::Refused(_) => Attempt::Overtaken,
                    }
                }
                Some(item) => Attempt::Done(item),
            })
        })
        .await?;
        if item.loses_responses {
            return Err(GatewayError::Unknown(
                "the token asks for a lost response".into(),
            ));
        }
        match item.state {
            State::Voided => Ok(Charge::Declined {
                code: "voided".to_owned(),
            }),
            State::Authorized | State::Captured | State::Declined => item.state(),
        }
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        let found = self.find(key).await?;
        found.map_or(Ok(Charge::NotFound), |item| item.state())
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        dynamo::change("the charge", || async {
            let written = match self.find(key).await? {
                None => self.create(&ChargeItem::voided_unseen(key)).await?,
                Some(item) if item.state == State::Authorized => {
                    self.settle(key, State::Voided).await?
                }
                Some(item) => return item.state().map(Attempt::Done),
            };
            Ok(match written {
                Written::Done => Attempt::Done(Charge::Voided),
                Written::Refused(_) => Attempt::Overtaken,
            })
        })
        .await
    }

    async fn refund(&self, key: &RefundKey, amount: Money) -> Result<RefundState, GatewayError> {
        self.begin_refund(key, minor_units(amount)?).await
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        self.find_refund(key).await
    }
}

#[cfg(test)]
mod tests;
