//! The routes of a customer's own account, `/customers/me`, and how a stored account changes.

use super::api::{CustomerBody, name};
use super::model::{Account, CustomerError};
use super::rules::{self, Patch};
use super::store::CustomerStore;
use crate::aws::dynamo::{self, Attempt};
use crate::http::body::{Body, Json, locale};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;
use crate::values::phone;

/// `GET /customers/me`: returns the caller's account.
///
/// # Errors
/// [`Problem::NotFound`] if the account has been deleted and the access token is still valid.
pub async fn get_account(customers: &CustomerStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let account = customers.account(caller.customer_id).await?;
    account_response(account.ok_or(CustomerError::NoSuchCustomer)?)
}

/// `PATCH /customers/me` (JSON merge patch, RFC 7396): changes the fields that are sent; `null` removes the phone
/// number.
///
/// # Errors
/// [`Problem::InvalidBody`]; [`Problem::PreconditionRequired`] or [`Problem::PreconditionFailed`] without a current
/// `If-Match`.
pub async fn update_account(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let expected = request.if_match()?;
    let patch = request.json(patch)?;
    let account = change(
        customers,
        caller.customer_id,
        &request,
        &expected,
        |account| rules::update(account, patch.clone(), &expected, request.now),
    )
    .await?;
    account_response(account)
}

fn patch(body: &mut Body) -> Option<Patch> {
    let name = body.non_nullable("name", name);
    let locale = body.non_nullable("locale", locale);
    let phone = body.nullable("phone", phone_number);
    Some(Patch {
        name: name?,
        locale: locale?,
        phone: phone?,
    })
}

fn phone_number(json: Json<'_>) -> Option<String> {
    json.parsed(
        "this must be a phone number such as +49 30 1234567",
        |text| phone::parse(text, None),
    )
}

/// Returns the response that shows `account`.
pub(super) fn account_response(account: Account) -> Result<Response, Problem> {
    let tag = rules::tag(&account.customer);
    Ok(Response::ok(&CustomerBody::from(account.customer))?.etag(&tag))
}

/// Changes the account `id` to what `decide` makes of it (`None`: it stays as it is), and returns it as it
/// is then. If another writer is quicker, all of it is repeated, unless the client expects the version that
/// it has read.
///
/// # Errors
/// What `decide` refuses; [`CustomerError::NoSuchCustomer`]; [`CustomerError::EmailTaken`] if another customer has the new
/// address; [`CustomerError::Stale`] or [`CustomerError::Changed`] if other writers are quicker.
pub(super) async fn change(
    customers: &CustomerStore,
    id: CustomerId,
    request: &Request,
    expected: &IfMatch,
    decide: impl Fn(Account) -> Result<Option<(Account, Stamp)>, CustomerError>,
) -> Result<Account, CustomerError> {
    dynamo::change_or(
        || CustomerError::Changed,
        || async {
            let account = customers.account(id).await?;
            let account = account.ok_or(CustomerError::NoSuchCustomer)?;
            let Some((next, mut stamp)) = decide(account.clone())? else {
                return Ok(Attempt::Done(account));
            };
            stamp.traceparent = request.traceparent();
            let before = &account.customer.email;
            let replaced = if next.customer.email == *before {
                customers.replace(next.clone(), stamp).await?
            } else {
                let moved = customers.replace_with_email(next.clone(), before, stamp);
                moved.await?
            };
            // A refused write may be our own, whose response was lost, or another that made the same change.
            if replaced || customers.account(id).await?.as_ref() == Some(&next) {
                return Ok(Attempt::Done(next));
            }
            if *expected == IfMatch::Any {
                Ok(Attempt::Overtaken)
            } else {
                Err(CustomerError::Stale)
            }
        },
    )
    .await
}
