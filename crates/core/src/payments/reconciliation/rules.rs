//! Pure rules: what of a payment's movements and entries belongs together.
//!
//! A payment can have several movements of one kind and amount, such as two captures of the same part, so what is compared is
//! how many there are.

use super::model::{Difference, Kind, Moved};
use crate::payments::gateway::statement::{Kind as Stated, Movement};
use crate::payments::ledger::model::{Entry, Movement as Of};
use crate::payments::model::{GatewayName, Payment};
use crate::values::clock::Time;
use crate::values::id::{EntryId, RefundId};
use crate::values::money::Money;

/// Returns what the ledger calls a movement of this `kind`, or `None` if it does not follow from payments.
fn of(kind: Stated) -> Option<Of> {
    match kind {
        Stated::Charge => Some(Of::Captured),
        Stated::Refund => Some(Of::Refunded),
        Stated::RefundReturned => Some(Of::RefundReturned),
        Stated::Dispute => Some(Of::Disputed),
        Stated::DisputeWon => Some(Of::DisputeWon),
        Stated::Other => None,
    }
}

/// What a movement in a statement is to the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing that the ledger has to have.
    Other,
    /// A movement of one of the shop's payments.
    Ours(Moved),
    /// A movement between the account and its customers that the shop did not make.
    Unknown(Box<Difference>),
}

/// Returns what `movement` of `gateway` is, which was read at `now`.
#[must_use]
pub fn read(gateway: &GatewayName, movement: Movement, now: Time) -> Read {
    let Some(of) = of(movement.kind) else {
        return Read::Other;
    };
    match movement.charge {
        Some(charge) => Read::Ours(Moved {
            id: movement.id,
            gateway: gateway.clone(),
            of,
            order_id: charge.order_id,
            payment_id: Payment::id_of(charge.order_id),
            refund_id: movement.refund,
            amount: movement.amount,
            at: movement.at,
        }),
        None => Read::Unknown(Box::new(Difference {
            id: id(gateway, &movement.id),
            kind: Kind::MissingInLedger,
            gateway: gateway.clone(),
            of,
            order_id: None,
            payment_id: None,
            refund_id: movement.refund,
            at: movement.at,
            gateway_amount: Some(movement.amount),
            ledger_amount: None,
            found_at: now,
            movement_id: Some(movement.id),
        })),
    }
}

fn id(gateway: &GatewayName, what: &str) -> EntryId {
    EntryId::derived(&["difference", &gateway.to_string(), what])
}

/// Returns how `moved` differs from the `entries` of its payment, of which the gateway has the movements `all`.
#[must_use]
pub fn of_movement(
    moved: &Moved,
    all: &[Moved],
    entries: &[Entry],
    now: Time,
) -> Option<Difference> {
    let same = |other: &&Moved| is_like(other, moved) && other.amount == moved.amount;
    let theirs = all.iter().filter(same).count();
    let ours = of_kind(entries, &moved.gateway, moved.of, moved.refund_id);
    let equal = ours.iter().filter(|entry| entry.amount == moved.amount);
    if theirs <= equal.count() {
        return None;
    }
    let alike: Vec<Money> = amounts(all.iter().filter(|other| is_like(other, moved)));
    let entered: Vec<Money> = ours.iter().map(|entry| entry.amount).collect();
    let other_amount = surplus(&entered, &alike);
    Some(Difference {
        id: id(&moved.gateway, &moved.id),
        kind: match other_amount {
            Some(_) => Kind::OtherAmount,
            None => Kind::MissingInLedger,
        },
        gateway: moved.gateway.clone(),
        of: moved.of,
        movement_id: Some(moved.id.clone()),
        order_id: Some(moved.order_id),
        payment_id: Some(moved.payment_id),
        refund_id: moved.refund_id,
        at: moved.at,
        gateway_amount: Some(moved.amount),
        ledger_amount: other_amount,
        found_at: now,
    })
}

/// Returns how `entry`, of `gateway`, differs from the movements `all` that the gateway has of its payment, whose entries are
/// `entries`. One that the gateway has with another amount was found by its movement.
#[must_use]
pub fn of_entry(
    entry: &Entry,
    gateway: &GatewayName,
    all: &[Moved],
    entries: &[Entry],
    now: Time,
) -> Option<Difference> {
    if !is_at(entry, gateway) {
        return None;
    }
    let so_far = of_kind(entries, gateway, entry.of, entry.refund_id);
    let so_far: Vec<&Entry> = so_far
        .into_iter()
        .filter(|other| other.version <= entry.version)
        .collect();
    let like = all.iter().filter(|moved| {
        moved.gateway == *gateway && moved.of == entry.of && moved.refund_id == entry.refund_id
    });
    let like: Vec<&Moved> = like.collect();
    let equal = so_far.iter().filter(|other| other.amount == entry.amount);
    let moved = like.iter().filter(|moved| moved.amount == entry.amount);
    if equal.count() <= moved.count() {
        return None;
    }
    let entered = of_kind(entries, gateway, entry.of, entry.refund_id);
    let entered: Vec<Money> = entered.iter().map(|other| other.amount).collect();
    if surplus(&amounts(like.into_iter()), &entered).is_some() {
        return None;
    }
    Some(Difference {
        id: id(gateway, &entry.id().to_string()),
        kind: Kind::MissingAtGateway,
        gateway: gateway.clone(),
        of: entry.of,
        movement_id: None,
        order_id: entry.order_id,
        payment_id: entry.payment_id,
        refund_id: entry.refund_id,
        at: entry.at,
        gateway_amount: None,
        ledger_amount: Some(entry.amount),
        found_at: now,
    })
}

/// Returns whether `entry` is of what `gateway` has to have in its statement.
#[must_use]
pub fn is_at(entry: &Entry, gateway: &GatewayName) -> bool {
    let stated = match entry.of {
        Of::Captured | Of::Refunded | Of::RefundReturned | Of::Disputed | Of::DisputeWon => true,
        Of::Authorised
        | Of::Released
        | Of::Fee
        | Of::FeeReturned
        | Of::DisputeLost
        | Of::DisputeReopened
        | Of::GiftCardIssued
        | Of::GiftCardRedeemed
        | Of::GiftCardRefunded => false,
    };
    let (debit, credit) = entry.of.accounts(&gateway.to_string());
    stated && (&debit, &credit) == (&entry.debit, &entry.credit)
}

fn is_like(other: &Moved, moved: &Moved) -> bool {
    (&other.gateway, other.of, other.refund_id) == (&moved.gateway, moved.of, moved.refund_id)
}

/// Returns those of `entries` that are of this kind.
fn of_kind<'a>(
    entries: &'a [Entry],
    gateway: &GatewayName,
    of: Of,
    refund_id: Option<RefundId>,
) -> Vec<&'a Entry> {
    let wanted = entries
        .iter()
        .filter(|entry| entry.of == of && entry.refund_id == refund_id && is_at(entry, gateway));
    wanted.collect()
}

fn amounts<'a>(moved: impl Iterator<Item = &'a Moved>) -> Vec<Money> {
    moved.map(|moved| moved.amount).collect()
}

/// Returns the first of `amounts` of which `others` has fewer.
fn surplus(amounts: &[Money], others: &[Money]) -> Option<Money> {
    let count =
        |list: &[Money], wanted: Money| list.iter().filter(|amount| **amount == wanted).count();
    let mut amounts_left = amounts.iter().copied();
    amounts_left.find(|amount| count(amounts, *amount) > count(others, *amount))
}
