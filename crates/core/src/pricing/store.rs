//! The table of pricing. Its items, by `pk`:
//!
//! - `discount#<discount_id>`: a discount; index `by-list` lists them all, newest first;
//! - `code#<code in lower case>`: whose code that is, so that no two discounts have it;
//! - `tax-rates`, `shipping-methods`: each all of them, replaced as a whole;
//! - `book`: which discounts come by themselves, and a version that every change to these, to the rates
//!   and to the methods counts up in its own transaction.

use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::model::{Code, Discount, DiscountError, Terms};
use super::sheet::{Entry, Sheet};
use super::shipping::ShippingMethod;
use super::tax::TaxRate;
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::{Page, PageRequest};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::DiscountId;

/// The shape of the items that is written now.
const SCHEMA: u32 = 1;

/// The key of the book.
const BOOK: &str = "book";

/// The book, as errors name it.
const BOOK_NAME: &str = "the list of discounts";

/// What the index of all discounts has them under.
const LIST: &str = "discounts";

/// The most discounts that come by themselves, and are not ended, at a time: every order looks at all of
/// them, the book with their names stays within half a read unit, and the counts of all of them and of
/// one that comes by a code fit in the transaction that stores the order (100 writes).
pub const MOST_AUTOMATIC: usize = 40;

/// A discount as it is stored.
#[derive(Debug, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    event: Stamp,
}

impl DiscountItem {
    fn of(discount: &Discount) -> Self {
        Self {
            pk: discount_pk(discount.id),
            discount_id: discount.id,
            list: LIST.to_owned(),
            position: position(discount),
            code: discount.code.clone(),
            terms: discount.terms.clone(),
            ended: discount.ended,
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
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct BookItem {
    pk: String,
    automatic: Vec<DiscountId>,
    version: u64,
}

/// All rates or all methods, as they are stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "T: Serialize + DeserializeOwned")]
struct SheetItem<T> {
    pk: String,
    entries: Vec<T>,
    version: u64,
    schema: u32,
    updated_at: Time,
    event: Stamp,
}

/// What every price is made of, beside the discounts that come by a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceBook {
    /// All rates of tax.
    pub taxes: Vec<TaxRate>,
    /// All shipping methods.
    pub methods: Vec<ShippingMethod>,
    /// The discounts that come by themselves.
    pub automatic: Vec<Discount>,
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

/// A discount's place in lists: `<created_at>#<discount_id>`.
fn position(discount: &Discount) -> String {
    format!("{}#{}", discount.created_at, discount.id)
}

/// The table of pricing, and what this process knows of it.
#[derive(Clone, Debug)]
pub struct PricingStore {
    table: Table,
    kept: Arc<Mutex<Arc<PriceBook>>>,
}

impl PricingStore {
    /// The table that the setting `PRICING_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if it is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::PricingTable)?,
            kept: Arc::default(),
        })
    }

    /// What prices are made of now. The book's version is read every time (half a read unit), the rest
    /// only when it has changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn current(&self) -> Result<Arc<PriceBook>, StoreError> {
        let book: Option<BookItem> = self.table.get_eventually(key(BOOK)).await?;
        let kept = Arc::clone(&self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        if book.map_or(0, |book| book.version) == kept.version {
            return Ok(kept);
        }
        // The version first, so that what is read after it is at least as new.
        let book = self.book().await?;
        let wanted = book.automatic.iter();
        let wanted = wanted.map(|id| key(discount_pk(*id))).collect();
        let found: Vec<DiscountItem> = self.table.get_many(wanted, true).await?;
        let read = Arc::new(PriceBook {
            taxes: self.sheet().await?.entries,
            methods: self.sheet().await?.entries,
            automatic: found.into_iter().map(Discount::from).collect(),
            version: book.version,
        });
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
        Ok(read)
    }

    async fn book(&self) -> Result<BookItem, StoreError> {
        let book: Option<BookItem> = self.table.get(key(BOOK)).await?;
        Ok(book.unwrap_or_default())
    }

    /// The book with what `change` makes of the discounts that come by themselves, if nobody comes
    /// between.
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

