//! `oxcart bench`: what the functions cost on this machine.

use crate::Error;

mod functions;

/// Builds the functions `only`, or all if it names none, for release and prints what each costs.
///
/// # Errors
/// If the functions do not build or start.
pub(crate) async fn run(only: &[String]) -> Result<(), Error> {
    functions::run(only).await
}
