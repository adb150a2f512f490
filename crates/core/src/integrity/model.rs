//! The subjects of audits, and their findings.

use std::fmt;
use std::str::FromStr;

use crate::inventory::model::Reservation;
use crate::orders::gift_cards::image::RedemptionImage;
use crate::orders::gift_cards::model::GiftCard;
use crate::orders::model::Order;
use crate::payments::ledger::model::Entry;
use crate::payments::model::Payment;
use crate::payments::refunds::model::Refund;
use crate::stock::model::Stock;
use crate::values::clock::Time;
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::{OrderId, VariantId};

/// The type of the event that an audit found a violation, or found it changed.
pub const VIOLATED: &str = "IntegrityViolated";
/// The type of the event that an audit did not find a violation any more.
pub const RESTORED: &str = "IntegrityRestored";

/// A check, by its name on the wire and as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// `versions_follow`: the events of an aggregate are numbered from 1 without a gap up to its own version, and
    /// none is earlier than the previous one.
    VersionsFollow,
    /// `log_is_row`: the events of an order, a reservation or a payment lead to what is stored.
    LogIsRow,
    /// `total_is_sum_of_parts`: an order's total is the sum of its lines, discounts, shipping and tax.
    TotalIsSumOfParts,
    /// `confirmed_is_paid`: a confirmed order is paid in full.
    ConfirmedIsPaid,
    /// `closed_is_not_charged`: no money is kept for a failed or cancelled order.
    ClosedIsNotCharged,
    /// `ledger_is_payment`: the ledger's entries of a payment add up to its amounts.
    LedgerIsPayment,
    /// `refunds_are_payment`: the refunds of a payment add up to what it says is refunded, and being refunded.
    RefundsArePayment,
    /// `gift_cards_follow_order`: what an order took from gift cards is on record there, and has come back as far as the order
    /// has ended or refunds returned it; and the balance of each of these cards is what it was issued with, less what
    /// orders took, plus what came back.
    GiftCardsFollowOrder,
    /// `hold_follows_order`: the stock of a confirmed order is committed, line by line; that of a failed or cancelled
    /// order is released.
    HoldFollowsOrder,
    /// `on_hand_is_available_and_reserved`: the two add up to the `on_hand` that was last set.
    OnHandIsAvailableAndReserved,
    /// `reserved_is_open_reservations`: the reserved stock is the sum of the open reservations.
    ReservedIsOpenReservations,
    /// `row_is_readable`: the items of an order, its reservation, its payment and of stock have the shape of their table.
    RowIsReadable,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 12] = [
        Self::VersionsFollow,
        Self::LogIsRow,
        Self::TotalIsSumOfParts,
        Self::ConfirmedIsPaid,
        Self::ClosedIsNotCharged,
        Self::LedgerIsPayment,
        Self::RefundsArePayment,
        Self::GiftCardsFollowOrder,
        Self::HoldFollowsOrder,
        Self::OnHandIsAvailableAndReserved,
        Self::ReservedIsOpenReservations,
        Self::RowIsReadable,
    ];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VersionsFollow => "versions_follow",
            Self::LogIsRow => "log_is_row",
            Self::TotalIsSumOfParts => "total_is_sum_of_parts",
            Self::ConfirmedIsPaid => "confirmed_is_paid",
            Self::ClosedIsNotCharged => "closed_is_not_charged",
            Self::LedgerIsPayment => "ledger_is_payment",
            Self::RefundsArePayment => "refunds_are_payment",
            Self::GiftCardsFollowOrder => "gift_cards_follow_order",
            Self::HoldFollowsOrder => "hold_follows_order",
            Self::OnHandIsAvailableAndReserved => "on_hand_is_available_and_reserved",
            Self::ReservedIsOpenReservations => "reserved_is_open_reservations",
            Self::RowIsReadable => "row_is_readable",
        }
    }
}

/// A text that is not the name of a check, or not a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown to the audit: {0:?}")]
pub struct UnknownName(String);

impl FromStr for Check {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|check| check.name() == text);
        found.ok_or_else(|| UnknownName(text.to_owned()))
    }
}

/// A subject that is checked as a whole.
///
/// Wire and stored shape: `order:<id>`, `stock:<product id>`, `aggregate:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An order with its reservation and its payment.
    Order(OrderId),
    /// A product's stock at all its places.
    Stock(VariantId),
    /// The events of any other aggregate.
    Aggregate(String),
}

