//! What is left of a deletion.

use crate::values::clock::Time;
use crate::values::id::CustomerId;

/// The orders of a deleted customer that are still to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// The customer.
    pub customer: CustomerId,
    /// When the address of an order that is on its way is erased at the latest.
    pub erase_at: Time,
    /// The position of the last order that was erased, newest first.
    pub after: String,
    /// When the erasure is continued.
    pub due_at: Time,
}
