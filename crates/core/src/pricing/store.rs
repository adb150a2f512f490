//! The pricing table. Its items, by `pk`:
//!
//! - `discount#<discount_id>`: a discount. The index `by-list` lists all discounts, newest first.
//! - `code#<code in lower case>`: the discount that has the code, so that no two discounts have the same.
//! - `codes#...`: how many codes that one order each can use a discount has, and the requests that made them.
//! - `tax-rates`, `shipping-methods`, `price-lists`, `discount-settings`: a collection, which is replaced as a whole.
//! - `price#<list>#<variant_id>`: the prices of a variant in a price list. The index `by-list` lists those of a list.
//! - `book`: the price book, which lists the automatic discounts. Every change of an automatic discount,
//!   a tax rate, a shipping method or a price list increments its version in the same transaction.

use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::batch;
use super::collection::{Collection, Entry};
use super::lists::PriceList;
use super::model::{Code, Discount, DiscountError, DiscountSettings, Terms, Unlimited};
use super::shipping::ShippingMethod;
use super::tax::settings::TaxSettings;
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::{Page, PageRequest};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::DiscountId;

mod codes;
mod prices;

/// The version of the shape of the items that are written now.
const SCHEMA: u32 = 1;

/// The key of the price book.
const BOOK: &str = "book";

/// The name of the price book in errors.
const BOOK_NAME: &str = "the price book";

/// The partition of the index `by-list` that has all discounts.
const LIST: &str = "discounts";

/// The most automatic discounts that can be active at a time. Every order checks all of them, the price
/// book with their identifiers stays within half a read unit, and the usage counts of all of them and of
/// one with a code fit in the transaction that stores the order (100 writes).
pub const MAX_AUTOMATIC: usize = 40;

/// A discount as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute that is stored"
)]
struct DiscountItem {
    pk: String,
    discount_id: DiscountId,
    list: String,
    position: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    terms: Terms,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    had_no_limit: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    had_no_limit_per_customer: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    single_use_codes: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    event: Stamp,
}

impl DiscountItem {
    fn from_discount(discount: &Discount) -> Self {
        Self {
            pk: discount_pk(discount.id),
            discount_id: discount.id,
            list: LIST.to_owned(),
            position: position(discount),
            code: discount.code.clone(),
            terms: discount.terms.clone(),
            ended: discount.ended,
            had_no_limit: discount.was_unlimited.in_total,
            had_no_limit_per_customer: discount.was_unlimited.per_customer,
            single_use_codes: discount.single_use_codes,
            request_hash: discount.request_hash.clone(),
            version: discount.version,
            schema: SCHEMA,
            created_at: discount.created_at,
            updated_at: discount.updated_at,
            event: discount.event.clone(),
        }
    }
}

