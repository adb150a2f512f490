//! Points in time, as events give them. No function reads the wall clock: the current time is the time
//! of the event that the function handles.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A point in time in UTC, to the millisecond.
///
/// Wire and stored shape: RFC 3339 with exactly three decimals and `Z`
/// (`2026-03-01T09:30:00.000Z`), so that text order is time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(Timestamp);

const DAY_MILLIS: i64 = 24 * 3600 * 1000;

/// A text that is not an RFC 3339 time between the years 0000 and 9999.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time: {0:?}")]
pub struct InvalidTime(String);

impl Time {
    /// Returns the time `millis` milliseconds after 1970-01-01T00:00:00Z, kept within the years 0 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        let bound = Timestamp::MAX.as_millisecond();
        let millis = millis.clamp(-62_135_596_800_000, bound);
        Self(Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, as JWT and DynamoDB's time to live count them.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Returns the time to the second in the basic format of ISO 8601 (`20260301T093000Z`), as signatures of AWS have it.
    #[must_use]
    pub fn basic(self) -> String {
        self.0.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Returns the time `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.0.saturating_add(duration).map_or(self, Self)
    }

    /// Returns the time `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.0.saturating_sub(duration).map_or(self, Self)
    }

    /// Returns how long after `earlier` this time is; zero if it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or_default()
    }

    /// Returns the beginning of the day in UTC.
    #[must_use]
    pub fn midnight(self) -> Self {
        let millis = self.as_millis();
        Self::from_millis(millis - millis.rem_euclid(DAY_MILLIS))
    }

    /// Returns the new `updated_at` of a change at this time: never earlier than the stored one, because
    /// the times of redelivered events are old.
    #[must_use]
    pub fn no_earlier_than(self, stored: Self) -> Self {
        self.max(stored)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl From<Time> for SystemTime {
    fn from(time: Time) -> Self {
        time.0.into()
    }
}

impl FromStr for Time {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let time: Timestamp = text.parse().map_err(|_| InvalidTime(text.to_owned()))?;
        Ok(Self::from_millis(time.as_millisecond()))
    }
}

impl TryFrom<String> for Time {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_three_decimals_whatever_was_given() {
        for given in ["2026-03-01T09:30:00Z", "2026-03-01T10:30:00.0004+01:00"] {
            assert_eq!(
                given.parse::<Time>().unwrap().to_string(),
                "2026-03-01T09:30:00.000Z"
            );
        }
        assert!("yesterday".parse::<Time>().is_err());
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let time = |text: &str| text.parse::<Time>().unwrap();
        for (given, midnight) in [
            ("2026-03-01T23:59:59.999Z", "2026-03-01T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-03-01T00:30:00+01:00", "2026-02-28T00:00:00Z"),
            ("1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z"),
        ] {
            assert_eq!(time(given).midnight(), time(midnight));
        }
    }

    #[test]
    fn text_order_is_time_order() {
        let earlier = Time::from_millis(999);
        let later = earlier.plus(Duration::from_millis(1));
        assert!(earlier < later && earlier.to_string() < later.to_string());
    }
}
