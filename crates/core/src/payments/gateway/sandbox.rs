//! The sandbox gateway stands in for another company's system. It keeps its books in a table of its own, moves no
//! money, and decides by the payment's token:
//!
//! | token | outcome |
//! |---|---|
//! | `tok_ok` | captured |
//! | `tok_declined` | declined, `declined` |
//! | `tok_insufficient_funds` | declined, `insufficient_funds` |
//! | `tok_requires_action` | requires an action |
//! | `tok_unknown` | captured, but every response to charging is lost; retrieve the charge to see it |
//! | `tok_capture_later` | authorised by the first charge, captured by the second |
//! | `tok_capture_unknown` | captured; but if it is authorised first, every response to capturing is lost |
//! | `tok_authorization_expires` | captured; but if it is authorised first, capturing finds it voided |
//! | `tok_refund_pending` | captured; a refund is pending until it is retrieved, and succeeds then |
//! | `tok_refund_fails` | captured; refunds fail, `expired_or_canceled_card` |
//! | `tok_refund_unknown` | captured; refunds succeed, but every response to refunding is lost |
//! | `pm_card_visa`, `pm_card_mastercard`, `pm_card_amex`, `pm_card_pendingRefund`, `pm_card_refundFail` | captured, as Stripe documents them |
//! | `pm_card_authenticationRequired` | requires an action |
//! | `pm_card_visa_chargeDeclined` and six others | declined, with Stripe's code |
//! | `tok_busy_at_NAME` | refused as busy by the account `NAME`, captured by others |
//! | any other | declined, `invalid_token` |
//!
//! Its [`events`] play the shopper's bank.

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::money::Money;

use super::routing::routes::Routes;
use super::{Charge, EventError, Gateway, GatewayError, Notice, RefundState};
use crate::payments::model::disputes::Dispute;
use crate::payments::model::{ChargeKey, Provider, RefundKey};
use books::{ChargeItem, item_key, minor_units};
use tokens::{Behaviour, State, behaviour, is_busy};

mod booking;
mod books;
mod captures;
mod disputes;
pub mod events;
mod refunds;
mod statement;
mod tokens;

/// The sandbox gateway.
#[derive(Clone, Debug)]
pub struct Sandbox {
    books: Table,
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

    /// Returns the charge with `key`, and whether this call created it.
    async fn begin(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
        behaviour: Behaviour,
    ) -> Result<(ChargeItem, bool), GatewayError> {
        if is_busy(token, key.account()) {
            return Err(GatewayError::Busy("the token asks for it".into()));
        }
        // Most charges are new, so they are stored without being read first.
        let new = ChargeItem::new(key, amount, behaviour)?;
        if self.create(&new).await? == Written::Done {
            return Ok((new, true));
        }
        // A charge is never deleted.
        let found = self.find(key).await?;
        let found = found.ok_or_else(|| GatewayError::Unknown("the charge is missing".into()))?;
        Ok((found, false))
    }

    /// Captures an authorised charge.
    async fn capture_all(
        &self,
        key: &ChargeKey,
        amount: Money,
        keeps_fee: bool,
    ) -> Result<Written, GatewayError> {
        let booking = books::captured(key, amount, keeps_fee)?;
        let write = self
            .books
            .update(
                item_key(key),
                &format!("SET #state = :captured{}", booking.clause()),
            )
            .when("#state = :authorised")
            .name("#state", "state")
            .value(":authorised", &State::Authorized)?
            .value(":captured", &State::Captured)?;
        Ok(self.books.write(booking.filled_in(write)?).await?)
    }

    /// Changes a charge, of which nothing is captured, from one state to another.
    async fn settle(&self, key: &ChargeKey, from: State, to: State) -> Result<Written, StoreError> {
        let write = self
            .books
            .update(item_key(key), "SET #state = :to")
            .when("#state = :from AND attribute_not_exists(captured)")
            .name("#state", "state")
            .value(":from", &from)?
            .value(":to", &to)?;
        self.books.write(write).await
    }
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
            let (item, is_new) = self.begin(key, amount, token, behaviour(token)).await?;
            if is_new || item.state != State::Authorized {
                return Ok::<_, GatewayError>(Attempt::Done(item));
            }
            Ok(match self.capture_all(key, amount, item.keeps_fee).await? {
                Written::Done => Attempt::Done(ChargeItem {
                    state: State::Captured,
                    ..item
                }),
                Written::Refused(_) => Attempt::Overtaken,
            })
        })
        .await?;
        item.answer()
    }

    async fn authorize(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        let behaviour = behaviour(token).authorized();
        let (item, _) = self.begin(key, amount, token, behaviour).await?;
        item.answer()
    }

    async fn capture(
        &self,
        key: &ChargeKey,
        total: Money,
        last: bool,
    ) -> Result<Charge, GatewayError> {
        self.capture_until(key, minor_units(total)?, last).await
    }

    fn captures_in_parts(&self) -> bool {
        true
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        let found = self.find(key).await?;
        found.map_or(Ok(Charge::NotFound), |item| item.state())
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        dynamo::change("the charge", || async {
            let written = match self.find(key).await? {
                None => self.create(&ChargeItem::voided_unseen(key)).await?,
                Some(item) if item.captured.is_some() && item.state == State::Authorized => {
                    return self.release(key, &item).await;
                }
                Some(item) if item.state.is_open() => {
                    self.settle(key, item.state, State::Voided).await?
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
        refunds::begin(&self.books, key, minor_units(amount)?).await
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        refunds::find(&self.books, key).await
    }

    async fn retrieve_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        self.find_dispute(key, id).await
    }

    async fn take_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        self.played_notice(signature, body, now).await
    }
}

impl Routes for Sandbox {}

#[cfg(test)]
mod tests;
