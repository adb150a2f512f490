//! What admins see and do of customers: `/customers`.

use super::api::CustomerBody;
use super::model::{CustomerError, Email, Role};
use super::profile::{answer, change};
use super::rules;
use super::sessions::store::SessionStore;
use super::store::CustomerStore;
use crate::http::body::{Body, Json};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::page::{Page, PageRequest};
use crate::http::problem::Problem;
use crate::values::id::CustomerId;

/// `GET /customers?email=&limit=&cursor=`: newest first; with `email`, the one who has this address.
///
/// # Errors
/// For whoever is no admin, and for bad parameters.
pub async fn list_customers(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(&["email", "limit", "cursor"])?;
    let page = PageRequest::read(&query)?;
    let found = match query.get("email") {
        Some(text) => {
            let email: Email = text
                .parse()
                .map_err(|_| Problem::parameter("?email", "this must be an email address"))?;
            let account = customers.account_of(&email).await?;
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

/// `GET /customers/{customer_id}`.
///
/// # Errors
/// For whoever is no admin; [`Problem::NotFound`].
pub async fn get_customer(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let account = customers.account(customer_id(&request)?).await?;
    answer(account.ok_or(CustomerError::NoSuchCustomer)?)
}

/// `POST /customers/{customer_id}/disable`: no sign-in and no renewal any more, and all sessions
/// end. Doing it again ends what sessions are left.
///
/// # Errors
/// For whoever is no admin, and for an admin's own account.
pub async fn disable_customer(
    customers: &CustomerStore,
    sessions: &SessionStore,
    request: Request,
) -> Result<Response, Problem> {
    let admin = request.admin()?;
    let id = customer_id(&request)?;
    let account = change(customers, id, &request, &IfMatch::Any, |account| {
        rules::disable(account, admin.customer_id, request.now)
    })
    .await?;
    sessions.end_all(id).await?;
    answer(account)
}

/// `POST /customers/{customer_id}/enable`: the customer may sign in again.
///
/// # Errors
/// For whoever is no admin.
pub async fn enable_customer(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    request.admin()?;
    let id = customer_id(&request)?;
    let account = change(customers, id, &request, &IfMatch::Any, |account| {
        Ok(rules::enable(account, request.now))
    })
    .await?;
    answer(account)
}

/// `PUT /customers/{customer_id}/roles` `{roles}`: what the customer may do from its next renewal or
/// sign-in on.
///
/// # Errors
/// For whoever is no admin, for an admin who would stop being one, for bad input, without `If-Match`
/// or with a stale one.
pub async fn set_customer_roles(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    let admin = request.admin()?;
    let id = customer_id(&request)?;
    let expected = request.if_match()?;
    let roles = request.json(roles)?;
    let account = change(customers, id, &request, &expected, |account| {
        let by = admin.customer_id;
        rules::set_roles(account, &roles, by, &expected, request.now)
    })
    .await?;
    answer(account)
}

fn customer_id(request: &Request) -> Result<CustomerId, Problem> {
    request.id("customer_id", "customer")
}

fn roles(body: &mut Body) -> Option<Vec<Role>> {
    body.required("roles", |json| json.list(1..=Role::ALL.len(), role))
}

fn role(json: Json<'_>) -> Option<Role> {
    json.parsed("this must be customer or admin", |text| {
        let found = Role::ALL.iter().find(|role| role.name() == text);
        found.copied().ok_or(())
    })
}
