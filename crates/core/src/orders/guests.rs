//! Orders without an account: placed with an email address, read with a signed link, and claimed by the account that
//! confirms the address.

use serde::Serialize;

use super::api::{self, OrderBody};
use super::checkout::draft::{self, Buyer};
use super::checkout::{self, Checkout};
use super::executions::OrderWorkflow;
use super::fields;
use super::model::{Guest, Order};
use super::store::OrderStore;
use crate::customers::link::{Link, Links, Purpose};
use crate::customers::model::CustomerError;
use crate::http::body::{Body, locale};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::http::routes::{self, Route};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

/// How long a link to a guest's order is valid, in seconds: 90 days, as long as a parcel may come back.
pub const LINK_LIFETIME_SECONDS: u32 = 90 * 24 * 60 * 60;

/// An order as its guest sees it.
#[derive(Serialize)]
struct GuestOrderBody {
    #[serde(flatten)]
    order: OrderBody,
    /// The token for `GET /guest/orders/{order_id}?token=`.
    token: String,
}

/// `POST /guest/orders`: places an order as `POST /orders` does, for a guest with an `email` and a `locale`, who is not
/// signed in. The response has a `token` with which the order can be read.
///
/// # Errors
/// As [`checkout::place_order`].
pub async fn place_guest_order(
    checkout: &Checkout,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let key = checkout::key(&request)?;
    let (guest, draft) = request.json(|body| {
        let guest = guest(body);
        let draft = draft::read(body);
        Some((guest?, draft?))
    })?;
    let id = OrderId::derived(&["place-guest-order", &guest.email.lowercase(), key]);
    let buyer = Buyer {
        order_id: id,
        customer_id: CustomerId::derived(&["guest", &id.to_string()]),
        group: None,
        locale: Some(guest.locale.clone()),
        guest: Some(guest),
    };
    let placed = Box::pin(checkout::place(checkout, &request, buyer, draft)).await?;
    let token = token(links, id, request.now).await?;
    let location = format!("{}?token={token}", path(id));
    checkout::respond(&request, placed, location, |order| {
        let order = OrderBody::try_from(order)?;
        Ok(GuestOrderBody { order, token })
    })
}

/// Returns the path at which a guest reads the order `id`.
fn path(id: OrderId) -> String {
    format!("/guest/orders/{id}")
}

fn guest(body: &mut Body<'_>) -> Option<Guest> {
    let email = body.required("email", fields::email);
    let locale = body.optional("locale", locale);
    Some(Guest {
        email: email?,
        locale: locale?.unwrap_or_default(),
    })
}

/// Returns the token of a link to the guest's order `id`, issued at `now`.
///
/// # Errors
/// Returns [`CustomerError::Credentials`] if it cannot be signed.
pub async fn token(links: &Links, id: OrderId, now: Time) -> Result<String, CustomerError> {
    let link = Link::to_order(id);
    let purpose = Purpose::ReadOrder;
    links.issue(purpose, link, LINK_LIFETIME_SECONDS, now).await
}

/// `GET /guest/orders/{order_id}?token=`: returns a guest's order, until an account has claimed it.
///
/// # Errors
/// Returns [`Problem::NotFound`] without a valid token for this order, so that a stranger does not learn that it exists.
pub async fn get_guest_order(
    orders: &OrderStore,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let id = linked(links, &request, &routes::GET_GUEST_ORDER).await?;
    let order = orders.get(id).await?.filter(is_guest_order);
    api::respond(order.ok_or(Problem::NotFound("order"))?)
}

/// `POST /guest/orders/{order_id}/cancel?token=`: cancels a guest's order as `POST /orders/{order_id}/cancel` does, until
/// an account has claimed it.
///
/// # Errors
/// Returns [`Problem::NotFound`] without a valid token for this order, and [`Problem::Conflict`] once the order is being
/// picked or has failed.
pub async fn cancel_guest_order(
    orders: &OrderStore,
    links: &Links,
    workflow: &OrderWorkflow,
    request: Request,
) -> Result<Response, Problem> {
    let id = linked(links, &request, &routes::CANCEL_GUEST_ORDER).await?;
    api::cancel(orders, workflow, id, is_guest_order, &request).await
}

/// Returns the order in the path of `request`, which the `token` in its query is for.
///
/// # Errors
/// Returns [`Problem::NotFound`] without a valid token for this order.
pub async fn linked(links: &Links, request: &Request, route: &Route) -> Result<OrderId, Problem> {
    let id: OrderId = request.id("order_id", "order")?;
    let linked = order_of_link(links, Purpose::ReadOrder, request, route).await?;
    let linked = linked.filter(|linked| *linked == id);
    linked.ok_or(Problem::NotFound("order"))
}

/// Returns the order that the link is for whose `token` is in the query of `request`; or `None` without a valid token for
/// `purpose`.
pub(super) async fn order_of_link(
    links: &Links,
    purpose: Purpose,
    request: &Request,
    route: &Route,
) -> Result<Option<OrderId>, Problem> {
    let query = request.query(route.query)?;
    let token = query.get("token").copied().unwrap_or_default();
    let link = links.verify(purpose, token, request.now).await?;
    Ok(link.and_then(|link| link.subject.parse().ok()))
}

fn is_guest_order(order: &Order) -> bool {
    order.guest.is_some()
}

#[cfg(test)]
mod tests;
