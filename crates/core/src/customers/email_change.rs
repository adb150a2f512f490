//! Changing the email address of an account. The change is confirmed at both ends: with a link to the present address, if
//! that is confirmed, and with a link to the new one. Both need the password beside the link, as confirming an address at
//! registration does ([`super::passwords`]).

use super::api::{email, sent_password};
use super::link::{Links, Purpose};
use super::messages::{CustomerMessages, Template};
use super::model::{Account, CustomerError};
use super::passwords::{self, PasswordChange};
use super::profile::change;
use super::rules::{self, End};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::values::id::EventId;

/// `POST /customers/me/email` `{email, password}`: requests another email address for the caller's account, mails the links
/// that confirm it, and returns 202. The account keeps its address until both links are used.
///
/// # Errors
/// [`Problem::InvalidBody`], also for a wrong password and for the address that the account has;
/// [`Problem::TooManyRequests`] after too many wrong passwords; [`Problem::Conflict`] if another account has the address.
pub async fn request_email_change(
    passwords: &PasswordChange,
    messages: &CustomerMessages,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?.customer_id;
    let (email, password) = request.json(|body| {
        let email = body.required("email", email);
        let password = body.required("password", |json| json.secret(1..=128));
        Some((email?, password?))
    })?;
    let customers = &passwords.customers;
    let account = customers.account(caller).await?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    let sent = sent_password(password, &request);
    passwords.check.reauthenticate(&account, &sent).await?;
    if email.lowercase() == account.customer.email.lowercase() {
        let detail = "the account has this address already";
        return Err(Problem::field("/email", "same", detail));
    }
    if customers.account_with_email(&email).await?.is_some() {
        return Err(CustomerError::EmailTaken.into());
    }
    let account = change(customers, caller, &request, &IfMatch::Any, |stored| {
        passwords::ensure_same_password(&stored, &account)?;
        let email = email.clone();
        Ok(rules::request_email_change(stored, email, request.now))
    })
    .await?;
    mail_links(messages, &account).await?;
    Ok(Response::accepted())
}

/// Mails the links of the change that `account` has under way, once for each request of it.
async fn mail_links(messages: &CustomerMessages, account: &Account) -> Result<(), Problem> {
    let Some(change) = &account.email_change else {
        return Ok(());
    };
    let id = account.customer.id;
    let requested_at = change.requested_at.to_string();
    let occasion = EventId::derived(&["email", &id.to_string(), &requested_at]);
    let templates = [
        (Template::ConfirmNewEmail, change.is_confirmed),
        (Template::ApproveEmail, change.is_approved),
    ];
    for (template, _) in templates.into_iter().filter(|(_, is_done)| !is_done) {
        let queued = messages.request(template, id, occasion).await;
        queued.map_err(Problem::internal)?;
    }
    Ok(())
}

/// `POST /auth/email` `{token, password}`: confirms a change of the email address at the end whose mailbox got the link, and
/// returns 204. The account has the new address once both ends have confirmed. Using a link again changes nothing.
///
/// # Errors
/// [`Problem::InvalidBody`], also for a link that is forged, has expired or is for another change, and for a wrong
/// password; [`Problem::TooManyRequests`] after too many of them; [`Problem::Conflict`] if another account has the address
/// by now.
pub async fn confirm_email_change(
    passwords: &PasswordChange,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let (token, password) = request.json(passwords::link_and_password)?;
    let (account, end) = linked(passwords, links, &token, &request).await?;
    let sent = sent_password(password, &request);
    passwords.check.reauthenticate(&account, &sent).await?;
    let (customers, id) = (&passwords.customers, account.customer.id);
    change(customers, id, &request, &IfMatch::Any, |stored| {
        passwords::ensure_same_password(&stored, &account)?;
        if rules::email_change_fingerprint(&stored) != rules::email_change_fingerprint(&account) {
            return Err(CustomerError::Changed);
        }
        Ok(rules::confirm_email_change(stored, end, request.now))
    })
    .await?;
    Ok(Response::no_content())
}

/// Returns the account that the link `token` is for, and the end of the change that it confirms.
async fn linked(
    passwords: &PasswordChange,
    links: &Links,
    token: &str,
    request: &Request,
) -> Result<(Account, End), Problem> {
    for (purpose, end) in [
        (Purpose::ApproveEmail, End::Present),
        (Purpose::ConfirmNewEmail, End::New),
    ] {
        let Some(link) = links.verify(purpose, token, request.now).await? else {
            continue;
        };
        let (account, fingerprint) = passwords::account_of(&passwords.customers, link).await?;
        if rules::email_change_fingerprint(&account) == Some(fingerprint) {
            return Ok((account, end));
        }
    }
    Err(passwords::bad_link())
}
