//! The routes of the caller's address book: `/customers/me/addresses`.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::store::AddressStore;
use super::{Book, Entry, MAX_ADDRESSES};
use crate::aws::dynamo::{self, Attempt};
use crate::customers::model::CustomerError;
use crate::customers::store::CustomerStore;
use crate::http::address::{self, AddressBody};
use crate::http::exchange::{Request, Response};
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::id::{AddressId, CustomerId};

/// An entry of the book on the wire.
#[derive(Serialize)]
pub(crate) struct EntryBody {
    id: AddressId,
    #[serde(flatten)]
    address: AddressBody,
    version: u64,
    created_at: Time,
    updated_at: Time,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            address: entry.address.into(),
            version: entry.version,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        }
    }
}

/// `GET /customers/me/addresses`: returns all addresses, in the order in which they were added.
///
/// # Errors
/// [`Problem::Unauthenticated`].
pub async fn list_addresses(
    addresses: &AddressStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let items = addresses.get(caller.customer_id).await?.entries;
    Page { items, next: None }
        .map(EntryBody::from)
        .answer(&request)
}

/// `GET /customers/me/addresses/{address_id}`: returns one address.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn get_address(addresses: &AddressStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id = address_id(&request)?;
    let book = addresses.get(caller.customer_id).await?;
    entry_response(book.entry(id).ok_or(Problem::NotFound("address"))?)
}

/// `POST /customers/me/addresses`: adds an address and returns 201.
///
/// # Errors
/// [`Problem::InvalidBody`]; [`Problem::IdempotencyKeyReused`]; [`Problem::Conflict`] if the book is full;
/// [`Problem::NotFound`] if the account has been deleted.
pub async fn add_address(
    customers: &CustomerStore,
    addresses: &AddressStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?.customer_id;
    let key = request.idempotency_key()?;
    let address = request.json(address::read)?;
    let hash = key.map(|_| request.body_hash());
    let id = key.map_or_else(
        || AddressId::fresh(request.now),
        |key| AddressId::derived(&["add-address", &caller.to_string(), key]),
    );
    let entry = Entry {
        id,
        address,
        version: 1,
        request_hash: hash,
        created_at: request.now,
        updated_at: request.now,
    };
    let tried = AtomicBool::new(false);
    let (entry, replayed) = dynamo::change("the address book", || async {
        // Read before the account: a deletion after it changes the book's revision.
        let mut book = addresses.get(caller).await?;
        ensure_account_exists(customers, caller).await?;
        let tried = tried.swap(true, Ordering::Relaxed);
        if let Some(stored) = book.entry(id) {
            if stored.request_hash != entry.request_hash {
                return Err(Problem::IdempotencyKeyReused);
            }
            // Stored by an earlier request, or by this one, whose response was lost.
            return Ok(Attempt::Done((stored.clone(), !tried)));
        }
        if book.entries.len() >= MAX_ADDRESSES {
            let detail =
                format!("An address book has at most {MAX_ADDRESSES} addresses. Remove one first.");
            return Err(Problem::Conflict(detail));
        }
        book.entries.push(entry.clone());
        Ok(match addresses.replace(caller, book).await? {
            Attempt::Done(_) => Attempt::Done((entry.clone(), false)),
            Attempt::Overtaken => Attempt::Overtaken,
        })
    })
    .await?;
    created_response(entry, replayed)
}

/// `PUT /customers/me/addresses/{address_id}`: replaces an address.
///
/// # Errors
/// [`Problem::InvalidBody`]; [`Problem::PreconditionRequired`] or [`Problem::PreconditionFailed`] without a current
/// `If-Match`; [`Problem::NotFound`].
pub async fn replace_address(
    addresses: &AddressStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?.customer_id;
    let id = address_id(&request)?;
    let expected = request.if_match()?;
    let address: Address = request.json(address::read)?;
    let book = change(addresses, caller, |mut book| {
        let entry = book.entries.iter_mut().find(|entry| entry.id == id);
        let entry = entry.ok_or(Problem::NotFound("address"))?;
        if entry.address == address {
            // As it should be, perhaps because of this very request, whose response was lost.
            return Ok(None);
        }
        if !expected.allows(&entry.version.to_string()) {
            return Err(Problem::PreconditionFailed);
        }
        entry.address = address.clone();
        entry.version += 1;
        entry.updated_at = request.now.no_earlier_than(entry.updated_at);
        Ok(Some(book))
    })
    .await?;
    entry_response(book.entry(id).ok_or(Problem::NotFound("address"))?)
}

/// `DELETE /customers/me/addresses/{address_id}`: removes an address and returns 204.
///
/// # Errors
/// [`Problem::NotFound`], even if the address was removed before.
pub async fn remove_address(
    addresses: &AddressStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?.customer_id;
    let id = address_id(&request)?;
    let tried = AtomicBool::new(false);
    change(addresses, caller, |mut book| {
        let tried = tried.swap(true, Ordering::Relaxed);
        match (book.entry(id), tried) {
            (Some(_), _) => {
                book.entries.retain(|entry| entry.id != id);
                Ok(Some(book))
            }
            // Removed by this very request, whose response was lost, or by another at the same time.
            (None, true) => Ok(None),
            (None, false) => Err(Problem::NotFound("address")),
        }
    })
    .await?;
    Ok(Response::no_content())
}

/// Changes the book of `customer` to what `decide` makes of it (`None`: it stays as it is), and returns it
/// as it is then.
async fn change(
    addresses: &AddressStore,
    customer: CustomerId,
    decide: impl Fn(Book) -> Result<Option<Book>, Problem>,
) -> Result<Book, Problem> {
    dynamo::change("the address book", || async {
        let book = addresses.get(customer).await?;
        match decide(book.clone())? {
            Some(next) => Ok(addresses.replace(customer, next).await?),
            None => Ok(Attempt::Done(book)),
        }
    })
    .await
}

/// Refuses a caller whose account has been deleted, while the access token is still valid.
async fn ensure_account_exists(customers: &CustomerStore, id: CustomerId) -> Result<(), Problem> {
    let account = customers.account(id).await?;
    account
        .map(drop)
        .ok_or(CustomerError::NoSuchCustomer.into())
}

fn address_id(request: &Request) -> Result<AddressId, Problem> {
    request.id("address_id", "address")
}

fn created_response(entry: Entry, replayed: bool) -> Result<Response, Problem> {
    let tag = entry.version.to_string();
    let location = format!("/customers/me/addresses/{}", entry.id);
    let response = Response::created(location, &EntryBody::from(entry))?;
    Ok(response.etag(&tag).replayed(replayed))
}

fn entry_response(entry: &Entry) -> Result<Response, Problem> {
    let tag = entry.version.to_string();
    Ok(Response::ok(&EntryBody::from(entry.clone()))?.etag(&tag))
}
