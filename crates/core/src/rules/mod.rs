//! Rules: what a shop decides about orders without a deployment.
//!
//! - An expression is looked over when it is compiled: what it names is there, its types fit, and it
//!   cannot cost more than [`cel::Expression::MAX_COST`]. So no rule stalls who asks it.
//! - An amount is exact: there are no numbers with a decimal point.

pub mod cel;
pub mod view;
