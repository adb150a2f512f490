//! HTTP as handlers see it: requests and responses, JSON bodies, pages, problems, the table of routes, and
//! the guard that every request passes on its way to its handler.

pub(crate) mod address;
pub mod body;
pub mod exchange;
pub mod guard;
pub mod limits;
pub mod page;
pub mod problem;
pub mod routes;
pub mod sheet;
