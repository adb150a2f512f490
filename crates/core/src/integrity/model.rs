//! What an audit looks at, and what it finds.

use std::fmt;
use std::str::FromStr;

use crate::inventory::model::{Reservation, Stock};
use crate::orders::model::Order;
use crate::payments::model::Payment;
use crate::values::clock::Time;
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::{OrderId, ProductId};

/// An audit found something that does not fit together, or more of it.
pub const VIOLATED: &str = "IntegrityViolated";
/// An audit found that it fits together again.
pub const RESTORED: &str = "IntegrityRestored";

/// A check, by its name on the wire and as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// `versions_follow`: the events of an aggregate are numbered from 1 without a gap, up to its own
    /// version, and none is earlier than the one before.
    VersionsFollow,
    /// `log_is_row`: what the events of an order, a reservation, a payment or a stock add up to is what
    /// is stored.
    LogIsRow,
    /// `total_is_sum_of_parts`: an order costs what its lines, discounts, shipping and tax come to.
    TotalIsSumOfParts,
    /// `confirmed_is_paid`: an order that was not called off is paid in full.
    ConfirmedIsPaid,
    /// `closed_is_not_charged`: of a failed or cancelled order no money is kept.
    ClosedIsNotCharged,
    /// `hold_follows_order`: a confirmed order's stock is committed, line by line; a failed or
    /// cancelled one's is released.
    HoldFollowsOrder,
    /// `on_hand_is_available_and_reserved`: the two add up to what was last put in.
    OnHandIsAvailableAndReserved,
    /// `reserved_is_open_reservations`: what is reserved is what open reservations hold.
    ReservedIsOpenReservations,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::VersionsFollow,
        Self::LogIsRow,
        Self::TotalIsSumOfParts,
        Self::ConfirmedIsPaid,
        Self::ClosedIsNotCharged,
        Self::HoldFollowsOrder,
        Self::OnHandIsAvailableAndReserved,
        Self::ReservedIsOpenReservations,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VersionsFollow => "versions_follow",
            Self::LogIsRow => "log_is_row",
            Self::TotalIsSumOfParts => "total_is_sum_of_parts",
            Self::ConfirmedIsPaid => "confirmed_is_paid",
            Self::ClosedIsNotCharged => "closed_is_not_charged",
            Self::HoldFollowsOrder => "hold_follows_order",
            Self::OnHandIsAvailableAndReserved => "on_hand_is_available_and_reserved",
            Self::ReservedIsOpenReservations => "reserved_is_open_reservations",
        }
    }
}

/// A text that names no check, or nothing that is checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not known to the audit: {0:?}")]
pub struct Unknown(String);

impl FromStr for Check {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let found = Self::ALL.into_iter().find(|check| check.name() == text);
        found.ok_or_else(|| Unknown(text.to_owned()))
    }
}

/// What is looked at as a whole.
///
/// Wire and stored shape: `order:<id>`, `stock:<product id>`, `aggregate:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An order with its reservation and its payment.
    Order(OrderId),
    /// A product's stock at all its places.
    Stock(ProductId),
    /// The events of anything else.
    Aggregate(String),
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
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let unknown = || Unknown(text.to_owned());
        let (kind, id) = text.split_once(':').ok_or_else(unknown)?;
        match kind {
            "order" => Ok(Self::Order(id.parse().map_err(|_| unknown())?)),
            "stock" => Ok(Self::Stock(id.parse().map_err(|_| unknown())?)),
            "aggregate" => Ok(Self::Aggregate(id.to_owned())),
            _ => Err(unknown()),
        }
    }
}

/// An order, and all that was done for it.
#[derive(Clone, Debug)]
pub struct OrderCase {
    /// The order.
    pub order: Order,
    /// Its events, in their order.
    pub order_events: Vec<DomainEvent>,
    /// What is kept for it.
    pub reservation: Option<Reservation>,
    /// The reservation's events.
    pub reservation_events: Vec<DomainEvent>,
    /// Its payment.
    pub payment: Option<Payment>,
    /// The payment's events.
    pub payment_events: Vec<DomainEvent>,
}

/// A product's stock at one place.
#[derive(Clone, Debug)]
pub struct StockCase {
    /// The stock.
    pub stock: Stock,
    /// Its events, in their order.
    pub events: Vec<DomainEvent>,
    /// What open reservations hold of it.
    pub promised: u64,
}

/// Something that does not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which check tells so.
    pub check: Check,
    /// What was found, for people; without personal data.
    pub detail: String,
}

/// A violation on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of what.
    pub subject: Subject,
    /// By which check; there is one finding for a subject and a check.
    pub check: Check,
    /// What was found last.
    pub detail: String,
    /// When it was found first.
    pub found_at: Time,
    /// When an audit found it gone; found again after that, it is open again.
    pub resolved_at: Option<Time>,
    /// Number of its events.
    pub version: u64,
    /// Its last event.
    pub event: Stamp,
}

/// The aggregate that a finding is in events.
#[must_use]
pub fn aggregate(position: &str) -> String {
    format!("finding#{position}")
}

/// How far audits have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The time of the audit.
    pub at: Time,
    /// Up to when events were looked at: the next audit begins there.
    pub until: Time,
    /// How many subjects were looked at.
    pub checked: u64,
    /// What was still being worked on, and is looked at again.
    pub unsettled: Vec<Subject>,
    /// How many findings were open after it.
    pub open: u64,
}

impl Finding {
    /// `found` in `subject` for the first time.
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
        finding.happened(VIOLATED, now);
        finding
    }

    /// Its place among all findings.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.subject, self.check.name())
    }

    /// Whether it was there when an audit looked last.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Found again; `None` if nothing about it is new.
    #[must_use]
    pub fn seen(mut self, detail: &str, now: Time) -> Option<Self> {
        if self.is_open() && self.detail == detail {
            return None;
        }
        detail.clone_into(&mut self.detail);
        if self.resolved_at.take().is_some() {
            self.found_at = now;
        }
        self.happened(VIOLATED, now);
        Some(self)
    }

    /// No longer found; `None` if that is known.
    #[must_use]
    pub fn resolved(mut self, now: Time) -> Option<Self> {
        if !self.is_open() {
            return None;
        }
        self.resolved_at = Some(now);
        self.happened(RESTORED, now);
        Some(self)
    }

    fn happened(&mut self, event_type: &str, now: Time) {
        self.version += 1;
        let aggregate = aggregate(&self.position());
        self.event = Stamp::new(aggregate, self.version, event_type, now);
    }
}
