//! What an operator with AWS credentials does from the command line.

use super::model::{CustomerError, Email};
use super::rules;
use super::store::CustomerStore;
use crate::values::clock::Time;

/// How often a grant is decided again when the customer changes meanwhile.
const ATTEMPTS: u32 = 5;

/// Gives the customer with the address `email` the role admin, which counts from the next sign-in
/// on. Answers whether that changed anything: granting again changes nothing.
///
/// # Errors
/// [`CustomerError::NoSuchCustomer`] if nobody has this address; [`CustomerError::Changed`] if the
/// customer keeps changing.
pub async fn grant_admin(
    customers: &CustomerStore,
    email: &Email,
    now: Time,
) -> Result<bool, CustomerError> {
    for _ in 0..ATTEMPTS {
        let account = customers
            .account_of(email)
            .await?
            .ok_or(CustomerError::NoSuchCustomer)?;
        let Some((account, stamp)) = rules::grant_admin(account, now) else {
            return Ok(false);
        };
        match customers.replace(account, stamp).await {
            Ok(()) => return Ok(true),
            Err(CustomerError::Changed) => {}
            Err(error) => return Err(error),
        }
    }
    Err(CustomerError::Changed)
}
