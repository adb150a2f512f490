//! What says in an item of the sandbox's books that money moved by it.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{StoreError, Write};
use crate::payments::days::date;
use crate::payments::model::ChargeKey;
use crate::values::clock::Time;
use crate::values::id::RefundId;
use crate::values::moment;
use crate::values::money::Currency;

/// What moved by an item of the books, and its place in the index `by-day`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Booking {
    /// `<date>@<account>`. Absent if no money moved, as are the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_day: Option<String>,
    /// `<time>#<identifier>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    booked: Option<Booked>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Booked {
    pub(super) kind: BookedKind,
    pub(super) charge: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refund_id: Option<RefundId>,
    pub(super) currency: Currency,
    pub(super) amount: u64,
    /// What the sandbox kept of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fee: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BookedKind {
    Charge,
    Refund,
    RefundReturned,
    Dispute,
    DisputeWon,
}

/// An item that moved money and is nothing else.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MovementItem {
    /// The movement's identifier, in the key attribute of charges.
    pub(super) charge_id: String,
    #[serde(flatten)]
    pub(super) booking: Booking,
}

impl Booking {
    /// Returns the booking of `amount`, of a charge or of a refund of it. Outside of a function's event it has no time, so it
    /// is in no statement.
    pub(super) fn new(
        id: &str,
        kind: BookedKind,
        charge: &ChargeKey,
        refund_id: Option<RefundId>,
        (amount, currency): (u64, Currency),
    ) -> Self {
        let Some(now) = moment::now() else {
            return Self::default();
        };
        Self {
            booked_day: Some(day(now, charge.account())),
            booked_at: Some(format!("{now}#{id}")),
            booked: Some(Booked {
                kind,
                charge: charge.to_string(),
                refund_id,
                currency,
                amount,
                fee: None,
            }),
        }
    }

    /// Returns the booking of what is captured of a charge. The fee, if one is kept, is three percent, rounded up.
    pub(super) fn charge(
        id: &str,
        key: &ChargeKey,
        (amount, currency): (u64, Currency),
        keeps_fee: bool,
    ) -> Self {
        let mut booking = Self::new(id, BookedKind::Charge, key, None, (amount, currency));
        if let Some(booked) = booking.booked.as_mut().filter(|_| keeps_fee) {
            booked.fee = Some(amount.saturating_mul(3).div_ceil(100));
        }
        booking
    }

    /// Returns what sets it in an update.
    pub(super) fn clause(&self) -> &'static str {
        if self.booked.is_some() {
            ", booked_day = :booked_day, booked_at = :booked_at, booked = :booked"
        } else {
            ""
        }
    }

    /// Returns `write`, which has [`Self::clause`], with its values.
    pub(super) fn filled_in(self, write: Write) -> Result<Write, StoreError> {
        if self.booked.is_none() {
            return Ok(write);
        }
        let write = write.value(":booked_day", &self.booked_day)?;
        let write = write.value(":booked_at", &self.booked_at)?;
        write.value(":booked", &self.booked)
    }
}

/// Returns the key of a day's movements.
pub(super) fn day(at: Time, account: Option<&str>) -> String {
    format!("{}@{}", date(at), account.unwrap_or_default())
}
