//! Payments in DynamoDB: one item each, keyed by the payment's id, which follows from the order's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, PaymentId, RefundId};
use crate::values::money::{Currency, Money};

use super::model::disputes::{Dispute, DisputeStatus, Disputes};
use super::model::gift_cards::GiftCardPart;
use super::model::{Action, Amounts, CaptureTime, Change, Payment, Retry, Units};

mod captures;
mod moves;
mod refunded;
mod returns;

/// The version of the shape of [`PaymentItem`]. Code that reads version 1 must be able to read later ones. An item keeps
/// the version with which it was stored first: since version 2, all that happens to a payment is in the ledger.
const SCHEMA: u32 = 2;
const FIRST_IN_LEDGER: u32 = 2;

/// The payments table.
#[derive(Clone, Debug)]
pub struct PaymentStore {
    table: Table,
}

/// A payment as stored: amounts as numbers in the currency's smallest unit, so that write conditions
/// can compare them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PaymentItem {
    pub(super) payment_id: PaymentId,
    pub(super) order_id: OrderId,
    pub(super) status: String,
    gateway: String,
    /// Set to true while the current attempt is given up, absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaving: Option<bool>,
    currency: Currency,
    pub(super) amount: u64,
    authorized: u64,
    captured: u64,
    pub(super) refunded: u64,
    /// Set to true if it is captured at shipment, absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_shipment: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorized_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    captures: Vec<captures::CaptureItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capturing: Option<captures::CaptureItem>,
    /// [`captures::DUE`] while it has a `due_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
    /// Absent while refunds have taken no more than what is refunded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunding: Option<u64>,
    /// What gift cards pay, what refunds take of it, and what they have returned; absent without gift cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gift_cards: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gift_cards_refunding: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gift_cards_refunded: Option<u64>,
    /// What open and lost disputes have taken; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disputed: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<String, DisputeItem>,
    /// The dispute that the last event is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_dispute: Option<String>,
    #[serde(default, skip_serializing_if = "Units::is_empty")]
    refunded_units: Units,
    #[serde(default, skip_serializing_if = "Units::is_empty")]
    pub(super) restocked: Units,
    /// The refund that the last event is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_refund: Option<LastRefund>,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_action: Option<Action>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt_token: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retries: Vec<Retry>,
    /// Set to true once voiding has begun, absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    void_requested: Option<bool>,
    /// Set to true once a refund came back after voiding, absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reopened: Option<bool>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<Stamp>,
}

/// A dispute as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DisputeItem {
    pub(super) status: DisputeStatus,
    pub(super) amount: u64,
    pub(super) reason: String,
}

/// The refund that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastRefund {
    pub(super) refund_id: RefundId,
    pub(super) amount: u64,
}

fn unreadable(error: impl std::fmt::Display) -> serde_dynamo::Error {
    serde::de::Error::custom(error)
}

fn minor_units(money: Money) -> Result<u64, serde_dynamo::Error> {
    let units = money.minor_units();
    units.ok_or_else(|| unreadable("an amount is less than zero"))
}

fn stored_disputes(
    disputes: &Disputes,
) -> Result<BTreeMap<String, DisputeItem>, serde_dynamo::Error> {
    let items = disputes.iter().map(|(id, dispute)| {
        let item = DisputeItem {
            status: dispute.status,
            amount: minor_units(dispute.amount)?,
            reason: dispute.reason.clone(),
        };
        Ok((id.clone(), item))
    });
    items.collect()
}

