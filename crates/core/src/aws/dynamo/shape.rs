//! Amounts in stored items, and the error of an item that does not have its shape.

use crate::values::money::Money;

/// Returns the error of a stored item that cannot be read, or of a value that cannot be stored, because of `error`.
pub(crate) fn unreadable(error: impl std::fmt::Display) -> serde_dynamo::Error {
    serde::de::Error::custom(error)
}

/// Returns `money` as it is stored, in the smallest unit of its currency.
///
/// # Errors
/// If it is less than zero.
pub(crate) fn minor_units(money: Money) -> Result<u64, serde_dynamo::Error> {
    let units = money.minor_units();
    units.ok_or_else(|| unreadable("an amount is less than zero"))
}
