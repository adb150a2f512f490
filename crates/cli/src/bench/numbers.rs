//! Figures without floats.

use std::time::Duration;

/// `amount / unit`, rounded to one decimal.
pub(super) fn tenths(amount: u64, unit: u64) -> String {
    let tenths = (amount * 10 + unit / 2) / unit;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Microseconds as milliseconds with two decimals.
pub(crate) fn millis(micros: u64) -> String {
    let hundredths = (micros + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// `amount` divided among `count`, rounded down; 0 if there are none.
pub(super) fn per(amount: u64, count: u64) -> u64 {
    amount.checked_div(count).unwrap_or(0)
}

/// Returns the smallest of the `values` that at least `percent` percent of them do not exceed, or
/// `None` if there are none.
pub(crate) fn percentile<T: Ord + Copy>(mut values: Vec<T>, percent: usize) -> Option<T> {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

/// Returns the middle of the `values`, the lower one of two, or `None` if there are none.
pub(super) fn median<T: Ord + Copy>(values: Vec<T>) -> Option<T> {
    percentile(values, 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let hundred: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(percentile(hundred.clone(), 50), Some(50));
        assert_eq!(percentile(hundred.clone(), 99), Some(99));
        assert_eq!(percentile(hundred, 100), Some(100));
        assert_eq!(percentile(vec![7, 3], 99), Some(7));
        assert_eq!(median(vec![5, 1, 9]), Some(5));
        assert_eq!(median(vec![7, 3]), Some(3));
        assert_eq!(median(Vec::<u32>::new()), None);
    }

    #[test]
    fn figures_are_rounded_to_the_nearest() {
        assert_eq!(tenths(3_849, 1_000), "3.8");
        assert_eq!(tenths(3_850, 1_000), "3.9");
        assert_eq!(millis(1_234), "1.23");
        assert_eq!(millis(1_235), "1.24");
        assert_eq!(millis(59_004), "59.00");
        assert_eq!(per(10, 0), 0);
    }
}
