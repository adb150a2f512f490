//! Payments as they are stored. They live for years: a new attribute is optional, and no attribute changes its meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{minor_units, unreadable};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, PaymentId, RefundId};
use crate::values::money::{Currency, Money};

use super::model::disputes::{Dispute, DisputeStatus, Disputes};
use super::model::gift_cards::GiftCardPart;
use super::model::{Action, Amounts, CaptureTime, Payment, Retry, Units};

pub(super) mod captures;

/// The version of the shape of [`PaymentItem`]. Code that reads version 1 must be able to read later ones. An item keeps
/// the version with which it was stored first: since version 2, all that happens to a payment is in the ledger.
const SCHEMA: u32 = 2;
const FIRST_IN_LEDGER: u32 = 2;

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

pub(super) fn stored_disputes(
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
    pub(super) fn new(
        payment: &Payment,
        event: Option<Stamp>,
    ) -> Result<Self, serde_dynamo::Error> {
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

    pub(super) fn into_payment(self) -> Result<Payment, serde_dynamo::Error> {
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
