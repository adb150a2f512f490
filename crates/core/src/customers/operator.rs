//! What an operator with AWS credentials does from the command line.

use super::model::{CustomerError, Email};
use super::rules;
use super::store::CustomerStore;
use crate::aws::dynamo::{self, Attempt};
use crate::values::clock::Time;

/// Gives the customer with the address `email` the role admin, which decides about the customer's next
/// request. Returns whether that changed anything: granting the role again changes nothing.
///
/// # Errors
/// [`CustomerError::NoSuchCustomer`] if nobody has this address; [`CustomerError::Changed`] if the
/// customer keeps changing.
pub async fn grant_admin(
    customers: &CustomerStore,
    email: &Email,
    now: Time,
) -> Result<bool, CustomerError> {
    dynamo::change_or(
        || CustomerError::Changed,
        || async {
            let account = customers.account_with_email(email).await?;
            let account = account.ok_or(CustomerError::NoSuchCustomer)?;
            let Some((account, stamp)) = rules::grant_admin(account, now) else {
                return Ok(Attempt::Done(false));
            };
            Ok(if customers.replace(account, stamp).await? {
                Attempt::Done(true)
            } else {
                Attempt::Overtaken
            })
        },
    )
    .await
}