impl From<DiscountItem> for Discount {
    fn from(item: DiscountItem) -> Self {
        Self {
            id: item.discount_id,
            code: item.code,
            terms: item.terms,
            ended: item.ended,
            was_unlimited: Unlimited {
                in_total: item.had_no_limit,
                per_customer: item.had_no_limit_per_customer,
            },
            single_use_codes: item.single_use_codes,
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
            request_hash: item.request_hash,
            event: item.event,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct CodeItem {
    pk: String,
    discount_id: DiscountId,
    /// The code as it was made, if one order can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    single_use: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct BookItem {
    pk: String,
    automatic: Vec<DiscountId>,
    version: u64,
}

/// A collection as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "T: Entry")]
struct CollectionItem<T: Entry> {
    pk: String,
    /// Not stored as `terms`, which are those of a discount to readers of any item of the table.
    #[serde(rename = "collection_terms", default)]
    terms: T::Terms,
    entries: Vec<T>,
    version: u64,
    schema: u32,
    updated_at: Time,
    event: Stamp,
}

/// Everything that prices depend on, except the discounts with a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceBook {
    /// All tax rates, and how tax is computed with them.
    pub taxes: TaxSettings,
    /// All shipping methods.
    pub methods: Vec<ShippingMethod>,
    /// All price lists, without their prices.
    pub lists: Vec<PriceList>,
    /// The active discounts without a code, which are applied automatically.
    pub automatic: Vec<Discount>,
    /// What the shop has decided about all discounts.
    pub settings: DiscountSettings,
    version: u64,
}

fn discount_pk(id: DiscountId) -> String {
    format!("discount#{id}")
}

fn code_pk(code: &Code) -> String {
    format!("code#{}", code.lowercase())
}

fn key(pk: impl ToString) -> Key {
    Key::new("pk", pk)
}

/// Returns the sort key of a discount in the index `by-list`: `<created_at>#<discount_id>`.
fn position(discount: &Discount) -> String {
    format!("{}#{}", discount.created_at, discount.id)
}

/// The pricing table, with a price book that this process caches.
#[derive(Clone, Debug)]
pub struct PricingStore {
    table: Table,
    cached: Arc<Mutex<Arc<PriceBook>>>,
}

impl PricingStore {
    /// Returns the store of the table that the setting `PRICING_TABLE` names.
    ///
    /// # Errors
    /// Returns [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::PricingTable)?,
            cached: Arc::default(),
        })
    }

    /// Returns the current price book. Its version is read every time (half a read unit), everything else
    /// only if the version has changed.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn current(&self) -> Result<Arc<PriceBook>, StoreError> {
        let book: Option<BookItem> = self.table.get_eventually(key(BOOK)).await?;
        let cached = Arc::clone(&self.cached.lock().unwrap_or_else(PoisonError::into_inner));
        if book.map_or(0, |book| book.version) == cached.version {
            return Ok(cached);
        }
        // The version is read first, so that everything read after it is at least as new.
        let book = self.book().await?;
        let wanted = book.automatic.iter();
        let wanted = wanted.map(|id| key(discount_pk(*id))).collect();
        let found: Vec<DiscountItem> = self.table.get_many(wanted, true).await?;
        let taxes = self.collection().await?;
        let settings: Collection<DiscountSettings> = self.collection().await?;
        let read = Arc::new(PriceBook {
            taxes: TaxSettings {
                rates: taxes.entries,
                terms: taxes.terms,
            },
            methods: self.collection::<ShippingMethod>().await?.entries,
            lists: self.collection::<PriceList>().await?.entries,
            automatic: found.into_iter().map(Discount::from).collect(),
            settings: settings.entries.first().copied().unwrap_or_default(),
            version: book.version,
        });
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
        Ok(read)
    }

    async fn book(&self) -> Result<BookItem, StoreError> {
        let book: Option<BookItem> = self.table.get(key(BOOK)).await?;
        Ok(book.unwrap_or_default())
    }

    /// Returns the write of the next version of `book`, whose automatic discounts `change` has edited. It
    /// is refused if another writer has changed the book.
    fn next_book(
        &self,
        book: &BookItem,
        change: impl FnOnce(&mut Vec<DiscountId>),
    ) -> Result<Write, StoreError> {
        let mut next = BookItem {
            pk: BOOK.to_owned(),
            automatic: book.automatic.clone(),
            version: book.version + 1,
        };
        change(&mut next.automatic);
        let write = self.table.put(&next)?;
        if book.version == 0 {
            return Ok(write.when("attribute_not_exists(pk)"));
        }
        write
            .when("version = :before")
            .value(":before", &book.version)
    }

    /// Returns the discount with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn get(&self, id: DiscountId) -> Result<Option<Discount>, StoreError> {
        let item: Option<DiscountItem> = self.table.get(key(discount_pk(id))).await?;
        Ok(item.map(Discount::from))
    }

    /// Returns the discount with `code`, ignoring case, or `None` if there is none. A code that one order can use may
    /// have been typed in groups; the discount then has the code as it was made. As with automatic discounts, a change of
    /// the discount may be seen a moment later.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn by_code(&self, code: &Code) -> Result<Option<Discount>, StoreError> {
        let mut item: Option<CodeItem> = self.known(code_pk(code)).await?;
        let joined = batch::joined(code).filter(|joined| joined != code);
        if let (None, Some(joined)) = (&item, joined) {
            item = self.known(code_pk(&joined)).await?;
        }
        let Some(item) = item else {
            return Ok(None);
        };
        let found: Option<DiscountItem> = self.known(discount_pk(item.discount_id)).await?;
        Ok(found.map(Discount::from).map(|found| Discount {
            code: item.single_use.or(found.code),
            ..found
        }))
    }

    /// Returns the item with the key `pk` from an eventually consistent read, at half the cost; only if there is none, it
    /// is read consistently, because it may have been stored just now.
    async fn known<T: DeserializeOwned>(&self, pk: String) -> Result<Option<T>, StoreError> {
        match self.table.get_eventually(key(pk.clone())).await? {
            Some(item) => Ok(Some(item)),
            None => self.table.get(key(pk)).await,
        }
    }

    /// Returns a page of all discounts, newest first. The index is eventually consistent.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Discount>, StoreError> {
        let after = page.after.as_deref();
        let query = self.table.newest_first("by-list", "list", LIST, after);
        let found: Vec<DiscountItem> = query.first(page.limit + 1).await?;
        let found = found.into_iter().map(Discount::from).collect();
        Ok(Page::cut(found, page.limit, position))
    }

    /// Stores the new `discount` and returns it with `false`, or returns the discount that the same request
    /// created before with `true`.
    ///
    /// # Errors
    /// Returns [`DiscountError::CodeTaken`] if another discount has the code, [`DiscountError::TooMany`] if
    /// there are [`MAX_AUTOMATIC`] automatic discounts, and [`DiscountError::KeyReused`] if the idempotency
    /// key was used for another discount.
    pub async fn create(&self, discount: Discount) -> Result<(Discount, bool), DiscountError> {
        dynamo::change(BOOK_NAME, || async {
            let discount = discount.clone();
            let item = self.table.put(&DiscountItem::from_discount(&discount))?;
            let mut writes = vec![item.when("attribute_not_exists(pk)")];
            if let Some(code) = &discount.code {
                let item = CodeItem {
                    pk: code_pk(code),
                    discount_id: discount.id,
                    single_use: None,
                    list: None,
                    position: None,
                };
                let write = self.table.put(&item)?;
                writes.push(write.when("attribute_not_exists(pk)"));
            } else if !discount.single_use_codes {
                let book = self.book().await?;
                if book.automatic.len() >= MAX_AUTOMATIC {
                    // This request may have been carried out before.
                    let stored = self.get(discount.id).await?;
                    let stored = stored.ok_or(DiscountError::TooMany)?;
                    return created_before(stored, discount).map(Attempt::Done);
                }
                writes.push(self.next_book(&book, |ids| ids.push(discount.id))?);
            }
            let refused = match self.table.transact(writes).await? {
                Written::Done => return Ok(Attempt::Done((discount, false))),
                Written::Refused(places) => places,
            };
            match self.get(discount.id).await? {
                Some(stored) => created_before(stored, discount).map(Attempt::Done),
                None if discount.code.is_some() && refused.contains(&1) => {
                    Err(DiscountError::CodeTaken)
                }
                // Another writer changed the price book in between.
                None => Ok(Attempt::Overtaken),
            }
        })
        .await
    }

    /// Replaces the stored version before `discount` with `discount`. A discount that has ended gives up its
    /// code.
    ///
    /// # Errors
    /// Returns [`DiscountError::Stale`] if another version is stored: read again and decide again.
    pub async fn replace(&self, discount: Discount) -> Result<Discount, DiscountError> {
        dynamo::change(BOOK_NAME, || async {
            let discount = discount.clone();
            let write = self.table.put(&DiscountItem::from_discount(&discount))?;
            let before = discount.version.saturating_sub(1);
            let mut writes = vec![write.when("version = :before").value(":before", &before)?];
            match &discount.code {
                Some(code) if discount.ended => writes.push(self.table.delete(key(code_pk(code)))),
                Some(_) => {}
                None if discount.single_use_codes => {}
                None => {
                    let book = self.book().await?;
                    let ended = discount.ended.then_some(discount.id);
                    writes.push(self.next_book(&book, |ids| ids.retain(|id| Some(*id) != ended))?);
                }
            }
            let refused = match self.table.transact(writes).await? {
                Written::Done => return Ok(Attempt::Done(discount)),
                Written::Refused(places) => places,
            };
            if !refused.contains(&0) {
                return Ok(Attempt::Overtaken);
            }
            // Our own write may be stored already if its response was lost.
            match self.get(discount.id).await? {
                Some(stored) if stored == discount => Ok(Attempt::Done(discount)),
                Some(_) | None => Err(DiscountError::Stale),
            }
        })
        .await
    }

    /// Returns all tax rates, all shipping methods or all price lists: an empty collection of version 0 if none were ever
    /// written.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn collection<T: Entry>(&self) -> Result<Collection<T>, StoreError> {
        let item: Option<CollectionItem<T>> = self.table.get(key(T::COLLECTION)).await?;
        Ok(item.map_or_else(Collection::default, |item| Collection {
            terms: item.terms,
            entries: item.entries,
            version: item.version,
            event: Some(item.event),
        }))
    }

    /// Replaces the stored version before `collection` with `collection` and returns it. Returns `None` if
    /// another version is stored: read again and decide again.
    ///
    /// # Errors
    /// Returns [`StoreError`], which is [`StoreError::Busy`] if the price book keeps changing.
    pub async fn replace_collection<T: Entry>(
        &self,
        collection: Collection<T>,
        event: Stamp,
    ) -> Result<Option<Collection<T>>, StoreError> {
        let item = CollectionItem {
            pk: T::COLLECTION.to_owned(),
            terms: collection.terms.clone(),
            entries: collection.entries.clone(),
            version: collection.version,
            schema: SCHEMA,
            updated_at: event.at,
            event: event.clone(),
        };
        dynamo::change(BOOK_NAME, || async {
            let write = self.table.put(&item)?;
            let before = collection.version.saturating_sub(1);
            let write = if before == 0 {
                write.when("attribute_not_exists(pk)")
            } else {
                write.when("version = :before").value(":before", &before)?
            };
            let book = self.book().await?;
            let writes = vec![write, self.next_book(&book, |_| {})?];
            Ok(match self.table.transact(writes).await? {
                Written::Done => Attempt::Done(Some(Collection {
                    event: Some(event.clone()),
                    ..collection.clone()
                })),
                Written::Refused(places) if places.contains(&0) => {
                    // Our own write may be stored already if its response was lost.
                    let stored: Collection<T> = self.collection().await?;
                    let same = stored.entries == collection.entries
                        && stored.terms == collection.terms
                        && stored.event.as_ref() == Some(&event);
                    Attempt::Done(same.then_some(stored))
                }
                Written::Refused(_) => Attempt::Overtaken,
            })
        })
        .await
    }
}

/// Returns `stored`, which has the identifier of `wanted`, if the same request created it; with `false` if
/// it is our own write whose response was lost.
fn created_before(stored: Discount, wanted: Discount) -> Result<(Discount, bool), DiscountError> {
    if stored == wanted {
        Ok((stored, false))
    } else if stored.request_hash == wanted.request_hash {
        Ok((stored, true))
    } else {
        Err(DiscountError::KeyReused)
    }
}
