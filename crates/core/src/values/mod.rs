//! The values that every service speaks of: money, identifiers, times, addresses, phone numbers, events.
//! Nothing here does I/O or knows AWS.

pub mod address;
pub mod card_number;
pub mod clock;
pub(crate) mod digest;
pub mod event;
pub(crate) mod formulas;
pub mod group;
pub mod id;
pub mod locale;
pub mod moment;
pub mod money;
pub mod phone;
pub(crate) mod postal_code;
pub mod region;
pub mod stream;
pub mod tax_number;
