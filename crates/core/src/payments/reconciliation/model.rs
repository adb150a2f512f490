//! What is compared, and how it differs.

use std::str::FromStr;
use std::time::Duration;

use crate::payments::days::{DAY, Span};
use crate::payments::ledger::model::Movement as Of;
use crate::payments::model::GatewayName;
use crate::values::clock::Time;
use crate::values::id::{EntryId, OrderId, PaymentId, RefundId};
use crate::values::money::Money;

/// How much earlier or later than the ledger a gateway may have a movement.
pub const MARGIN: Duration = Duration::from_hours(1);

/// How long after the margin a day is compared: what is late has come by then.
const SETTLED: Duration = Duration::from_hours(1);

/// A movement that the gateway has of one of the shop's payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The gateway's identifier of it.
    pub id: String,
    /// The gateway.
    pub gateway: GatewayName,
    /// What moved.
    pub of: Of,
    /// The order.
    pub order_id: OrderId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// The refund, of a movement about one that the shop made.
    pub refund_id: Option<RefundId>,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Time,
}

/// How the ledger and a gateway differ, by its name on the wire and as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `missing_in_ledger`: the gateway has a movement that the ledger has not.
    MissingInLedger,
    /// `missing_at_gateway`: the ledger has an entry that the gateway knows nothing of.
    MissingAtGateway,
    /// `other_amount`: both have it, with different amounts.
    OtherAmount,
}

impl Kind {
    const ALL: [Self; 3] = [
        Self::MissingInLedger,
        Self::MissingAtGateway,
        Self::OtherAmount,
    ];

    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingInLedger => "missing_in_ledger",
            Self::MissingAtGateway => "missing_at_gateway",
            Self::OtherAmount => "other_amount",
        }
    }
}

/// A text that is not the name of a kind of difference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of difference {0:?}")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its id, which follows from the movement or the entry.
    pub id: EntryId,
    /// What differs.
    pub kind: Kind,
    /// The gateway.
    pub gateway: GatewayName,
    /// What moved.
    pub of: Of,
    /// The gateway's identifier of the movement.
    pub movement_id: Option<String>,
    /// The order, if the gateway's movement is of the shop's.
    pub order_id: Option<OrderId>,
    /// Its payment.
    pub payment_id: Option<PaymentId>,
    /// The refund, of a difference about one.
    pub refund_id: Option<RefundId>,
    /// When it moved, by the gateway's clock or else by the ledger.
    pub at: Time,
    /// What the gateway says.
    pub gateway_amount: Option<Money>,
    /// What the ledger says.
    pub ledger_amount: Option<Money>,
    /// When it was found.
    pub found_at: Time,
}

/// Which of its two passes a day is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Through the gateway's statement.
    Statement,
    /// Through the ledger.
    Ledger,
}

/// How far a gateway is reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The gateway.
    pub gateway: GatewayName,
    /// When the day begins that is being compared, or is next.
    pub day: Time,
    /// Its pass.
    pub pass: Pass,
    /// The position in the pass.
    pub after: Option<String>,
    /// How many differences the day has so far.
    pub differences: u64,
    /// How often this was stored: of two runs at once, the one that stores first goes on.
    pub version: u64,
}

impl Progress {
    /// Returns the progress of a `gateway` of which nothing was compared by `now`: it begins with the day of `now`.
    #[must_use]
    pub fn begin(gateway: GatewayName, now: Time) -> Self {
        Self {
            gateway,
            day: now.midnight(),
            pass: Pass::Statement,
            after: None,
            differences: 0,
            version: 0,
        }
    }

    /// Returns the time of the day.
    #[must_use]
    pub fn span(&self) -> Span {
        Span {
            from: self.day,
            to: self.day.plus(DAY),
        }
    }

    /// Returns whether the day can be compared at `now`.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        self.span().to.plus(MARGIN + SETTLED) <= now
    }

    /// Returns the progress after a page with `differences`, behind which the pass goes on after `next`.
    #[must_use]
    pub fn after_page(self, next: Option<String>, differences: u64) -> Self {
        let found = self.differences + differences;
        let version = self.version + 1;
        let page = Self {
            after: next,
            differences: found,
            version,
            ..self
        };
        match (&page.after, page.pass) {
            (Some(_), Pass::Statement | Pass::Ledger) => page,
            (None, Pass::Statement) => Self {
                pass: Pass::Ledger,
                ..page
            },
            (None, Pass::Ledger) => Self {
                day: page.span().to,
                pass: Pass::Statement,
                differences: 0,
                ..page
            },
        }
    }
}
