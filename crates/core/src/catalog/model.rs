//! Products, and their status and category.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::ProductId;
use crate::values::money::Money;

use super::prices::{Prices, Sale};

/// Whether a product can be bought.
///
/// Wire and stored shape: `active`, `inactive`, `out_of_stock`, `discontinued`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Status {
    /// It is for sale.
    Active,
    /// It is not for sale now.
    Inactive,
    /// It is shown, but not for sale until there is more stock.
    OutOfStock,
    /// It will never be sold again.
    Discontinued,
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 4] = [
        Self::Active,
        Self::Inactive,
        Self::OutOfStock,
        Self::Discontinued,
    ];

    /// Returns whether everyone may see products with this status. Others are for admins: what is not for sale yet, or no
    /// more.
    #[must_use]
    pub fn is_public(self) -> bool {
        match self {
            Self::Active | Self::OutOfStock => true,
            Self::Inactive | Self::Discontinued => false,
        }
    }

    /// Returns the text on the wire and in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::OutOfStock => "out_of_stock",
            Self::Discontinued => "discontinued",
        }
    }
}

/// A text that is not a status of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be active, inactive, out_of_stock or discontinued")]
pub struct InvalidStatus;

impl FromStr for Status {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, InvalidStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or(InvalidStatus)
    }
}

impl TryFrom<String> for Status {
    type Error = InvalidStatus;

    fn try_from(text: String) -> Result<Self, InvalidStatus> {
        text.parse()
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The category of a product, such as `green-tea`: 1 to 100 of `a` to `z`, `0` to `9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

/// A text that is not a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be 1 to 100 of the characters a to z, 0 to 9 and -")]
pub struct InvalidCategory;

impl Category {
    /// Returns the category as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Category {
    type Err = InvalidCategory;

    fn from_str(text: &str) -> Result<Self, InvalidCategory> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=100).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCategory)
        }
    }
}

impl TryFrom<String> for Category {
    type Error = InvalidCategory;

    fn try_from(text: String) -> Result<Self, InvalidCategory> {
        text.parse()
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an attribute of earlier releases that held the weight in grams. It is a field now.
pub const WEIGHT_ATTRIBUTE: &str = "weight_grams";

/// The most that one piece can weigh, in grams: 1,000 tonnes.
pub const MAX_WEIGHT_GRAMS: u32 = 1_000_000_000;

/// Returns the weight that `text` is: a plain whole number of grams, from 1 to [`MAX_WEIGHT_GRAMS`].
#[must_use]
pub fn weight_grams(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let grams = plain.then(|| text.parse().ok()).flatten();
    grams.filter(|grams| (1..=MAX_WEIGHT_GRAMS).contains(grams))
}

/// Something that the shop sells, or sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its identifier.
    pub id: ProductId,
    /// Its name: 1 to 255 characters.
    pub name: String,
    /// Its description: up to 1000 characters.
    pub description: String,
    /// What it costs, and did before.
    pub prices: Prices,
    /// Its category.
    pub category: Category,
    /// The weight of one piece, more than zero; `None` if it is not known.
    pub weight_grams: Option<u32>,
    /// Whether it is shipped, unlike a voucher or a download.
    pub shipped: bool,
    /// Further texts by name: at most 50, 8 KiB in all.
    pub attributes: BTreeMap<String, String>,
    /// Whether it can be bought.
    pub status: Status,
    /// What shoppers see of its stock. Products of earlier releases have none until their stock changes.
    pub stock: Option<ShownStock>,
    /// The number of its changes, from 1.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Hash of the request that created it, if that had an `Idempotency-Key`.
    pub request_hash: Option<String>,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Product {
    /// Returns what one piece costs at `now`.
    #[must_use]
    pub fn price_at(&self, now: Time) -> Money {
        self.prices.at(now)
    }

    /// Returns the sale that is on, or will be.
    #[must_use]
    pub fn sale(&self, now: Time) -> Option<Sale> {
        self.prices.sale.filter(|sale| !sale.is_over(now))
    }

    /// Returns whether shoppers can have it, as far as its stock and its status go.
    #[must_use]
    pub fn availability(&self) -> Availability {
        match self.status {
            Status::OutOfStock => Availability::OutOfStock,
            Status::Active | Status::Inactive | Status::Discontinued => self
                .stock
                .map_or(Availability::InStock, |stock| stock.availability),
        }
    }

    /// Returns how many are left, if few are and the shop shows it.
    #[must_use]
    pub fn available_quantity(&self) -> Option<u64> {
        let shown = self
            .stock
            .filter(|_| self.availability() == Availability::Low);
        shown.and_then(|stock| stock.quantity)
    }
}

/// What shoppers see of a product's stock. It follows the stock a moment later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownStock {
    /// Whether the product can be ordered.
    pub availability: Availability,
    /// How many are left, if few are and the shop shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
}

/// Why a request about a product fails.
#[derive(Debug, thiserror::Error)]
pub enum ProductError {
    /// There is no product with this identifier.
    #[error("there is no such product")]
    NotFound,
    /// The product has changed since it was read.
    #[error("the product has changed since it was read")]
    Stale,
    /// What is shown of the product's stock has changed since it was read.
    #[error("the stock that is shown of the product has changed since it was read")]
    StockMoved,
    /// The product is discontinued and cannot be changed.
    #[error("A discontinued product cannot be changed.")]
    Discontinued,
    /// The price and the sale price do not fit.
    #[error(transparent)]
    Sale(#[from] SaleError),
    /// The idempotency key was used for another product.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The database did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProductError> for Problem {
    fn from(error: ProductError) -> Self {
        match error {
            ProductError::NotFound => Self::NotFound("product"),
            ProductError::Stale => Self::PreconditionFailed,
            ProductError::StockMoved => Self::Busy(error.into()),
            ProductError::Discontinued => Self::Conflict(error.to_string()),
            ProductError::Sale(error) => Self::field(error.pointer(), "range", error.to_string()),
            ProductError::KeyReused => Self::IdempotencyKeyReused,
            ProductError::Store(error) => error.into(),
        }
    }
}

/// Why a product cannot have a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaleError {
    /// The sale price is not lower than the price.
    #[error("this must be less than the price without the sale, {} {}", .0.amount(), .0.currency())]
    NotLower(Money),
    /// The price becomes as low as the price of the sale that is set.
    #[error("a sale at {} {} is set; the price must be more, or send \"sale\": null", .0.amount(), .0.currency())]
    NotHigher(Money),
    /// The sale ends before it starts.
    #[error("this must be later than the start of the sale, {0}")]
    Window(Time),
}

impl SaleError {
    fn pointer(self) -> &'static str {
        match self {
            Self::NotLower(_) => "/sale/price",
            Self::NotHigher(_) => "/price",
            Self::Window(_) => "/sale/ends_at",
        }
    }
}
