//! Groups of customers, such as wholesalers, who have prices of their own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a group of customers, such as `wholesale`: 1 to 50 of `a` to `z`, `0` to `9` and `-`. The names `guest` and
/// `customer` are taken: they stand for everybody without and with an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomerGroup(String);

/// A text that is not the name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this must be 1 to 50 of the characters a to z, 0 to 9 and -, and neither guest nor customer"
)]
pub struct InvalidGroup;

impl CustomerGroup {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CustomerGroup {
    type Err = InvalidGroup;

    fn from_str(text: &str) -> Result<Self, InvalidGroup> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_taken = matches!(text, "guest" | "customer");
        if (1..=50).contains(&text.len()) && text.bytes().all(allowed) && !is_taken {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidGroup)
        }
    }
}

impl TryFrom<String> for CustomerGroup {
    type Error = InvalidGroup;

    fn try_from(text: String) -> Result<Self, InvalidGroup> {
        text.parse()
    }
}

impl From<CustomerGroup> for String {
    fn from(group: CustomerGroup) -> Self {
        group.0
    }
}

impl fmt::Display for CustomerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_plain_name_that_is_not_taken() {
        for name in ["wholesale", "b2b-de", "7", &"a".repeat(50)] {
            assert_eq!(name.parse::<CustomerGroup>().unwrap().as_str(), name);
        }
        for name in [
            "",
            "guest",
            "customer",
            "Wholesale",
            "b2b de",
            "größte",
            &"a".repeat(51),
        ] {
            assert_eq!(name.parse::<CustomerGroup>(), Err(InvalidGroup), "{name}");
        }
    }
}
