//! `Retry` and `Catch`.

use std::time::Duration;

use serde_json::{Number, Value};

use super::failure::RESERVED;
use super::fields::Fields;
use super::template::ResultPath;

/// One retrier of `Retry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retrier {
    pub(super) errors: Vec<String>,
    pub(super) max_attempts: u32,
    interval_ms: u64,
    /// `BackoffRate` in thousandths.
    rate_millis: u64,
    max_delay_ms: Option<u64>,
    full_jitter: bool,
}

/// One catcher of `Catch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catcher {
    pub(super) errors: Vec<String>,
    pub(super) next: String,
    pub(super) result_path: ResultPath,
}

impl Retrier {
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let mut fields = Fields::new(value)?;
        let _: Option<String> = fields.maybe("Comment")?;
        let interval: u64 = fields.maybe("IntervalSeconds")?.unwrap_or(1);
        let max_delay: Option<u64> = fields.maybe("MaxDelaySeconds")?;
        let rate: Option<Number> = fields.maybe("BackoffRate")?;
        let jitter: Option<String> = fields.maybe("JitterStrategy")?;
        let retrier = Self {
            errors: errors(&mut fields)?,
            max_attempts: fields.maybe("MaxAttempts")?.unwrap_or(3),
            interval_ms: interval.saturating_mul(1000),
            rate_millis: rate
                .map_or(Some(2000), |rate| thousandths(&rate))
                .filter(|rate| *rate >= 1000)
                .ok_or("BackoffRate must be at least 1.0")?,
            max_delay_ms: max_delay.map(|seconds| seconds.saturating_mul(1000)),
            full_jitter: match jitter.as_deref() {
                None | Some("NONE") => false,
                Some("FULL") => true,
                Some(other) => {
                    return Err(format!("JitterStrategy {other} is neither FULL nor NONE"));
                }
            },
        };
        if interval == 0 {
            return Err("IntervalSeconds must be at least 1".to_owned());
        }
        if max_delay.is_some_and(|seconds| seconds <= interval || seconds > 31_622_400) {
            return Err(
                "MaxDelaySeconds must be above IntervalSeconds and at most 31622400".to_owned(),
            );
        }
        fields.finish()?;
        Ok(retrier)
    }

    /// The longest time before retry number `retry`, which counts from 1.
    fn longest_delay_ms(&self, retry: u32) -> u64 {
        let mut delay_ms = u128::from(self.interval_ms);
        for _ in 1..retry {
            // Stays far below what would overflow, and above any delay that matters.
            delay_ms =
                (delay_ms * u128::from(self.rate_millis) / 1000).min(u128::from(u64::MAX) >> 16);
        }
        let delay_ms = u64::try_from(delay_ms).unwrap_or(u64::MAX);
        self.max_delay_ms.map_or(delay_ms, |max| delay_ms.min(max))
    }

    /// The time before retry number `retry`, which counts from 1: the interval, multiplied by the
    /// rate for each retry before, and with full jitter anything up to that.
    pub(super) fn delay(&self, retry: u32) -> Duration {
        let longest = self.longest_delay_ms(retry);
        Duration::from_millis(if self.full_jitter {
            rand::random_range(0..=longest)
        } else {
            longest
        })
    }
}

impl Catcher {
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let mut fields = Fields::new(value)?;
        let _: Option<String> = fields.maybe("Comment")?;
        let catcher = Self {
            errors: errors(&mut fields)?,
            next: fields.needed("Next")?,
            result_path: ResultPath::parse(fields.raw("ResultPath").as_ref())?,
        };
        fields.finish()?;
        Ok(catcher)
    }
}

/// Refuses `States.ALL` anywhere but alone in the last of `lists`.
pub(super) fn check_order<'a>(
    lists: impl ExactSizeIterator<Item = &'a [String]>,
) -> Result<(), String> {
    let last = lists.len();
    for (at, errors) in lists.enumerate() {
        if errors.iter().any(|error| error == "States.ALL") && (errors.len() > 1 || at + 1 != last)
        {
            return Err("States.ALL must stand alone and last".to_owned());
        }
    }
    Ok(())
}

fn errors(fields: &mut Fields) -> Result<Vec<String>, String> {
    let errors: Vec<String> = fields.needed("ErrorEquals")?;
    if errors.is_empty() {
        return Err("ErrorEquals is empty".to_owned());
    }
    let unknown =
        |error: &&String| error.starts_with("States.") && !RESERVED.contains(&error.as_str());
    match errors.iter().find(unknown) {
        Some(unknown) => Err(format!("there is no error {unknown}")),
        None => Ok(errors),
    }
}

/// A decimal number in thousandths, exact to three places.
fn thousandths(number: &Number) -> Option<u64> {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(fraction.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn retrier(mut fields: Value) -> Result<Retrier, String> {
        fields["ErrorEquals"] = json!(["A"]);
        Retrier::parse(&fields)
    }

    fn delays_ms(fields: Value) -> Vec<u128> {
        let retrier = retrier(fields).unwrap();
        (1..=4)
            .map(|retry| retrier.delay(retry).as_millis())
            .collect()
    }

    #[test]
    fn delays_grow_by_the_rate_up_to_the_maximum() {
        assert_eq!(delays_ms(json!({})), [1000, 2000, 4000, 8000]);
        assert_eq!(delays_ms(json!({"BackoffRate": 1})), [1000; 4]);
        let slower = json!({"IntervalSeconds": 2, "BackoffRate": 1.5, "MaxDelaySeconds": 4});
        assert_eq!(delays_ms(slower), [2000, 3000, 4000, 4000]);
        assert_eq!(retrier(json!({})).unwrap().max_attempts, 3);
    }

    #[test]
    fn full_jitter_stays_between_nothing_and_the_delay() {
        let retrier = retrier(json!({"JitterStrategy": "FULL"})).unwrap();
        let delays: Vec<Duration> = (0..200).map(|_| retrier.delay(3)).collect();
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(4)));
        assert!(delays.iter().any(|delay| *delay < Duration::from_secs(2)));
        assert!(delays.iter().any(|delay| *delay > Duration::from_secs(2)));
    }

    #[test]
    fn a_very_late_retry_does_not_overflow() {
        let retrier = retrier(json!({"BackoffRate": 1000, "MaxAttempts": 99_999_999})).unwrap();
        assert!(retrier.delay(5000) > Duration::from_secs(1_000_000));
    }

    #[test]
    fn invalid_retriers_are_refused() {
        for fields in [
            json!({"BackoffRate": 0.5}),
            json!({"IntervalSeconds": 0}),
            json!({"MaxDelaySeconds": 1}),
            json!({"JitterStrategy": "SOME"}),
            json!({"Colour": "red"}),
        ] {
            assert!(retrier(fields.clone()).is_err(), "{fields}");
        }
        assert!(Retrier::parse(&json!({"ErrorEquals": ["States.Nonsense"]})).is_err());
        assert!(Retrier::parse(&json!({"ErrorEquals": []})).is_err());
    }

    #[test]
    fn the_wildcard_stands_alone_and_last() {
        let check = |lists: &[&[&str]]| {
            let lists: Vec<Vec<String>> = lists
                .iter()
                .map(|list| list.iter().map(|&error| error.to_owned()).collect())
                .collect();
            check_order(lists.iter().map(Vec::as_slice))
        };
        assert!(check(&[&["A"], &["States.ALL"]]).is_ok());
        assert!(check(&[&["States.ALL"], &["A"]]).is_err());
        assert!(check(&[&["A", "States.ALL"]]).is_err());
    }
}
