//! When payments are captured, and the parts in which they are.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::values::clock::Time;
use crate::values::id::{CaptureId, VariantId};
use crate::values::money::Money;

/// When a payment is captured, by its name in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureTime {
    /// `at_once`: by the workflow, before the order is confirmed.
    AtOnce,
    /// `at_shipment`: the workflow authorises, and an admin captures what each parcel is worth.
    AtShipment,
}

impl CaptureTime {
    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::AtShipment => "at_shipment",
        }
    }
}

impl fmt::Display for CaptureTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the name of a time to capture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time to capture {0:?}")]
pub struct UnknownCaptureTime(String);

impl FromStr for CaptureTime {
    type Err = UnknownCaptureTime;

    fn from_str(text: &str) -> Result<Self, UnknownCaptureTime> {
        match text {
            "at_once" => Ok(Self::AtOnce),
            "at_shipment" => Ok(Self::AtShipment),
            _ => Err(UnknownCaptureTime(text.to_owned())),
        }
    }
}

/// A capture of a part of a payment, such as what a parcel is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Its identifier, which follows from its `Idempotency-Key`.
    pub id: CaptureId,
    /// A hash of its request.
    pub request_hash: String,
    /// How much it captures.
    pub amount: Money,
    /// How many pieces of each variant it is for, if it is for lines.
    pub units: BTreeMap<VariantId, u32>,
    /// Whether it releases what is not captured then.
    pub last: bool,
    /// When it was requested.
    pub created_at: Time,
}
