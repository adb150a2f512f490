//! Passwords that are changed, forgotten and set anew, and addresses that are confirmed: what a
//! customer does with the account's two proofs.
//!
//! Links prove that whoever has them reads the mailbox. A link to a new password is good for one: it
//! is bound to the count of the account's passwords, which each change raises.

use super::api::{email, given, new_password};
use super::credentials::PasswordCheck;
use super::link::{Links, Purpose};
use super::messages::{CustomerMessages, Template};
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

/// In how many seconds a customer is written to once about the same, however often that is asked
/// for: so nobody can fill another's mailbox.
const ONE_MESSAGE_IN_SECONDS: i64 = 300;

/// What changing a password needs.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    customers: CustomerStore,
    sessions: SessionStore,
    check: PasswordCheck,
}

impl PasswordChange {
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

/// `POST /customers/me/password` `{current_password, new_password}`: 204, and all sessions end, the
/// caller's own too.
///
/// # Errors
/// For bad input, for a wrong current password, and for who guesses it.
pub async fn change_password(
    passwords: &PasswordChange,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let (current, new) = request.json(both_passwords)?;
    let account = passwords.customers.account(caller.customer_id).await?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    let given = given(current, &request);
    let proved = passwords.check.of(&account, &given).await;
    if matches!(proved, Err(CustomerError::WrongPassword)) {
        let pointer = "/current_password";
        return Err(Problem::field(
            pointer,
            "wrong",
            "this is not your password",
        ));
    }
    proved?;
    set(passwords, &account, &new, &request).await?;
    Ok(Response::no_content())
}

fn both_passwords(body: &mut Body) -> Option<(String, String)> {
    let current = body.required("current_password", |json| json.secret(1..=128));
    let new = body.required("new_password", new_password);
    Some((current?, new?))
}

/// Gives `account` the password `new`, if it has still the one that it was read with, and ends its
/// sessions. A session that does not end here for an error is over nevertheless: it knows the
/// password that it was begun with.
async fn set(
    passwords: &PasswordChange,
    account: &Account,
    new: &str,
    request: &Request,
) -> Result<(), CustomerError> {
    let hash = super::password::hash(new)?;
    let id = account.customer.id;
    change(&passwords.customers, id, request, &IfMatch::Any, |stored| {
        if stored.password_version != account.password_version {
            return Err(CustomerError::Changed);
        }
        Ok(Some(rules::change_password(
            stored,
            hash.clone(),
            request.now,
        )))
    })
    .await?;
    Ok(passwords.sessions.end_all(id).await?)
}

/// `POST /auth/password/forgot` `{email}`: 202 whoever it is; a link goes to the address if there is
/// an account of it. Reads and queues the same for an unknown address.
///
/// # Errors
/// For bad input.
pub async fn forgot_password(
    customers: &CustomerStore,
    messages: &CustomerMessages,
    request: Request,
) -> Result<Response, Problem> {
    let email: Email = request.json(|body| body.required("email", email))?;
    let account = customers.account_of(&email).await?;
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

/// What a message that the customer `id` asks for at `now` is about: the same within five minutes,
/// as long as the password is.
fn occasion(id: CustomerId, now: Time, password_version: u64) -> EventId {
    let window = now.as_seconds() / ONE_MESSAGE_IN_SECONDS;
    EventId::derived(&[
        "asked",
        &id.to_string(),
        &window.to_string(),
        &password_version.to_string(),
    ])
}

/// `POST /auth/password/reset` `{token, password}`: 204, and all sessions end. The failures that
/// slowed sign-ins down are forgotten.
///
/// # Errors
/// For bad input, and for a link that is none, has expired or was used.
pub async fn reset_password(
    passwords: &PasswordChange,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let (token, password) = request.json(|body| {
        let token = body.required("token", |json| json.secret(1..=MOST_CHARACTERS));
        let password = body.required("password", new_password);
        Some((token?, password?))
    })?;
    let linked = linked(
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
    match set(passwords, &account, &password, &request).await {
        Ok(()) => {}
        Err(CustomerError::Changed) => return Err(bad_link()),
        Err(error) => return Err(error.into()),
    }
    passwords.check.forgive(&account.customer.email).await?;
    Ok(Response::no_content())
}

/// The most characters of what is sent as a link's token.
const MOST_CHARACTERS: usize = 4096;

/// The account that the link `token` is about, and the fingerprint in it.
async fn linked(
    customers: &CustomerStore,
    links: &Links,
    purpose: Purpose,
    token: &str,
    request: &Request,
) -> Result<(Account, String), Problem> {
    let link = links.verify(purpose, token, request.now).await?;
    let link = link.ok_or_else(bad_link)?;
    let id: CustomerId = link.subject.parse().map_err(|_| bad_link())?;
    let account = customers.account(id).await?;
    Ok((account.ok_or_else(bad_link)?, link.fingerprint))
}

fn bad_link() -> Problem {
    Problem::InvalidBody(vec![Fault {
        pointer: "/token".to_owned(),
        code: "bad_link",
        detail: "this link has expired or was used: ask for another".to_owned(),
    }])
}

/// `POST /auth/confirm` `{token}`: 204; the address is its customer's from now on, and stays so when
/// the link is followed again.
///
/// # Errors
/// For bad input, and for a link that is none, has expired or was sent to another address.
pub async fn confirm_email(
    customers: &CustomerStore,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let token =
        request.json(|body| body.required("token", |json| json.secret(1..=MOST_CHARACTERS)))?;
    let linked = linked(customers, links, Purpose::ConfirmEmail, &token, &request);
    let (account, fingerprint) = linked.await?;
    if fingerprint != rules::email_fingerprint(&account) {
        return Err(bad_link());
    }
    let id = account.customer.id;
    change(customers, id, &request, &IfMatch::Any, |account| {
        Ok(rules::confirm_email(account, request.now))
    })
    .await?;
    Ok(Response::no_content())
}

/// `POST /customers/me/confirmation`: 202; mails the link that confirms the address again, unless
/// it is confirmed already.
///
/// # Errors
/// [`Problem::NotFound`] if the account was deleted meanwhile.
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
