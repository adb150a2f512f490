//! The stored shapes of an order. They live for years: a new attribute is optional, and no attribute changes its
//! meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::credit::PastOrder;
use super::details::Details;
use super::model::{
    Failure, FailureCode, Guest, Line, Order, PaymentStatus, Review, ReviewState, Status,
};
use super::number::OrderNumber;
use super::redemptions::Redemption;
use crate::aws::dynamo::StoreError;
use crate::catalog::sku::Sku;
use crate::customers::model::Email;
use crate::values::address::{Address, AddressItem};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, DiscountId, GiftCardId, OrderId, ProductId, VariantId};
use crate::values::money::{Currency, Money};

pub(super) mod charges;

use charges::{Charges, LineCharges};

/// The version of the shape that is written. Readers read this one and all before it.
const SCHEMA: u32 = 1;

/// The number of shards of each key of the indexes by status and by due time. It is part of the stored items, so it must
/// never be lowered: an order in a shard that is not read any more would not be found when it is due.
pub(super) const SHARDS: u32 = 4;

/// Stores values as the text that they display as.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// One of an order's two items, by its sort key `part`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub(super) enum PartItem {
    Header(HeaderItem),
    Lines(LinesItem),
    /// A count of a discount's uses or a used quote ([`super::uses`]), which is not a part of an order.
    #[serde(other, skip_serializing)]
    Other,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeaderItem {
    pub(super) order_id: OrderId,
    pub(super) customer_id: CustomerId,
    /// The key of the index of guests' orders: the email address in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guest_email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guest: Option<Box<GuestItem>>,
    #[serde(with = "text")]
    status: Status,
    #[serde(with = "text")]
    payment_status: PaymentStatus,
    /// Absent before the first refund.
    #[serde(rename = "pv", default, skip_serializing_if = "is_none")]
    payment_version: u64,
    pub(super) total: String,
    pub(super) currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<FailureItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    review: Option<ReviewItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cancelled_from: Option<String>,
    created_at: Time,
    updated_at: Time,
    deadline_at: Time,
    /// When `run-due-orders` runs the order or erases its address, whichever comes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    /// The name is short, because the fullest header has no room for a longer one.
    #[serde(rename = "erase", default, skip_serializing_if = "Option::is_none")]
    erase_at: Option<Time>,
    /// When the order is run, if that is not before `erase_at`; otherwise `due_at` holds that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_at: Option<Time>,
    // The indexes that lists read do not have the attributes with a default.
    #[serde(default)]
    due_attempts: u32,
    #[serde(default)]
    run: u32,
    #[serde(default)]
    request_hash: String,
    version: u64,
    #[serde(default)]
    revision: u64,
    schema: u32,
    pub(super) event: Stamp,
    status_shard: String,
    pub(super) position: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct GuestItem {
    email: String,
    locale: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FailureItem {
    #[serde(with = "text")]
    pub(super) code: FailureCode,
    detail: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReviewItem {
    #[serde(with = "text")]
    state: ReviewState,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reasons: String,
}

/// Repeated names are short, so that fifty lines fit in four write units.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LinesItem {
    pub(super) order_id: OrderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<OrderNumber>,
    lines: Vec<LineItem>,
    address: AddressItem,
    /// Whether none of the goods are shipped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unshipped: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Box<DetailsItem>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_token: Option<String>,
    /// What it takes from gift cards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gift_cards: Vec<RedemptionItem>,
    #[serde(default, skip_serializing_if = "Charges::is_none")]
    charges: Charges,
    schema: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineItem {
    /// Product.
    p: ProductId,
    /// Variant, unless it has the product's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v: Option<VariantId>,
    /// SKU, if it was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<Sku>,
    /// Name.
    n: String,
    /// Quantity.
    q: u32,
    /// Price of one piece, in the header's currency.
    u: String,
    /// Price list that gave it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<String>,
    /// Discounts and tax.
    #[serde(default, skip_serializing_if = "LineCharges::is_none")]
    c: LineCharges,
}

#[derive(Debug, Serialize, Deserialize)]
struct RedemptionItem {
    /// Card.
    c: GiftCardId,
    /// The last four characters of its code.
    l: String,
    /// Amount, in the header's currency.
    a: String,
}

/// What a customer tells about an order, all of which goes when the address is erased.
#[derive(Debug, Serialize, Deserialize)]
struct DetailsItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billing: Option<AddressItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retryable: bool,
}

impl DetailsItem {
    /// Returns the stored shape of `details`, or `None` if there is nothing to store.
    fn new(details: &Details) -> Option<Self> {
        (*details != Details::default()).then(|| Self {
            billing: details.billing_address.clone().map(AddressItem::from),
            note: details.note.clone(),
            metadata: details.metadata.clone(),
            retryable: details.retryable,
        })
    }
}

impl From<DetailsItem> for Details {
    fn from(item: DetailsItem) -> Self {
        Self {
            billing_address: item.billing.map(Address::from),
            note: item.note,
            metadata: item.metadata,
            retryable: item.retryable,
        }
    }
}

/// Returns the key of the index by status: `<status>#<shard>`.
pub(super) fn status_shard(status: Status, shard: u32) -> String {
    format!("{status}#{shard}")
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_none(version: &u64) -> bool {
    *version == 0
}

impl HeaderItem {
    /// Returns the header of `order`.
    pub(super) fn from_order(order: &Order) -> Self {
        let shard = order.id.shard(SHARDS);
        let due_at = order.due_at.into_iter().chain(order.erase_at).min();
        // Nobody claims or finds an order any more whose guest has asked to be forgotten.
        let guest = order.guest.as_ref().filter(|_| order.erase_at.is_none());
        Self {
            order_id: order.id,
            customer_id: order.customer_id,
            guest_email: guest.map(|guest| guest.email.lowercase()),
            guest: order.guest.as_ref().map(|guest| {
                Box::new(GuestItem {
                    email: guest.email.as_str().to_owned(),
                    locale: guest.locale.as_str().to_owned(),
                })
            }),
            status: order.status,
            payment_status: order.payment_status,
            payment_version: order.payment_version,
            total: order.total.amount().to_string(),
            currency: order.total.currency(),
            failure: order.failure.as_ref().map(|failure| FailureItem {
                code: failure.code,
                detail: failure.detail.clone(),
            }),
            review: order.review.clone().map(|review| ReviewItem {
                state: review.state,
                reasons: review.reasons,
            }),
            cancelled_from: order.cancelled_from.map(|status| status.to_string()),
            created_at: order.created_at,
            updated_at: order.updated_at,
            deadline_at: order.deadline_at,
            due_at,
            due_shard: due_at.map(|_| shard.to_string()),
            erase_at: order.erase_at,
            run_at: order.due_at.filter(|run_at| {
                let erased_by_then = |erase_at: Time| erase_at <= *run_at;
                order.erase_at.is_some_and(erased_by_then)
            }),
            due_attempts: order.due_attempts,
            run: order.run,
            request_hash: order.request_hash.clone(),
            version: order.version,
            revision: order.revision,
            schema: SCHEMA,
            event: order.event.clone(),
            status_shard: status_shard(order.status, shard),
            position: order.position(),
        }
    }

    pub(super) fn has_status(&self, status: Status) -> bool {
        self.status == status
    }

    /// Returns the summary of an earlier order.
    pub(super) fn past(&self) -> Result<PastOrder, StoreError> {
        Ok(PastOrder {
            id: self.order_id,
            status: self.status,
            failure: self.failure.as_ref().map(|failure| failure.code),
            total: Money::parse(&self.total, self.currency).map_err(StoreError::unreadable)?,
            created_at: self.created_at,
        })
    }

    /// Returns the order that consists of this header and `lines`.
    pub(super) fn into_order(self, lines: LinesItem) -> Result<Order, StoreError> {
        let currency = self.currency;
        let money = |text: &str| Money::parse(text, currency).map_err(StoreError::unreadable);
        let cancelled_from = self.cancelled_from.as_deref().map(str::parse).transpose();
        let failure = self.failure.map(|failure| Failure {
            code: failure.code,
            detail: failure.detail,
        });
        let guest = self
            .guest
            .map(|guest| Guest::try_from(*guest))
            .transpose()?;
        let mut priced = Vec::with_capacity(lines.lines.len());
        let mut bought = Vec::with_capacity(lines.lines.len());
        for item in lines.lines {
            let line = Line {
                product_id: item.p,
                variant_id: item.v.unwrap_or(item.p.into()),
                sku: item.s,
                name: item.n,
                quantity: item.q,
                unit_price: money(&item.u)?,
                price_list: item.l,
            };
            priced.push((line.subtotal().map_err(StoreError::unreadable)?, item.c));
            bought.push(line);
        }
        let redeemed = lines.gift_cards.into_iter().map(|item| {
            Ok(Redemption {
                card: item.c,
                last_four: item.l,
                amount: money(&item.a)?,
            })
        });
        let gift_cards = redeemed.collect::<Result<_, StoreError>>()?;
        let (breakdown, uses) = charges::from_stored(currency, priced, lines.charges)?;
        Ok(Order {
            id: self.order_id,
            number: lines.number,
            customer_id: self.customer_id,
            guest,
            status: self.status,
            payment_status: self.payment_status,
            payment_version: self.payment_version,
            lines: bought,
            breakdown,
            uses,
            total: money(&self.total)?,
            gift_cards,
            shipping_address: lines.address.into(),
            details: lines.details.map(|told| (*told).into()).unwrap_or_default(),
            is_shipped: !lines.unshipped,
            erase_at: self.erase_at,
            failure,
            review: self.review.map(|review| Review {
                state: review.state,
                reasons: review.reasons,
            }),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            deadline_at: self.deadline_at,
            payment_token: lines.payment_token,
            cancelled_from: cancelled_from.map_err(StoreError::unreadable)?,
            due_at: match (self.erase_at, self.due_at) {
                (Some(erase_at), Some(due_at)) if due_at >= erase_at => self.run_at,
                (Some(_) | None, due_at) => due_at,
            },
            due_attempts: self.due_attempts,
            run: self.run,
            request_hash: self.request_hash,
            revision: self.revision,
            event: self.event,
        })
    }
}

impl TryFrom<GuestItem> for Guest {
    type Error = StoreError;

    fn try_from(item: GuestItem) -> Result<Self, StoreError> {
        Ok(Self {
            email: Email::stored(item.email),
            locale: item.locale.parse().map_err(StoreError::unreadable)?,
        })
    }
}

impl LinesItem {
    /// Returns whether the order has `discount` without a use in the count of its customer or guest.
    pub(super) fn has_uncounted(&self, discount: DiscountId) -> bool {
        self.charges.has_uncounted(discount)
    }

    /// Returns the quantity of each product.
    pub(super) fn quantities(&self) -> impl Iterator<Item = (ProductId, u32)> {
        self.lines.iter().map(|line| (line.p, line.q))
    }

    /// Returns the lines of `order`.
    pub(super) fn from_order(order: &Order) -> Self {
        let (line_charges, charges) = charges::to_stored(&order.breakdown, &order.uses);
        let mut line_charges = line_charges.into_iter();
        let lines = order.lines.iter().map(|line| LineItem {
            p: line.product_id,
            v: line.other_variant(),
            s: line.sku.clone(),
            n: line.name.clone(),
            q: line.quantity,
            u: line.unit_price.amount().to_string(),
            l: line.price_list.clone(),
            c: line_charges.next().unwrap_or_default(),
        });
        let gift_cards = order.gift_cards.iter().map(|redemption| RedemptionItem {
            c: redemption.card,
            l: redemption.last_four.clone(),
            a: redemption.amount.amount().to_string(),
        });
        Self {
            order_id: order.id,
            number: order.number,
            lines: lines.collect(),
            address: order.shipping_address.clone().into(),
            details: DetailsItem::new(&order.details).map(Box::new),
            unshipped: !order.is_shipped,
            payment_token: order.payment_token.clone(),
            gift_cards: gift_cards.collect(),
            charges,
            schema: SCHEMA,
        }
    }
}

#[cfg(test)]
mod tests;
