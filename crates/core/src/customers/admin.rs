//! The routes with which admins manage customers: `/customers`.

use super::api::CustomerBody;
use super::model::{CustomerError, Email, Role};
use super::profile::{account_response, change};
use super::rules;
use super::sessions::store::SessionStore;
use super::store::CustomerStore;
use crate::http::body::{Body, Json};
use crate::http::exchange::{Caller, IfMatch, Request, Response};
use crate::http::page::{Page, PageRequest};
use crate::http::problem::Problem;
use crate::http::routes;
use crate::values::group::{CustomerGroup, InvalidGroup};
use crate::values::id::CustomerId;

/// `GET /customers?email=&limit=&cursor=`: returns all customers, newest first, or with `email` the one with this
/// address.
///
/// # Errors
/// [`Problem::Forbidden`] for a caller who is not an admin; [`Problem::InvalidParameters`].
pub async fn list_customers(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::LIST_CUSTOMERS.query)?;
    let page = PageRequest::read(&request, &query)?;
    let found = match query.get("email") {
        Some(text) => {
            let email: Email = text
                .parse()
                .map_err(|_| Problem::parameter("?email", "this must be an email address"))?;
            let account = customers.account_with_email(&email).await?;
            Page {
                items: account
                    .map(|account| account.customer)
                    .into_iter()
                    .collect(),
                next: None,
            }
        }
        None => customers.list(&page).await?,
    };
    found.map(CustomerBody::from).answer(&request)
}

/// `GET /customers/{customer_id}`: returns one customer.
///
/// # Errors
/// [`Problem::Forbidden`] for a caller who is not an admin; [`Problem::NotFound`].
pub async fn get_customer(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let account = customers.account(customer_id(&request)?).await?;
    account_response(account.ok_or(CustomerError::NoSuchCustomer)?)
}

/// `POST /customers/{customer_id}/disable`: prevents sign-in and renewal, and ends all sessions. Disabling the
/// account again ends sessions that are left.
///
/// # Errors
/// [`Problem::Forbidden`] for a caller who is not an admin any more; [`Problem::Conflict`] for the admin's own account.
pub async fn disable_customer(
    customers: &CustomerStore,
    sessions: &SessionStore,
    request: Request,
) -> Result<Response, Problem> {
    let admin = acting_admin(customers, &request).await?;
    let id = customer_id(&request)?;
    let account = change(customers, id, &request, &IfMatch::Any, |account| {
        rules::disable(account, admin.customer_id, request.now)
    })
    .await?;
    sessions.end_all(id).await?;
    account_response(account)
}

/// `POST /customers/{customer_id}/enable`: lets the customer sign in again.
///
/// # Errors
/// [`Problem::Forbidden`] for a caller who is not an admin.
pub async fn enable_customer(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    acting_admin(customers, &request).await?;
    let id = customer_id(&request)?;
    let account = change(customers, id, &request, &IfMatch::Any, |account| {
        Ok(rules::enable(account, request.now))
    })
    .await?;
    account_response(account)
}

/// `PUT /customers/{customer_id}/roles` `{roles}`: sets the customer's roles, which decide about the
/// customer's next request.
///
/// # Errors
/// [`Problem::Forbidden`] for a caller who is not an admin; [`Problem::Conflict`] for admins who would lose the
/// role themselves; [`Problem::InvalidBody`]; [`Problem::PreconditionRequired`] or
/// [`Problem::PreconditionFailed`] without a current `If-Match`.
pub async fn set_customer_roles(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    let admin = acting_admin(customers, &request).await?;
    let id = customer_id(&request)?;
    let expected = request.if_match()?;
    let roles = request.json(roles)?;
    let account = change(customers, id, &request, &expected, |account| {
        let by = admin.customer_id;
        rules::set_roles(account, &roles, by, &expected, request.now)
    })
    .await?;
    account_response(account)
}

/// `PUT /customers/{customer_id}/group` `{group}`: puts the customer into a group, whose prices the next request has; `null`
/// takes the customer out of it.
///
/// # Errors
/// [`Problem::Forbidden`] for a caller who is not an admin; [`Problem::InvalidBody`]; [`Problem::PreconditionRequired`] or
/// [`Problem::PreconditionFailed`] without a current `If-Match`.
pub async fn set_customer_group(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    acting_admin(customers, &request).await?;
    let id = customer_id(&request)?;
    let expected = request.if_match()?;
    let group = request.json(|body| body.required("group", |json| json.or_null(group)))?;
    let account = change(customers, id, &request, &expected, |account| {
        rules::set_group(account, group.clone(), &expected, request.now)
    })
    .await?;
    account_response(account)
}

/// Returns the caller, whom the stored account shows to be an admin now. So an admin who has just been demoted or
/// disabled cannot undo it with a request that the authoriser let pass before.
async fn acting_admin(customers: &CustomerStore, request: &Request) -> Result<Caller, Problem> {
    let caller = request.admin()?;
    let stored = customers.get(caller.customer_id).await?;
    let is_admin =
        stored.is_some_and(|stored| !stored.disabled && stored.roles.contains(&Role::Admin));
    is_admin.then_some(caller).ok_or(Problem::Forbidden)
}

fn customer_id(request: &Request) -> Result<CustomerId, Problem> {
    request.id("customer_id", "customer")
}

fn roles(body: &mut Body) -> Option<Vec<Role>> {
    body.required("roles", |json| json.list(1..=Role::ALL.len(), role))
}

fn group(json: Json<'_>) -> Option<CustomerGroup> {
    json.parsed(&InvalidGroup.to_string(), str::parse)
}

fn role(json: Json<'_>) -> Option<Role> {
    json.parsed("this must be customer or admin", |text| {
        let found = Role::ALL.iter().find(|role| role.name() == text);
        found.copied().ok_or(())
    })
}
