//! Orders without an account: placed with an address, read with a signed link, claimed by the account
//! that shows that the address is its own.

use serde::Serialize;

use super::api::{self, OrderBody};
use super::checkout::{self, Buyer, Checkout};
use super::model::{Guest, Order};
use super::store::OrderStore;
use crate::customers::link::{Link, Links, Purpose};
use crate::customers::model::{CustomerError, Email, Locale};
use crate::http::body::Body;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

/// How long a link to a guest's order is good, in seconds: 90 days, as long as a parcel may come back.
pub const LINK_LIFETIME_SECONDS: u32 = 90 * 24 * 60 * 60;

/// An order as its guest sees it.
#[derive(Serialize)]
struct GuestOrderBody {
    #[serde(flatten)]
    order: OrderBody,
    /// What `GET /guest/orders/{order_id}?token=` asks for.
    token: String,
}

/// `POST /guest/orders`: as `POST /orders`, with the `email` and the `locale` of somebody who need not
/// be signed in. The answer has a `token`, with which the order can be read.
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
        let draft = checkout::draft(body, checkout.currency());
        Some((guest?, draft?))
    })?;
    let id = OrderId::derived(&["place-guest-order", &guest.email.lowercase(), key]);
    let buyer = Buyer {
        order_id: id,
        customer_id: CustomerId::derived(&["guest", &id.to_string()]),
        guest: Some(guest),
    };
    let placed = Box::pin(checkout::place(checkout, &request, buyer, draft)).await?;
    let token = token(links, id, request.now).await?;
    let location = format!("{}?token={token}", path(id));
    checkout::answer(&request, placed, location, |order| {
        let order = OrderBody::try_from(order)?;
        Ok(GuestOrderBody { order, token })
    })
}

/// Where a guest reads the order `id`.
fn path(id: OrderId) -> String {
    format!("/guest/orders/{id}")
}

fn guest(body: &mut Body<'_>) -> Option<Guest> {
    let email = body.required("email", |json| {
        json.parsed("this must be an email address", str::parse::<Email>)
    });
    let locale = body.optional("locale", |json| {
        json.parsed(
            "this must be a language tag such as de-AT",
            str::parse::<Locale>,
        )
    });
    Some(Guest {
        email: email?,
        locale: locale?.unwrap_or_default(),
    })
}

/// The token of a link to the guest's order `id`, made at `now`.
///
/// # Errors
/// [`CustomerError::Credentials`] if it cannot be signed.
pub async fn token(links: &Links, id: OrderId, now: Time) -> Result<String, CustomerError> {
    let link = Link {
        subject: id.to_string(),
        fingerprint: String::new(),
    };
    let purpose = Purpose::ReadOrder;
    links.issue(purpose, link, LINK_LIFETIME_SECONDS, now).await
}

/// `GET /guest/orders/{order_id}?token=`: a guest's order, until an account has claimed it.
///
/// # Errors
/// [`Problem::NotFound`] without a good token for this order: to a stranger there is none.
pub async fn get_guest_order(
    orders: &OrderStore,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let id: OrderId = request.id("order_id", "order")?;
    let query = request.query(&["token"])?;
    let token = query.get("token").copied().unwrap_or_default();
    let link = links.verify(Purpose::ReadOrder, token, request.now).await?;
    if link.is_none_or(|link| link.subject != id.to_string()) {
        return Err(Problem::NotFound("order"));
    }
    let order = orders.get(id).await?.filter(is_guests);
    api::answer(order.ok_or(Problem::NotFound("order"))?)
}

fn is_guests(order: &Order) -> bool {
    order.guest.is_some()
}

#[cfg(test)]
mod tests;
