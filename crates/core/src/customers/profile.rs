//! A customer's own account: `/customers/me`.

use super::api::{CustomerBody, locale, name};
use super::model::{Account, CustomerError};
use super::rules::{self, Patch};
use super::store::CustomerStore;
use crate::http::body::{Body, Json};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;
use crate::values::phone;

/// How often a change that takes whatever is stored is decided again.
const TRIES: u32 = 10;

/// `GET /customers/me`.
///
/// # Errors
/// [`Problem::NotFound`] if the account was deleted while its last access token lasts.
pub async fn get_account(customers: &CustomerStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let account = customers.account(caller.customer_id).await?;
    answer(account.ok_or(CustomerError::NoSuchCustomer)?)
}

/// `PATCH /customers/me` (JSON merge patch, RFC 7396): what is not sent stays, `null` removes the
/// phone number.
///
/// # Errors
/// For bad input, without `If-Match` or with a stale one.
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
    answer(account)
}

fn patch(body: &mut Body) -> Option<Patch> {
    let name = body.given("name", name);
    let locale = body.given("locale", locale);
    let phone = body.nullable("phone", phone_number);
    Some(Patch {
        name: name?,
        locale: locale?,
        phone: phone?,
    })
}

fn phone_number(json: Json<'_>) -> Option<String> {
    json.parsed("this must be a phone number as +49 30 1234567", |text| {
        phone::parse(text, None)
    })
}

/// The answer that shows `account`.
pub(super) fn answer(account: Account) -> Result<Response, Problem> {
    let tag = rules::tag(&account.customer);
    Ok(Response::ok(&CustomerBody::from(account.customer))?.etag(&tag))
}

/// Reads the account `id`, lets `decide` say what it should be (`None`: as it is), and writes that;
/// again if it changed in between and `expected` takes any. Answers it as it is then.
pub(super) async fn change(
    customers: &CustomerStore,
    id: CustomerId,
    request: &Request,
    expected: &IfMatch,
    decide: impl Fn(Account) -> Result<Option<(Account, Stamp)>, CustomerError>,
) -> Result<Account, CustomerError> {
    for _ in 0..TRIES {
        let account = customers.account(id).await?;
        let account = account.ok_or(CustomerError::NoSuchCustomer)?;
        let Some((next, mut stamp)) = decide(account.clone())? else {
            return Ok(account);
        };
        stamp.traceparent = request.traceparent();
        match customers.replace(next.clone(), stamp).await {
            Ok(()) => return Ok(next),
            Err(CustomerError::Changed) => {}
            Err(error) => return Err(error),
        }
        // Our own write, whose answer was lost, or another's that made the very same.
        if customers.account(id).await?.as_ref() == Some(&next) {
            return Ok(next);
        }
        if *expected != IfMatch::Any {
            return Err(CustomerError::Stale);
        }
    }
    Err(CustomerError::Changed)
}
