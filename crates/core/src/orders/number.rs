//! The number of an order, for people: to be read out on the phone and written on a parcel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::values::id::OrderId;

/// How many digits a number has.
const DIGITS: usize = 12;

/// The most characters of a number as people type it, spaces and hyphens counted.
const MOST_CHARACTERS: usize = 40;

/// How many numbers there are.
const NUMBERS: u64 = 1_000_000_000_000;

/// Twelve digits in groups of four, such as `4821-0935-7642`: digits, because they are read out in every language alike.
/// Numbers do not follow each other, so nobody learns from one how much the shop sells, or guesses another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderNumber(u64);

/// A text that is not the number of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be the twelve digits of an order's number, such as 4821-0935-7642")]
pub struct InvalidOrderNumber;

impl OrderNumber {
    /// Returns the number that the order `id` gets at its `attempt`, from 0: another one for each attempt, because the
    /// first may belong to another order already.
    #[must_use]
    pub fn derived(id: OrderId, attempt: u32) -> Self {
        let hash = Sha256::digest(format!("number {attempt} of {id}"));
        let bytes = std::array::from_fn(|at| hash[at]);
        Self(u64::from_be_bytes(bytes) % NUMBERS)
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        let (first, rest) = (number / 100_000_000, number % 100_000_000);
        write!(f, "{first:04}-{:04}-{:04}", rest / 10_000, rest % 10_000)
    }
}

impl FromStr for OrderNumber {
    type Err = InvalidOrderNumber;

    /// Reads the digits, however they are grouped by spaces and hyphens.
    fn from_str(text: &str) -> Result<Self, InvalidOrderNumber> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let plain = text.len() <= MOST_CHARACTERS
            && digits.len() == DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = plain.then(|| digits.parse().ok()).flatten();
        number.map(Self).ok_or(InvalidOrderNumber)
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = InvalidOrderNumber;

    fn try_from(text: String) -> Result<Self, InvalidOrderNumber> {
        text.parse()
    }
}

impl From<OrderNumber> for String {
    fn from(number: OrderNumber) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> OrderId {
        OrderId::derived(&[name])
    }

    #[test]
    fn a_number_reads_back_however_it_is_grouped() {
        let number = OrderNumber(93_576_420);
        assert_eq!(number.to_string(), "0000-9357-6420");
        for text in [
            "0000-9357-6420",
            "000093576420",
            " 0000 9357 6420 ",
            "00-00-93-57-64-20",
        ] {
            assert_eq!(text.parse(), Ok(number), "{text}");
        }
        let long = format!("000093576420{}", "-".repeat(29));
        for text in [
            &long,
            "",
            "0000-9357-642",
            "0000-9357-64200",
            "+00093576420",
            "0000-9357-642a",
        ] {
            assert_eq!(
                text.parse::<OrderNumber>(),
                Err(InvalidOrderNumber),
                "{text}"
            );
        }
    }

    #[test]
    fn the_same_order_gets_the_same_number_and_another_one_for_the_next_attempt() {
        let number = OrderNumber::derived(id("a"), 0);
        assert_eq!(OrderNumber::derived(id("a"), 0), number);
        assert_ne!(OrderNumber::derived(id("a"), 1), number);
        assert_ne!(OrderNumber::derived(id("b"), 0), number);
    }
}
