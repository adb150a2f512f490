//! The sandbox gateway: another company's system, as far as the shop can tell. It keeps its own
//! books in a table of its own, moves no money, and decides by the payment's token:
//!
//! | token | what happens |
//! |---|---|
//! | `tok_ok` | captured |
//! | `tok_declined` | declined, `declined` |
//! | `tok_insufficient_funds` | declined, `insufficient_funds` |
//! | `tok_requires_action` | declined, `requires_action` |
//! | `tok_unknown` | captured, but the answer is lost, and lost again when asked to charge again; only retrieving tells |
//! | `tok_capture_later` | only authorised; captured when asked to charge again |
//! | any other | declined, `invalid_token` |

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::money::{Currency, Money};

use super::{Charge, Gateway, GatewayError};
use crate::payments::model::{ChargeKey, Provider};

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

/// A charge as the books hold it; amounts in the currency's smallest unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ChargeItem {
    charge_id: String,
    state: State,
    /// Nothing for a charge that was voided before it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    amount: u64,
    refunded: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Whether answers to charging get lost.
    answers_lost: bool,
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
    /// What the first call with `token` makes of a charge.
    fn opened(key: &ChargeKey, amount: Money, token: &str) -> Self {
        let (state, code) = match token {
            "tok_ok" | "tok_unknown" => (State::Captured, None),
            "tok_capture_later" => (State::Authorized, None),
            "tok_declined" => (State::Declined, Some("declined")),
            "tok_insufficient_funds" => (State::Declined, Some("insufficient_funds")),
            "tok_requires_action" => (State::Declined, Some("requires_action")),
            _ => (State::Declined, Some("invalid_token")),
        };
        Self {
            charge_id: key.to_string(),
            state,
            currency: Some(amount.currency()),
            amount: amount.minor_units().unwrap_or(0),
            refunded: 0,
            code: code.map(str::to_owned),
            answers_lost: token == "tok_unknown",
        }
    }

    /// The end of a charge that never came.
    fn tombstone(key: &ChargeKey) -> Self {
        Self {
            charge_id: key.to_string(),
            state: State::Voided,
            currency: None,
            amount: 0,
            refunded: 0,
            code: None,
            answers_lost: false,
        }
    }

    /// Where the charge is.
    fn charge(&self) -> Result<Charge, GatewayError> {
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
    /// The sandbox whose books are in the table `SANDBOX_TABLE`.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            books: Table::new(aws, Setting::SandboxTable)?,
        })
    }

    async fn find(&self, key: &ChargeKey) -> Result<Option<ChargeItem>, StoreError> {
        self.books.get(place(key)).await
    }

    /// Stores `item` if the key has none yet.
    async fn open(&self, item: &ChargeItem) -> Result<Written, StoreError> {
        let write = self.books.put(item)?;
        self.books
            .write(write.when("attribute_not_exists(charge_id)"))
            .await
    }

    /// Brings an authorised charge to `state`.
    async fn settle(&self, key: &ChargeKey, state: State) -> Result<Written, StoreError> {
        let write = self
            .books
            .update(place(key), "SET #state = :state")
            .when("#state = :authorized")
            .name("#state", "state")
            .value(":state", &state)?
            .value(":authorized", &State::Authorized)?;
        self.books.write(write).await
    }
}

fn place(key: &ChargeKey) -> Key {
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
            // Most charges are new: they are stored without being read first.
            let opened = ChargeItem::opened(key, amount, token);
            if self.open(&opened).await? == Written::Done {
                return Ok::<_, GatewayError>(Attempt::Done(opened));
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
        if item.answers_lost {
            return Err(GatewayError::Unknown("the token asks to lose it".into()));
        }
        match item.state {
            State::Voided => Ok(Charge::Declined {
                code: "voided".to_owned(),
            }),
            State::Authorized | State::Captured | State::Declined => item.charge(),
        }
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        let found = self.find(key).await?;
        found.map_or(Ok(Charge::NotFound), |item| item.charge())
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        dynamo::change("the charge", || async {
            let written = match self.find(key).await? {
                None => self.open(&ChargeItem::tombstone(key)).await?,
                Some(item) if item.state == State::Authorized => {
                    self.settle(key, State::Voided).await?
                }
                Some(item) => return item.charge().map(Attempt::Done),
            };
            Ok(match written {
                Written::Done => Attempt::Done(Charge::Voided),
                Written::Refused(_) => Attempt::Overtaken,
            })
        })
        .await
    }

    async fn refund(&self, key: &ChargeKey, total: Money) -> Result<Charge, GatewayError> {
        let total = total.minor_units().unwrap_or(0);
        let write = self
            .books
            .update(place(key), "SET refunded = :total")
            .when("#state = :captured AND amount >= :total AND refunded < :total")
            .name("#state", "state")
            .value(":captured", &State::Captured)?
            .value(":total", &total)?;
        // Refused: nothing is captured, not so much, or it was given back before. The books tell.
        self.books.write(write).await?;
        self.retrieve(key).await
    }
}

#[cfg(test)]
mod tests;