impl PaymentItem {
    fn new(payment: &Payment, event: Option<Stamp>) -> Result<Self, serde_dynamo::Error> {
        let part = payment.gift_cards;
        let of_part = |money| {
            let units = minor_units(money)?;
            Ok::<_, serde_dynamo::Error>(part.amount.is_positive().then_some(units))
        };
        Ok(Self {
            gift_cards: of_part(part.amount)?,
            gift_cards_refunding: of_part(part.refunding)?,
            gift_cards_refunded: of_part(part.refunded)?,
            payment_id: payment.id,
            order_id: payment.order_id,
            status: payment.status.as_str().to_owned(),
            gateway: payment.gateway.to_string(),
            leaving: payment.leaving.then_some(true),
            currency: payment.amount.currency(),
            amount: minor_units(payment.amount)?,
            authorized: minor_units(payment.amounts.authorized())?,
            captured: minor_units(payment.amounts.captured())?,
            refunded: minor_units(payment.amounts.refunded())?,
            at_shipment: (payment.capture == CaptureTime::AtShipment).then_some(true),
            authorized_at: payment.authorized_at,
            captures: captures::stored(&payment.captures)?,
            capturing: payment
                .capturing
                .as_ref()
                .map(captures::CaptureItem::new)
                .transpose()?,
            due: payment.due_at.map(|_| captures::DUE.to_owned()),
            due_at: payment.due_at,
            refunding: None,
            disputed: None,
            disputes: stored_disputes(&payment.disputes)?,
            last_dispute: None,
            refunded_units: payment.refunded_units.clone(),
            restocked: payment.restocked.clone(),
            last_refund: None,
            attempt: payment.attempt,
            decline: payment.decline.clone(),
            next_action: payment.action.clone(),
            attempt_token: payment.token.clone(),
            retries: payment.retries.clone(),
            void_requested: payment.void_requested.then_some(true),
            reopened: payment.reopened.then_some(true),
            version: payment.version,
            schema: SCHEMA,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            event,
        })
    }

    /// Returns what is captured, if it is captured at shipment.
    pub(super) fn captured_at_shipment(&self) -> Result<Option<Money>, serde_dynamo::Error> {
        let at_shipment = self.at_shipment.unwrap_or(false);
        at_shipment.then(|| self.money(self.captured)).transpose()
    }

    /// Returns the dispute that the last event is about.
    pub(super) fn last_dispute(&self) -> Option<(&str, &DisputeItem)> {
        let id = self.last_dispute.as_deref()?;
        self.disputes.get(id).map(|item| (id, item))
    }

    pub(super) fn money(&self, units: u64) -> Result<Money, serde_dynamo::Error> {
        Money::from_minor_units(units, self.currency).map_err(unreadable)
    }

    fn into_payment(self) -> Result<Payment, serde_dynamo::Error> {
        let amounts = Amounts::new(
            self.money(self.authorized)?,
            self.money(self.captured)?,
            self.money(self.refunded)?,
        );
        let taken = self.money(self.disputed.unwrap_or(0))?;
        let lost = self.disputes.values();
        let lost = lost.filter(|item| item.status == DisputeStatus::Lost);
        let lost = self.money(lost.map(|item| item.amount).sum())?;
        let disputes = self.disputes.iter().map(|(id, item)| {
            let dispute = Dispute {
                status: item.status,
                amount: self.money(item.amount)?,
                reason: item.reason.clone(),
            };
            Ok((id.clone(), dispute))
        });
        let disputes = disputes.collect::<Result<_, serde_dynamo::Error>>()?;
        let captures = self.captures.iter();
        let captures = captures.map(|capture| capture.read(self.currency));
        let captures = captures.collect::<Result<_, serde_dynamo::Error>>()?;
        let capturing = self.capturing.as_ref();
        let capturing = capturing.map(|capture| capture.read(self.currency));
        let capture = match self.at_shipment {
            Some(true) => CaptureTime::AtShipment,
            Some(false) | None => CaptureTime::AtOnce,
        };
        let gift_cards = GiftCardPart {
            amount: self.money(self.gift_cards.unwrap_or(0))?,
            refunding: self.money(self.gift_cards_refunding.unwrap_or(0))?,
            refunded: self.money(self.gift_cards_refunded.unwrap_or(0))?,
        };
        Ok(Payment {
            gift_cards,
            id: self.payment_id,
            order_id: self.order_id,
            status: self.status.parse().map_err(unreadable)?,
            gateway: self.gateway.parse().map_err(unreadable)?,
            leaving: self.leaving.unwrap_or(false),
            amount: self.money(self.amount)?,
            capture,
            amounts: amounts.map_err(unreadable)?,
            authorized_at: self.authorized_at,
            captures,
            capturing: capturing.transpose()?,
            due_at: self.due_at,
            refunding: self.money(self.refunding.unwrap_or(self.refunded))?,
            disputes,
            disputed: taken,
            lost,
            refunded_units: self.refunded_units,
            restocked: self.restocked,
            attempt: self.attempt,
            decline: self.decline,
            action: self.next_action,
            token: self.attempt_token,
            retries: self.retries,
            void_requested: self.void_requested.unwrap_or(false),
            reopened: self.reopened.unwrap_or(false),
            in_ledger: self.schema >= FIRST_IN_LEDGER,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// A payment, as an image of its table's stream has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentImage {
    /// The payment.
    pub payment: Payment,
    /// The refund that succeeded last, if one has.
    pub last_refund: Option<RefundId>,
}

impl PaymentImage {
    /// Reads `image`.
    ///
    /// # Errors
    /// If it is not a payment.
    pub fn read(image: serde_dynamo::Item) -> Result<Self, serde_dynamo::Error> {
        let item: PaymentItem = serde_dynamo::from_item(image)?;
        Ok(Self {
            last_refund: item.last_refund.as_ref().map(|last| last.refund_id),
            payment: item.into_payment()?,
        })
    }
}

fn payment_key(id: PaymentId) -> Key {
    Key::new("payment_id", id)
}

impl PaymentStore {
    /// Creates the store of the table that the setting `PAYMENTS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::PaymentsTable)?,
        })
    }

