//! Captures as they are stored with their payment.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{minor_units, unreadable};
use crate::payments::model::Units;
use crate::payments::model::captures::Capture;
use crate::values::clock::Time;
use crate::values::id::CaptureId;
use crate::values::money::{Currency, Money};

/// The only key of the index of payments that are due.
pub(in crate::payments) const DUE: &str = "capture";

/// A capture as stored; the amount is in the currency's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::payments) struct CaptureItem {
    capture_id: CaptureId,
    request_hash: String,
    amount: u64,
    #[serde(default, skip_serializing_if = "Units::is_empty")]
    units: Units,
    last: bool,
    created_at: Time,
}

impl CaptureItem {
    pub(in crate::payments) fn new(capture: &Capture) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            capture_id: capture.id,
            request_hash: capture.request_hash.clone(),
            amount: minor_units(capture.amount)?,
            units: capture.units.clone(),
            last: capture.last,
            created_at: capture.created_at,
        })
    }

    pub(in crate::payments) fn read(
        &self,
        currency: Currency,
    ) -> Result<Capture, serde_dynamo::Error> {
        let amount = Money::from_minor_units(self.amount, currency);
        Ok(Capture {
            id: self.capture_id,
            request_hash: self.request_hash.clone(),
            amount: amount.map_err(unreadable)?,
            units: self.units.clone(),
            last: self.last,
            created_at: self.created_at,
        })
    }
}

/// Returns `captures` as they are stored.
pub(in crate::payments) fn stored(
    captures: &[Capture],
) -> Result<Vec<CaptureItem>, serde_dynamo::Error> {
    captures.iter().map(CaptureItem::new).collect()
}