impl Subject {
    /// Returns the product whose stock it is, if it is stock.
    #[must_use]
    pub fn product(&self) -> Option<VariantId> {
        match self {
            Self::Stock(id) => Some(*id),
            Self::Order(_) | Self::Aggregate(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order:{id}"),
            Self::Stock(id) => write!(f, "stock:{id}"),
            Self::Aggregate(id) => write!(f, "aggregate:{id}"),
        }
    }
}

impl FromStr for Subject {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let unknown = || UnknownName(text.to_owned());
        let (kind, id) = text.split_once(':').ok_or_else(unknown)?;
        match kind {
            "order" => Ok(Self::Order(id.parse().map_err(|_| unknown())?)),
            "stock" => Ok(Self::Stock(id.parse().map_err(|_| unknown())?)),
            "aggregate" => Ok(Self::Aggregate(id.to_owned())),
            _ => Err(unknown()),
        }
    }
}

/// An order with its reservation, its payment and their events.
#[derive(Clone, Debug)]
pub struct OrderCase {
    /// The order.
    pub order: Order,
    /// Its events, in their order.
    pub order_events: Vec<DomainEvent>,
    /// Its reservation.
    pub reservation: Option<Reservation>,
    /// The reservation's events.
    pub reservation_events: Vec<DomainEvent>,
    /// Its payment.
    pub payment: Option<Payment>,
    /// The payment's events.
    pub payment_events: Vec<DomainEvent>,
    /// The payment's entries in the ledger; `None` if there are too many to be read at once.
    pub entries: Option<Vec<Entry>>,
    /// The payment's refunds; `None` if there are too many to be read at once.
    pub refunds: Option<Vec<Refund>>,
    /// The gift cards that it took from, as far as there are such cards.
    pub gift_cards: Vec<GiftCardCase>,
}

/// A gift card that an order took from.
#[derive(Clone, Debug)]
pub struct GiftCardCase {
    /// The card.
    pub card: GiftCard,
    /// What all orders took from it; `None` if there are too many to be read at once.
    pub orders: Option<Vec<RedemptionImage>>,
}

/// A product's stock at one place.
#[derive(Clone, Debug)]
pub struct StockCase {
    /// The stock.
    pub stock: Stock,
    /// Its events, in their order.
    pub events: Vec<DomainEvent>,
    /// How many of it open reservations hold.
    pub held: u64,
}

/// An inconsistency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The check that found it.
    pub check: Check,
    /// A description for people, without personal data.
    pub detail: String,
}

/// A violation on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The subject.
    pub subject: Subject,
    /// The check. There is one finding for a subject and a check.
    pub check: Check,
    /// What was found the last time.
    pub detail: String,
    /// When it was first found.
    pub found_at: Time,
    /// When an audit first did not find it any more. It is open again if it is found again after that.
    pub resolved_at: Option<Time>,
    /// The number of its events.
    pub version: u64,
    /// Its last event.
    pub event: Stamp,
}

/// Returns the sort key of the finding of `subject` and `check` among all findings.
#[must_use]
pub fn position(subject: &Subject, check: Check) -> String {
    format!("{subject}#{}", check.name())
}

/// Returns the aggregate id of a finding in events.
#[must_use]
pub fn aggregate(position: &str) -> String {
    format!("finding#{position}")
}

impl Violation {
    /// Returns the violation that `event`, the last of an item, is not in the log.
    #[must_use]
    pub fn lost(event: &DomainEvent) -> Self {
        let DomainEvent {
            version,
            event_type,
            ..
        } = event;
        Self {
            check: Check::VersionsFollow,
            detail: format!("event {version} {event_type} is stored, but not in the log"),
        }
    }
}

impl Finding {
    /// Creates the finding of `found`, which `subject` has for the first time.
    #[must_use]
    pub fn new(subject: &Subject, found: &Violation, now: Time) -> Self {
        let mut finding = Self {
            subject: subject.clone(),
            check: found.check,
            detail: found.detail.clone(),
            found_at: now,
            resolved_at: None,
            version: 0,
            event: Stamp::new("", 0, "", now),
        };
        finding.set_event(VIOLATED, now);
        finding
    }

    /// Returns its sort key among all findings.
    #[must_use]
    pub fn position(&self) -> String {
        position(&self.subject, self.check)
    }

    /// Returns whether the last audit found it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Returns the finding as it is after it was found again, or `None` if it does not change.
    #[must_use]
    pub fn found_again(mut self, detail: &str, now: Time) -> Option<Self> {
        if self.is_open() && self.detail == detail {
            return None;
        }
        detail.clone_into(&mut self.detail);
        if self.resolved_at.take().is_some() {
            self.found_at = now;
        }
        self.set_event(VIOLATED, now);
        Some(self)
    }

    /// Returns the finding as it is after it was not found any more, or `None` if it is resolved already.
    #[must_use]
    pub fn resolved(mut self, now: Time) -> Option<Self> {
        if !self.is_open() {
            return None;
        }
        self.resolved_at = Some(now);
        self.set_event(RESTORED, now);
        Some(self)
    }

    fn set_event(&mut self, event_type: &str, now: Time) {
        self.version += 1;
        let aggregate = aggregate(&self.position());
        self.event = Stamp::new(aggregate, self.version, event_type, now);
    }
}