    /// Returns the payment of `order_id`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_order(&self, order_id: OrderId) -> Result<Option<Payment>, StoreError> {
        self.get(Payment::id_of(order_id)).await
    }

    /// Returns the payment with `id`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let found: Option<PaymentItem> = self.table.get(payment_key(id)).await?;
        Ok(found.map(PaymentItem::into_payment).transpose()?)
    }

    /// Stores a payment before the gateway is called for it. Refused if its order has a payment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(&self, payment: &Payment) -> Result<Written, StoreError> {
        self.insert(payment, None).await
    }

    /// Stores a payment of [`Payment::never_charged`], with its event. Refused if its order has a payment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_voided(&self, payment: &Payment) -> Result<Written, StoreError> {
        let stamp = Change::Voided.stamp(payment, payment.created_at);
        self.insert(payment, Some(stamp)).await
    }

    async fn insert(&self, payment: &Payment, event: Option<Stamp>) -> Result<Written, StoreError> {
        let write = self.table.put(&PaymentItem::new(payment, event)?)?;
        let write = write.when("attribute_not_exists(payment_id)");
        self.table.write(write).await
    }

    /// Stores that `payment` has to be undone, without an event. From then on no run that read it before can
    /// change it. Refused if it has changed since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn request_void(&self, payment: &Payment) -> Result<Written, StoreError> {
        let cards = &payment.gift_cards;
        let condition = "version = :read AND (attribute_not_exists(refunding) OR refunding = :refunding) \
                         AND (attribute_not_exists(gift_cards_refunding) OR gift_cards_refunding = :cards)";
        let write = self
            .table
            .update(payment_key(payment.id), "SET void_requested = :true")
            // Refunds that begin do not change the version.
            .when(condition)
            .value(":cards", &minor_units(cards.refunding)?)?
            .value(":true", &true)?
            .value(":refunding", &minor_units(payment.refunding)?)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }

    /// Returns the write that takes an amount at the gateway, one of gift cards, and the pieces `units` for a refund of
    /// `payment`. It is refused if that is more than is left, if voiding has begun, or if other pieces were taken since
    /// `payment` was read; beside gift cards, also if anything else was.
    pub(super) fn take_write(
        &self,
        payment: &Payment,
        (amount, from_cards): (Money, Money),
        units: &Units,
    ) -> Result<Write, StoreError> {
        let captured = payment.amounts.captured();
        let left = captured.minus(payment.disputed).map_err(unreadable)?;
        let most = left.minus(amount).map_err(unreadable)?;
        let has_cards = payment.gift_cards.amount.is_positive();
        let (and_cards, cards_are_same) = if has_cards {
            // How a refund is split depends on what others have taken.
            (
                ", gift_cards_refunding = gift_cards_refunding + :cards",
                " AND gift_cards_refunding = :cards_taken AND (refunding = :taken OR (attribute_not_exists(refunding) AND refunded = :taken))",
            )
        } else {
            ("", "")
        };
        let write = self.units_write(
            payment,
            &format!("refunding = if_not_exists(refunding, refunded) + :amount{and_cards}"),
            units,
            &format!(" AND (attribute_not_exists(void_requested) OR attribute_exists(reopened)) AND (disputed = :disputed OR (attribute_not_exists(disputed) AND :disputed = :none)) AND (refunding <= :most OR (attribute_not_exists(refunding) AND refunded <= :most)){cards_are_same}"),
        )?;
        let write = if has_cards {
            write
                .value(":cards", &minor_units(from_cards)?)?
                .value(":cards_taken", &minor_units(payment.gift_cards.refunding)?)?
                .value(":taken", &minor_units(payment.refunding)?)?
        } else {
            write
        };
        write
            .value(":amount", &minor_units(amount)?)?
            .value(":disputed", &minor_units(payment.disputed)?)?
            .value(":none", &0)?
            .value(":most", &minor_units(most)?)
    }

    /// Returns the write that gives back what a refund of `payment` took that has failed. It is refused if other pieces were
    /// taken since `payment` was read.
    pub(super) fn give_back_write(
        &self,
        payment: &Payment,
        (amount, from_cards): (Money, Money),
        units: &Units,
    ) -> Result<Write, StoreError> {
        let set = "refunding = refunding - :amount";
        let write = if from_cards.is_positive() {
            let set = format!("{set}, gift_cards_refunding = gift_cards_refunding - :cards");
            let write = self.units_write(payment, &set, units, "")?;
            write.value(":cards", &minor_units(from_cards)?)?
        } else {
            self.units_write(payment, set, units, "")?
        };
        write.value(":amount", &minor_units(amount)?)
    }

    /// Returns a write that sets how many pieces are taken to `units`, if that changes anything.
    fn units_write(
        &self,
        payment: &Payment,
        set: &str,
        units: &Units,
        condition: &str,
    ) -> Result<Write, StoreError> {
        let key = payment_key(payment.id);
        let is = "attribute_exists(payment_id)";
        if *units == payment.refunded_units {
            let write = self.table.update(key, &format!("SET {set}"));
            return Ok(write.when(&format!("{is}{condition}")));
        }
        let same = if payment.refunded_units.is_empty() {
            "(attribute_not_exists(refunded_units) OR refunded_units = :were)"
        } else {
            "refunded_units = :were"
        };
        let write = self
            .table
            .update(key, &format!("SET {set}, refunded_units = :units"));
        write
            .when(&format!("{is} AND {same}{condition}"))
            .value(":units", units)?
            .value(":were", &payment.refunded_units)
    }

    /// Stores `next`, which is `payment` after `change`, with its event. Refused if the stored payment has changed
    /// since it was read, or voiding has begun since then: read it again and decide again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record(
        &self,
        payment: &Payment,
        next: &Payment,
        change: &Change,
    ) -> Result<Written, StoreError> {
        let write = self.record_write(payment, next, change)?;
        self.table.write(write).await
    }

    /// Returns the write of [`Self::record`]. Besides the version, its condition compares the stored amounts, so that
    /// no write can break their order.
    pub(super) fn record_write(
        &self,
        payment: &Payment,
        next: &Payment,
        change: &Change,
    ) -> Result<Write, StoreError> {
        let (set, amounts) = amounts_clauses(payment, next, change);
        let cards = refunded::set_cards(payment, next, change);
        let voiding = moves::exists(payment.void_requested);
        let leaving = moves::exists(payment.leaving);
        let (decline, decline_code) = match &next.decline {
            Some(code) => (", decline = :decline", Some(code)),
            None => ("", None),
        };
        let action = if next.action.is_some() {
            ", next_action = :action"
        } else {
            ""
        };
        let capture = captures::Clauses::of(payment, next);
        let (capture_set, capture_is) = (&capture.set, &capture.condition);
        let removed = removed(payment, next);
        let write = self
            .table
            .update(
                payment_key(payment.id),
                &format!(
                    "SET #status = :status, version = :version, updated_at = :now, event = :event{set}{cards}{decline}{action}{capture_set}{removed}"
                ),
            )
            .when(&format!("version = :read AND attempt = :attempt AND {leaving}(leaving) AND {voiding}(void_requested){amounts}{capture_is}"))
            .name("#status", "status")
            .value(":status", &next.status.as_str())?
            .value(":version", &next.version)?
            .value(":now", &next.updated_at)?
            .value(":event", &change.stamp(next, next.updated_at))?
            .value(":attempt", &payment.attempt)?
            .value(":read", &payment.version)?;
        let write = match decline_code {
            Some(code) => write.value(":decline", code)?,
            None => write,
        };
        let write = match &next.action {
            Some(action) => write.value(":action", action)?,
            None => write,
        };
        let write = capture.values(write, next)?;
        match change {
            Change::Unknown | Change::ActionRequired(_) | Change::Declined(_) | Change::Voided => {
                Ok(write)
            }
            Change::Disputed { id, .. } => write
                .value(":amount", &minor_units(next.disputed)?)?
                .value(":disputes", &stored_disputes(&next.disputes)?)?
                .value(":dispute", id),
            Change::Authorized(amount)
            | Change::PartlyCaptured(amount)
            | Change::Captured(amount) => write.value(":amount", &minor_units(*amount)?),
            Change::Refunded { total, by } => refunded::values(write, payment, next, *total, *by),
        }
    }
}

