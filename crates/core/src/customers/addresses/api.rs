//! `/customers/me/addresses`.

use serde::Serialize;

use super::store::AddressStore;
use super::{Book, Entry, MOST};
use crate::customers::model::CustomerError;
use crate::customers::store::CustomerStore;
use crate::http::address::{self, AddressBody};
use crate::http::exchange::{Request, Response};
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::id::{AddressId, CustomerId};

/// How often a change is decided again when the book changes meanwhile.
const TRIES: u32 = 10;

/// An address of a book on the wire.
#[derive(Serialize)]
struct EntryBody {
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

/// `GET /customers/me/addresses`: all of them, in the order in which they were added.
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

/// `GET /customers/me/addresses/{address_id}`.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn get_address(addresses: &AddressStore, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let id = address_id(&request)?;
    let book = addresses.get(caller.customer_id).await?;
    answer(book.entry(id).ok_or(Problem::NotFound("address"))?)
}

/// `POST /customers/me/addresses`: adds one, 201.
///
/// # Errors
/// For bad input, and beyond fifty addresses.
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
    let mut made_here = false;
    for _ in 0..TRIES {
        // Read before the account: a deletion after it changes the book's revision.
        let mut book = addresses.get(caller).await?;
        still_there(customers, caller).await?;
        if let Some(stored) = book.entry(id) {
            if stored.request_hash != entry.request_hash {
                return Err(Problem::IdempotencyKeyReused);
            }
            // Of an earlier request, or of this one, whose answer was lost.
            return created(stored.clone(), !made_here);
        }
        if book.entries.len() >= MOST {
            let detail = format!("an address book has at most {MOST} addresses");
            return Err(Problem::Conflict(detail));
        }
        book.entries.push(entry.clone());
        book.revision += 1;
        if addresses.replace(caller, book).await? {
            return created(entry, false);
        }
        made_here = true;
    }
    Err(Problem::Busy("the address book keeps changing".into()))
}

/// `PUT /customers/me/addresses/{address_id}`: replaces one.
///
/// # Errors
/// For bad input, without `If-Match` or with a stale one; [`Problem::NotFound`].
pub async fn replace_address(
    addresses: &AddressStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?.customer_id;
    let id = address_id(&request)?;
    let expected = request.if_match()?;
    let address: Address = request.json(address::read)?;
    change(addresses, caller, |mut book| {
        let entry = book.entries.iter_mut().find(|entry| entry.id == id);
        let entry = entry.ok_or(Problem::NotFound("address"))?;
        if entry.address == address {
            // As it should be, perhaps by this very request, whose answer was lost.
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
    .await
    .and_then(|book| answer(book.entry(id).ok_or(Problem::NotFound("address"))?))
}

/// `DELETE /customers/me/addresses/{address_id}`: 204.
///
/// # Errors
/// [`Problem::NotFound`], also when it is gone already.
pub async fn remove_address(
    addresses: &AddressStore,
    request: Request,
) -> Result<Response, Problem> {
    let caller = request.caller()?.customer_id;
    let id = address_id(&request)?;
    for tried in 0..TRIES {
        let mut book = addresses.get(caller).await?;
        if book.entry(id).is_none() {
            // Gone after a try: by this very request, whose answer was lost, or by another's.
            let gone = (tried > 0).then(Response::no_content);
            return gone.ok_or(Problem::NotFound("address"));
        }
        book.entries.retain(|entry| entry.id != id);
        book.revision += 1;
        if addresses.replace(caller, book).await? {
            return Ok(Response::no_content());
        }
    }
    Err(Problem::Busy("the address book keeps changing".into()))
}

/// Reads the book of `customer`, lets `decide` say what it should be (`None`: as it is), and writes
/// that; again if another came between. Answers the book as it is then.
async fn change(
    addresses: &AddressStore,
    customer: CustomerId,
    decide: impl Fn(Book) -> Result<Option<Book>, Problem>,
) -> Result<Book, Problem> {
    for _ in 0..TRIES {
        let book = addresses.get(customer).await?;
        let Some(mut next) = decide(book.clone())? else {
            return Ok(book);
        };
        next.revision += 1;
        if addresses.replace(customer, next.clone()).await? {
            return Ok(next);
        }
    }
    Err(Problem::Busy("the address book keeps changing".into()))
}

/// Refuses what an access token that has outlived its account would add to it.
async fn still_there(customers: &CustomerStore, id: CustomerId) -> Result<(), Problem> {
    let account = customers.account(id).await?;
    account
        .map(drop)
        .ok_or(CustomerError::NoSuchCustomer.into())
}

fn address_id(request: &Request) -> Result<AddressId, Problem> {
    request.id("address_id", "address")
}

fn created(entry: Entry, replayed: bool) -> Result<Response, Problem> {
    let tag = entry.version.to_string();
    let location = format!("/customers/me/addresses/{}", entry.id);
    let answer = Response::created(location, &EntryBody::from(entry))?;
    Ok(answer.etag(&tag).replayed(replayed))
}

fn answer(entry: &Entry) -> Result<Response, Problem> {
    let tag = entry.version.to_string();
    Ok(Response::ok(&EntryBody::from(entry.clone()))?.etag(&tag))
}