    /// The discount with `id`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: DiscountId) -> Result<Option<Discount>, StoreError> {
        let item: Option<DiscountItem> = self.table.get(key(discount_pk(id))).await?;
        Ok(item.map(Discount::from))
    }

    /// The discount whose code is `code`, in whatever case.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_code(&self, code: &Code) -> Result<Option<Discount>, StoreError> {
        let item: Option<CodeItem> = self.table.get(key(code_pk(code))).await?;
        match item {
            Some(item) => self.get(item.discount_id).await,
            None => Ok(None),
        }
    }

    /// All discounts, newest first; as they were a moment ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Discount>, StoreError> {
        let after = page.after.as_deref();
        let query = self.table.newest_first("by-list", "list", LIST, after);
        let found: Vec<DiscountItem> = query.first(page.limit + 1).await?;
        let found = found.into_iter().map(Discount::from).collect();
        Ok(Page::cut(found, page.limit, position))
    }

    /// Stores the new `discount` and answers it, or the one that the same request made before; then the
    /// second value is true.
    ///
    /// # Errors
    /// [`DiscountError`].
    pub async fn create(&self, discount: Discount) -> Result<(Discount, bool), DiscountError> {
        dynamo::change(BOOK_NAME, || async {
            let discount = discount.clone();
            let item = self.table.put(&DiscountItem::of(&discount))?;
            let mut writes = vec![item.when("attribute_not_exists(pk)")];
            if let Some(code) = &discount.code {
                let item = CodeItem {
                    pk: code_pk(code),
                    discount_id: discount.id,
                };
                let write = self.table.put(&item)?;
                writes.push(write.when("attribute_not_exists(pk)"));
            } else {
                let book = self.book().await?;
                if book.automatic.len() >= MOST_AUTOMATIC {
                    // This request may have been carried out before.
                    let stored = self.get(discount.id).await?;
                    let stored = stored.ok_or(DiscountError::TooMany)?;
                    return made_before(stored, discount).map(Attempt::Done);
                }
                writes.push(self.next_book(&book, |ids| ids.push(discount.id))?);
            }
            let refused = match self.table.transact(writes).await? {
                Written::Done => return Ok(Attempt::Done((discount, false))),
                Written::Refused(places) => places,
            };
            match self.get(discount.id).await? {
                Some(stored) => made_before(stored, discount).map(Attempt::Done),
                None if discount.code.is_some() && refused.contains(&1) => {
                    Err(DiscountError::CodeTaken)
                }
                // Another change of the book was made in between.
                None => Ok(Attempt::Overtaken),
            }
        })
        .await
    }

    /// Stores `discount` over the version before it. One that is ended gives up its code.
    ///
    /// # Errors
    /// [`DiscountError::Stale`] if that is not what is stored: read again and decide again.
    pub async fn replace(&self, discount: Discount) -> Result<Discount, DiscountError> {
        dynamo::change(BOOK_NAME, || async {
            let discount = discount.clone();
            let write = self.table.put(&DiscountItem::of(&discount))?;
            let before = discount.version.saturating_sub(1);
            let mut writes = vec![write.when("version = :before").value(":before", &before)?];
            match &discount.code {
                Some(code) if discount.ended => writes.push(self.table.delete(key(code_pk(code)))),
                Some(_) => {}
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
            // Our own write may be stored already, if the response to it was lost.
            match self.get(discount.id).await? {
                Some(stored) if stored == discount => Ok(Attempt::Done(discount)),
                Some(_) | None => Err(DiscountError::Stale),
            }
        })
        .await
    }

    /// All rates, or all methods; none, of version 0, if there never were any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sheet<T: Entry>(&self) -> Result<Sheet<T>, StoreError> {
        let item: Option<SheetItem<T>> = self.table.get(key(T::SHEET)).await?;
        Ok(item.map_or_else(Sheet::default, |item| Sheet {
            entries: item.entries,
            version: item.version,
            event: Some(item.event),
        }))
    }

    /// Stores `sheet` over the version before it. `None` if that is not what is stored: read again and
    /// decide again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_sheet<T: Entry>(
        &self,
        sheet: Sheet<T>,
        event: Stamp,
    ) -> Result<Option<Sheet<T>>, StoreError> {
        let item = SheetItem {
            pk: T::SHEET.to_owned(),
            entries: sheet.entries.clone(),
            version: sheet.version,
            schema: SCHEMA,
            updated_at: event.at,
            event: event.clone(),
        };
        dynamo::change(BOOK_NAME, || async {
            let write = self.table.put(&item)?;
            let before = sheet.version.saturating_sub(1);
            let write = if before == 0 {
                write.when("attribute_not_exists(pk)")
            } else {
                write.when("version = :before").value(":before", &before)?
            };
            let book = self.book().await?;
            let writes = vec![write, self.next_book(&book, |_| {})?];
            Ok(match self.table.transact(writes).await? {
                Written::Done => Attempt::Done(Some(Sheet {
                    event: Some(event.clone()),
                    ..sheet.clone()
                })),
                Written::Refused(places) if places.contains(&0) => {
                    // Our own write may be stored already, if the response to it was lost.
                    let stored: Sheet<T> = self.sheet().await?;
                    let same =
                        stored.entries == sheet.entries && stored.event.as_ref() == Some(&event);
                    Attempt::Done(same.then_some(stored))
                }
                Written::Refused(_) => Attempt::Overtaken,
            })
        })
        .await
    }
}

fn made_before(stored: Discount, wanted: Discount) -> Result<(Discount, bool), DiscountError> {
    if stored == wanted {
        // Our own write, whose answer was lost.
        Ok((stored, false))
    } else if stored.request_hash == wanted.request_hash {
        Ok((stored, true))
    } else {
        Err(DiscountError::KeyReused)
    }
}