/// Returns what a write sets of the amounts, and on which condition about those that are stored.
fn amounts_clauses(
    payment: &Payment,
    next: &Payment,
    change: &Change,
) -> (&'static str, &'static str) {
    // What is stored as captured is at most what is stored as authorised.
    let raises_authorized = payment.amounts.authorized() != next.amounts.authorized();
    match change {
        Change::Unknown | Change::ActionRequired(_) | Change::Declined(_) | Change::Voided => {
            ("", "")
        }
        Change::Disputed { .. } => (
            ", disputed = :amount, disputes = :disputes, last_dispute = :dispute",
            " AND captured >= :amount",
        ),
        Change::Authorized(_) => (", authorized = :amount", " AND authorized <= :amount"),
        // Both become the same amount, so captured <= authorized holds.
        Change::Captured(_) if raises_authorized => (
            ", authorized = :amount, captured = :amount",
            " AND authorized <= :amount",
        ),
        Change::Captured(_) | Change::PartlyCaptured(_) => (
            ", captured = :amount",
            " AND authorized >= :amount AND captured <= :amount",
        ),
        // Before the rest is refunded, what other refunds have taken is settled, and none begins any more.
        Change::Refunded { by, .. } if refunded::is_rest(payment, *by) => (
            ", refunded = :amount, refunding = :amount, restocked = :restocked, last_refund = :refund",
            " AND captured >= :amount AND refunded <= :amount",
        ),
        Change::Refunded { .. } => (
            ", refunded = :amount, restocked = :restocked, last_refund = :refund",
            " AND captured >= :amount AND refunded <= :amount",
        ),
    }
}

/// Returns the clause that removes what `payment` has and `next` has not.
fn removed(payment: &Payment, next: &Payment) -> String {
    let gone = [
        (
            "next_action",
            payment.action.is_some() && next.action.is_none(),
        ),
        (
            "attempt_token",
            payment.token.is_some() && next.token.is_none(),
        ),
        (
            "capturing",
            payment.capturing.is_some() && next.capturing.is_none(),
        ),
        (
            "due, due_at",
            payment.due_at.is_some() && next.due_at.is_none(),
        ),
    ];
    let gone = gone.into_iter().filter(|(_, is_gone)| *is_gone);
    let names: Vec<&str> = gone.map(|(name, _)| name).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" REMOVE {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests;
