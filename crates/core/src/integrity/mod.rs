//! Integrity: audits whether the data of the other services is consistent.
//!
//! The service owns the table of audits and their findings. It reads the tables of the other services, those of orders,
//! stock and payments through their own stores, and the event log, and changes none of them. `audit-integrity` runs every
//! hour and whenever it is invoked. It is a service of its own because orders read the event log: an audit within
//! `platform` would make the two depend on each other.
//!
//! An audit looks at everything that had an event since the last one, and it reads on in all tables, so that it also
//! finds what had no event, and events that were lost.
//!
//! Invariants:
//! - An audit is bounded, and always advances: it stores how far it has got after each piece of its work.
//! - Of two audits at once, the one that first stores how far it has got goes on; the other stops, and is made again.
//! - Unfinished work is not a violation: an order with something due, or a change of the last minute, is checked
//!   again by the next audit.
//! - A violation that is found again stays one finding. One that is not found again is resolved, and stays on record.
//! - A lost event is brought back by an item of this table, whose stream publishes it with its own `event_id`.

pub mod api;
pub mod audit;
mod checks;
pub mod events;
pub mod evidence;
mod gift_cards;
pub mod model;
mod money;
pub mod pass;
pub mod progress;
mod record;
pub mod resources;
pub mod rules;
mod stock;
pub mod store;
pub mod tables;

#[cfg(test)]
mod tests;
