//! `DELETE /customers/me`: what is personal is erased, what others stand on stays.

use super::api::given;
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

/// What deleting an account needs.
#[derive(Clone, Debug)]
pub struct Deletion {
    customers: CustomerStore,
    sessions: SessionStore,
    check: PasswordCheck,
}

impl Deletion {
    /// The resources of this function.
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

/// `DELETE /customers/me` `{password}`: 204. Name, addresses, phone number and password are gone in
/// one write, and with them the claim on the email address, which may register again. What stays is
/// the identifier, so that orders remain somebody's; their addresses go with the event.
///
/// # Errors
/// For bad input, for a wrong password, and for an admin: another must take the role away first, so
/// that one remains.
pub async fn delete_account(deletion: &Deletion, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let password = request.json(|body| body.required("password", |json| json.secret(1..=128)))?;
    let account = deletion.customers.account(caller.customer_id).await?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    let given = given(password, &request);
    deletion.check.of(&account, &given).await?;
    dynamo::change("the account", || async {
        let Some(account) = deletion.customers.account(caller.customer_id).await? else {
            // Deleted by this very request, whose response was lost, or by another.
            return Ok(Attempt::Done(()));
        };
        if account.customer.roles.contains(&Role::Admin) {
            let detail = "another admin must take the role from you first";
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
