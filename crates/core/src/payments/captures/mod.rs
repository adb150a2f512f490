//! Captures: what is taken of a payment that was authorised, parcel by parcel, if the shop captures at shipment.
//!
//! A capture is stored in its payment before the gateway is called, and another one begins only once its outcome is known:
//! so the gateway is always asked for a total, which it captures once however often it is asked for. A capture whose
//! outcome is not known is repeated every minute by `reconcile-payments`, which also asks for payments whose authorisation
//! is about to expire, and puts them to an admin.

pub mod api;
pub mod rules;
pub mod settle;

#[cfg(test)]
pub(super) mod tests;
