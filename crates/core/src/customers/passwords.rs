//! The routes that change, forget and reset passwords, and confirm email addresses.
//!
//! A link proves that its owner reads the mailbox. A link that resets the password works once: it is bound to
//! the number of the account's password, which each change raises. Confirming an address needs the password beside
//! the link: somebody who opened the account with another person's address knows the one, and this person has
//! the other, so neither of them alone confirms the address of such an account.

use super::api::{email, new_password, sent_password};
use super::credentials::PasswordCheck;
use super::link::{Link, Links, Purpose};
use super::messages::{self, CustomerMessages, Template};
use super::model::{Account, CustomerError, Email};
use super::profile::change;
use super::rules;
use super::sessions::store::SessionStore;
use super::store::CustomerStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::http::body::Body;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::{Fault, Problem};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, EventId};

/// The resources of the routes that check or change a password.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    pub(super) customers: CustomerStore,
    sessions: SessionStore,
    pub(super) check: PasswordCheck,
}

impl PasswordChange {
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

/// `POST /customers/me/password` `{current_password, new_password}`: changes the password, ends all sessions,
/// including the caller's own, and returns 204.
///
/// # Errors
/// [`Problem::InvalidBody`], also for a wrong current password; [`Problem::TooManyRequests`] after too many of
/// them.
pub async fn change_password(
    passwords: &PasswordChange,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let (current, new) = request.json(both_passwords)?;
    let account = passwords.customers.account(caller.customer_id).await?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    let sent = sent_password(current, &request);
    let checked = passwords.check.reauthenticate(&account, &sent).await;
    if matches!(checked, Err(CustomerError::WrongPassword)) {
        let pointer = "/current_password";
        return Err(Problem::field(
            pointer,
            "wrong",
            "this is not your password",
        ));
    }
    checked?;
    replace_password(passwords, &account, &new, &request).await?;
    Ok(Response::no_content())
}

fn both_passwords(body: &mut Body) -> Option<(String, String)> {
    let current = body.required("current_password", |json| json.secret(1..=128));
    let new = body.required("new_password", new_password);
    Some((current?, new?))
}

/// Checks that the `stored` account has the password that it had when `account` was read, with which a caller has shown
/// who they are.
///
/// # Errors
/// [`CustomerError::Changed`] if it has another one.
pub(super) fn ensure_same_password(
    stored: &Account,
    account: &Account,
) -> Result<(), CustomerError> {
    if stored.password_version == account.password_version {
        Ok(())
    } else {
        Err(CustomerError::Changed)
    }
}

/// Gives `account` the password `new`, unless its password has changed since it was read, and ends its sessions.
/// A session that an error here leaves stored cannot be renewed, because it records which password it began with.
async fn replace_password(
    passwords: &PasswordChange,
    account: &Account,
    new: &str,
    request: &Request,
) -> Result<(), CustomerError> {
    let hash = super::password::hash(new)?;
    let id = account.customer.id;
    change(&passwords.customers, id, request, &IfMatch::Any, |stored| {
        ensure_same_password(&stored, account)?;
        Ok(Some(rules::change_password(
            stored,
            hash.clone(),
            request.now,
        )))
    })
    .await?;
    Ok(passwords.sessions.end_all(id).await?)
}

/// `POST /auth/password/forgot` `{email}`: mails a link if an account has the address, and returns 202 in any
/// case. Reads and queues the same for an unknown address.
///
/// # Errors
/// [`Problem::InvalidBody`].
pub async fn forgot_password(
    customers: &CustomerStore,
    messages: &CustomerMessages,
    request: Request,
) -> Result<Response, Problem> {
    let email: Email = request.json(|body| body.required("email", email))?;
    let account = customers.account_with_email(&email).await?;
    let (id, password_version) = account.map_or((CustomerId::derived(&["nobody"]), 0), |account| {
        (account.customer.id, account.password_version)
    });
    let occasion = occasion(id, request.now, password_version);
    let queued = messages
        .request(Template::PasswordReset, id, occasion)
        .await;
    queued.map_err(Problem::internal)?;
    Ok(Response::accepted())
}

/// Returns the occasion of a message that the customer `id` requests at `now`. It stays the same within five
/// minutes, unless the password changes.
fn occasion(id: CustomerId, now: Time, password_version: u64) -> EventId {
    let window = messages::period(now);
    EventId::derived(&[
        "asked",
        &id.to_string(),
        &window.to_string(),
        &password_version.to_string(),
    ])
}

/// `POST /auth/password/reset` `{token, password}`: replaces the password, ends all sessions, clears the failures
/// that make sign-ins wait, and returns 204.
///
/// # Errors
/// [`Problem::InvalidBody`], also for a link that is forged, has expired or has been used.
pub async fn reset_password(
    passwords: &PasswordChange,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let (token, password) = request.json(|body| {
        let token = body.required("token", |json| json.secret(1..=MAX_TOKEN_CHARACTERS));
        let password = body.required("password", new_password);
        Some((token?, password?))
    })?;
    let linked = linked_account(
        &passwords.customers,
        links,
        Purpose::ResetPassword,
        &token,
        &request,
    );
    let (account, fingerprint) = linked.await?;
    if fingerprint != rules::password_fingerprint(&account) || account.customer.disabled {
        return Err(bad_link());
    }
    match replace_password(passwords, &account, &password, &request).await {
        Ok(()) => {}
        Err(CustomerError::Changed) => return Err(bad_link()),
        Err(error) => return Err(error.into()),
    }
    passwords
        .check
        .clear_failures(&account.customer.email, &request.source_ip)
        .await?;
    Ok(Response::no_content())
}

/// The longest text that is accepted as a link's token, in characters.
const MAX_TOKEN_CHARACTERS: usize = 4096;

/// Reads the token of a link, and the password of the account that it is for.
pub(super) fn link_and_password(body: &mut Body) -> Option<(String, String)> {
    let token = body.required("token", |json| json.secret(1..=MAX_TOKEN_CHARACTERS));
    let password = body.required("password", |json| json.secret(1..=128));
    Some((token?, password?))
}

/// Returns the account that the link `token` is for, and the link's fingerprint.
async fn linked_account(
    customers: &CustomerStore,
    links: &Links,
    purpose: Purpose,
    token: &str,
    request: &Request,
) -> Result<(Account, String), Problem> {
    let link = links.verify(purpose, token, request.now).await?;
    account_of(customers, link.ok_or_else(bad_link)?).await
}

/// Returns the account that `link` is for, and the link's fingerprint.
pub(super) async fn account_of(
    customers: &CustomerStore,
    link: Link,
) -> Result<(Account, String), Problem> {
    let id: CustomerId = link.subject.parse().map_err(|_| bad_link())?;
    let account = customers.account(id).await?;
    Ok((account.ok_or_else(bad_link)?, link.fingerprint))
}

pub(super) fn bad_link() -> Problem {
    Problem::InvalidBody(vec![Fault {
        pointer: "/token".to_owned(),
        code: "bad_link",
        detail: "this link has expired or has been used: request a new one".to_owned(),
    }])
}

/// `POST /auth/confirm` `{token, password}`: confirms the email address for a caller who has the mailed link and
/// knows the account's password, and returns 204. Using the link again changes nothing.
///
/// # Errors
/// [`Problem::InvalidBody`], also for a link that is forged, has expired or was sent to another address, and for a
/// wrong password; [`Problem::TooManyRequests`] after too many of them.
pub async fn confirm_email(
    passwords: &PasswordChange,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let (token, password) = request.json(link_and_password)?;
    let customers = &passwords.customers;
    let linked = linked_account(customers, links, Purpose::ConfirmEmail, &token, &request);
    let (account, fingerprint) = linked.await?;
    if fingerprint != rules::email_fingerprint(&account) {
        return Err(bad_link());
    }
    let sent = sent_password(password, &request);
    passwords.check.reauthenticate(&account, &sent).await?;
    let id = account.customer.id;
    change(customers, id, &request, &IfMatch::Any, |stored| {
        ensure_same_password(&stored, &account)?;
        Ok(rules::confirm_email(stored, request.now))
    })
    .await?;
    Ok(Response::no_content())
}

/// `POST /customers/me/confirmation`: mails the link that confirms the email address again, unless it is already
/// confirmed, and returns 202.
///
/// # Errors
/// [`Problem::NotFound`] if the account has been deleted.
pub async fn resend_confirmation(
    customers: &CustomerStore,
    messages: &CustomerMessages,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let account = customers.account(caller.customer_id).await?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    if account.customer.email_confirmed_at.is_none() {
        let id = caller.customer_id;
        let occasion = occasion(id, request.now, 0);
        let queued = messages.request(Template::ConfirmEmail, id, occasion).await;
        queued.map_err(Problem::internal)?;
    }
    Ok(Response::accepted())
}
