//! `DELETE /customers/me`: erases personal data and keeps what other records refer to.

use super::api::sent_password;
use super::credentials::PasswordCheck;
use super::model::{CustomerError, Role};
use super::rules;
use super::sessions::store::SessionStore;
use super::store::CustomerStore;
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt};
use crate::aws::settings::SettingError;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;

/// The resources that deleting an account needs.
#[derive(Clone, Debug)]
pub struct Deletion {
    customers: CustomerStore,
    sessions: SessionStore,
    check: PasswordCheck,
}

impl Deletion {
    /// Opens the resources of the function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            customers: CustomerStore::new(aws)?,
            sessions: SessionStore::new(aws)?,
            check: PasswordCheck::new(aws)?,
        })
    }
}

/// `DELETE /customers/me` `{password}`: deletes the account and returns 204. Name, addresses, phone number and
/// password are erased in one transaction, and the email address may register again. The identifier stays, so
/// that orders still belong to a customer; the orders service erases their addresses when it receives the event.
///
/// # Errors
/// [`Problem::InvalidBody`], also for a wrong password; [`Problem::TooManyRequests`] after too many of them;
/// [`Problem::Conflict`] for an admin, so that there is always one.
pub async fn delete_account(deletion: &Deletion, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let password = request.json(|body| body.required("password", |json| json.secret(1..=128)))?;
    let account = deletion.customers.account(caller.customer_id).await?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    let sent = sent_password(password, &request);
    deletion.check.reauthenticate(&account, &sent).await?;
    dynamo::change("the account", || async {
        let Some(account) = deletion.customers.account(caller.customer_id).await? else {
            // Deleted by this very request, whose response was lost, or by another.
            return Ok(Attempt::Done(()));
        };
        if account.customer.roles.contains(&Role::Admin) {
            let detail = "An admin's account cannot be deleted. Ask another admin to take the role from you first.";
            return Err(CustomerError::OwnAccount(detail));
        }
        let mut stamp = rules::delete(&account, request.now);
        stamp.traceparent = request.traceparent();
        Ok(if deletion.customers.erase(&account, stamp).await? {
            Attempt::Done(())
        } else {
            Attempt::Overtaken
        })
    })
    .await?;
    deletion.sessions.end_all(caller.customer_id).await?;
    Ok(Response::no_content())
}
