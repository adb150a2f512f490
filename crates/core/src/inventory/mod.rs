//! Inventory: the stock of each product, and the reservations of orders.
//!
//! Owns the table of stock and reservations. Invariants:
//!
//! - `on_hand + backorder = available + reserved`, and none of them is ever negative;
//! - `reserved` is the sum of the lines of all reservations that are held or committed;
//! - an order has at most one reservation, whose status changes in the same transaction as its stock;
//! - a reservation is never deleted, and a released one stays released.

pub mod api;
pub mod events;
pub mod imports;
mod item;
pub mod model;
pub mod rules;
pub mod steps;
pub mod store;

#[cfg(test)]
mod tests;
