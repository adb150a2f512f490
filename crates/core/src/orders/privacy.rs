//! What the shop knows about a person: shown to customers and to guests, and erased for guests.
//!
//! A guest has no account, so a link proves the mailbox. It names one of the guest's orders, and is good for all that
//! were placed with the address of that order.

use serde::Serialize;

use super::api::OrderBody;
use super::erasure::Erasure;
use super::fields;
use super::guests;
use super::messages::MessageQueue;
use super::model::{Guest, Order};
use super::store::OrderStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::customers::addresses::api::EntryBody;
use crate::customers::addresses::store::AddressStore;
use crate::customers::api::CustomerBody;
use crate::customers::link::{Link, Links, Purpose};
use crate::customers::messages;
use crate::customers::model::{CustomerError, Email};
use crate::customers::sessions::api::SessionBody;
use crate::customers::sessions::store::SessionStore;
use crate::customers::store::CustomerStore;
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes::{self, Route};
use crate::values::clock::Time;
use crate::values::id::{EventId, OrderId};

/// How long a link to what the shop knows about a guest is valid, in seconds: one day.
const LINK_SECONDS: u32 = 24 * 60 * 60;

/// Returns the token of a link to what the shop knows about the guest of the order `id`, issued at `now`.
///
/// # Errors
/// Returns [`CustomerError::Credentials`] if it cannot be signed.
pub async fn token(links: &Links, id: OrderId, now: Time) -> Result<String, CustomerError> {
    let link = Link::to_order(id);
    let purpose = Purpose::GuestAccess;
    links.issue(purpose, link, LINK_SECONDS, now).await
}

/// `POST /guest/access` `{email}`: mails a link to what the shop knows about the guest, if orders were placed with the
/// address without an account, and returns 202 in any case. Reads and queues the same for an unknown address.
///
/// # Errors
/// Returns [`Problem::InvalidBody`].
pub async fn request_guest_access(
    orders: &OrderStore,
    queue: &MessageQueue,
    request: Request,
) -> Result<Response, Problem> {
    let email: Email = request.json(|body| body.required("email", fields::email))?;
    let latest = orders.guest_orders(&email, None, 1).await?;
    let id = latest.items.first().copied();
    let id = id.unwrap_or_else(|| OrderId::derived(&["nobody"]));
    let window = messages::period(request.now);
    let occasion = EventId::derived(&["access", &id.to_string(), &window.to_string()]);
    let queued = queue.guest_access(id, occasion).await;
    queued.map_err(Problem::internal)?;
    Ok(Response::accepted())
}

/// `GET /guest/access?token=&limit=&cursor=`: returns a page of all orders that were placed with the guest's address
/// without an account, newest first.
///
/// # Errors
/// Returns [`Problem::NotFound`] without a valid token, and once the order of the link is erased or belongs to an account.
pub async fn get_guest_access(
    orders: &OrderStore,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let query = request.query(routes::GET_GUEST_ACCESS.query)?;
    let page = PageRequest::read(&request, &query)?;
    let (_, guest) = linked(orders, links, &request, &routes::GET_GUEST_ACCESS).await?;
    let found = orders.by_guest(&guest.email, &page).await?;
    found
        .fitting(Order::position, OrderBody::try_from)?
        .answer(&request)
}

/// What became of a guest's orders.
#[derive(Serialize)]
struct ErasureBody {
    erased: usize,
    kept: usize,
    more: bool,
}

/// `POST /guest/erasure?token=`: erases what is personal in the guest's orders, as the deletion of an account does. Orders
/// that are over are `erased` now. Those on their way are `kept` until they are over, at most as long as the shop has set.
/// At most 500 orders are looked at; if there are `more`, the request has to be sent again.
///
/// # Errors
/// Returns [`Problem::NotFound`] without a valid token, and once the order of the link is erased or belongs to an account.
pub async fn erase_guest(
    erasure: &Erasure,
    links: &Links,
    request: Request,
) -> Result<Response, Problem> {
    let orders = &erasure.orders;
    let (id, guest) = linked(orders, links, &request, &routes::ERASE_GUEST).await?;
    let now = request.now;
    let done = erasure
        .erase_guest(&guest.email, Some(id), now, now)
        .await?;
    Response::ok(&ErasureBody {
        erased: done.erased,
        kept: done.marked,
        more: done.more,
    })
}

/// Returns the order that the `token` in the query of `request` names, and its guest.
async fn linked(
    orders: &OrderStore,
    links: &Links,
    request: &Request,
    route: &Route,
) -> Result<(OrderId, Guest), Problem> {
    let unknown = || Problem::NotFound("guest");
    let id = guests::order_of_link(links, Purpose::GuestAccess, request, route).await?;
    let id = id.ok_or_else(unknown)?;
    let order = orders.get(id).await?;
    let guest = order.and_then(|order| order.guest).ok_or_else(unknown)?;
    Ok((id, guest))
}

/// The tables that hold what the shop knows about a customer.
#[derive(Clone, Debug)]
pub struct Export {
    customers: CustomerStore,
    addresses: AddressStore,
    sessions: SessionStore,
    orders: OrderStore,
}

impl Export {
    /// Opens the tables that the settings name.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            customers: CustomerStore::new(aws)?,
            addresses: AddressStore::new(aws)?,
            sessions: SessionStore::new(aws)?,
            orders: OrderStore::new(aws)?,
        })
    }
}

/// What the shop knows about a customer besides the orders.
#[derive(Serialize)]
struct PersonBody {
    account: CustomerBody,
    addresses: Vec<EntryBody>,
    sessions: Vec<SessionBody>,
}

/// `GET /customers/me/export?limit=&cursor=`: returns all that the shop knows about the caller: the account, the address
/// book, the sessions, and a page of the orders, newest first.
///
/// # Errors
/// Returns [`Problem::NotFound`] if the account is deleted.
pub async fn export_account(export: &Export, request: Request) -> Result<Response, Problem> {
    let id = request.caller()?.customer_id;
    let query = request.query(routes::EXPORT_ACCOUNT.query)?;
    let page = PageRequest::read(&request, &query)?;
    let (account, book, sessions, orders) = futures::try_join!(
        export.customers.get(id),
        export.addresses.get(id),
        export.sessions.list(id, request.now),
        export.orders.by_customer(id, None, &page),
    )?;
    let account = account.ok_or(CustomerError::NoSuchCustomer)?;
    let person = PersonBody {
        account: account.into(),
        addresses: book.entries.into_iter().map(EntryBody::from).collect(),
        sessions: sessions.into_iter().map(SessionBody::from).collect(),
    };
    orders
        .fitting(Order::position, OrderBody::try_from)?
        .answer_beside(person, &request)
}

#[cfg(test)]
mod tests;
