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
use crate::values::id::{ProductId, VariantId};
use crate::values::locale::Locale;
use crate::values::money::Money;

use super::content::Content;
use super::prices::Prices;
use super::variants::{ProductOption, Variant, VariantError, VariantFault};

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
    /// Its category.
    pub category: Category,
    /// Whether it is shipped, unlike a voucher or a download.
    pub shipped: bool,
    /// Further texts by name: at most 50, 8 KiB in all.
    pub attributes: BTreeMap<String, String>,
    /// Whether it can be bought.
    pub status: Status,
    /// What its variants differ in: at most [`super::variants::MOST_OPTIONS`].
    pub options: Vec<ProductOption>,
    /// What is sold of it: at least one, at most [`super::variants::MOST_VARIANTS`].
    pub variants: Vec<Variant>,
    /// What shoppers see of it beside that.
    pub content: Content,
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
    /// Returns the variant if there is only one.
    #[must_use]
    pub fn only_variant(&self) -> Option<&Variant> {
        match self.variants.as_slice() {
            [variant] => Some(variant),
            _ => None,
        }
    }

    /// Returns the variant with `id`.
    #[must_use]
    pub fn variant(&self, id: VariantId) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.id == id)
    }

    /// Returns whether it is a product as in releases before there were variants: without options, and with one variant,
    /// which has its identifier.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let only = self.only_variant();
        self.options.is_empty() && only.is_some_and(|only| only.id == self.id.into())
    }

    /// Returns the name of the `variant` with its values, such as `T-shirt (M, red)`, in the language `locale` or the nearest
    /// that the name is in.
    #[must_use]
    pub fn name_of(&self, variant: &Variant, locale: Option<&Locale>) -> String {
        let translation = locale.and_then(|locale| self.content.translation(locale));
        let name = translation.map_or(&self.name, |translation| &translation.name);
        let values = variant.values(&self.options);
        if values.is_empty() {
            name.clone()
        } else {
            format!("{name} ({values})")
        }
    }

    /// Returns the lowest price of a variant, as `price` gives it.
    #[must_use]
    pub fn lowest(&self, price: impl Fn(&Prices) -> Money) -> Option<Money> {
        let prices = self.variants.iter().map(|variant| price(&variant.prices));
        prices.min_by_key(|price| price.amount())
    }

    /// Returns whether shoppers can have it, as far as its stock and its status go: whether they can have the variant
    /// that there is most of.
    #[must_use]
    pub fn availability(&self) -> Availability {
        let variants = self.variants.iter();
        let variants = variants.map(|variant| self.availability_of(variant));
        variants.min().unwrap_or(Availability::OutOfStock)
    }

    /// Returns whether shoppers can have its `variant`.
    #[must_use]
    pub fn availability_of(&self, variant: &Variant) -> Availability {
        match self.status {
            Status::OutOfStock => Availability::OutOfStock,
            Status::Active | Status::Inactive | Status::Discontinued => variant.availability(),
        }
    }

    /// Returns how many are left of its `variant`, if few are and the shop shows it.
    #[must_use]
    pub fn available_quantity(&self, variant: &Variant) -> Option<u64> {
        let is_low = self.availability_of(variant) == Availability::Low;
        let stock = variant.stock.filter(|_| is_low);
        stock.and_then(|stock| stock.quantity)
    }
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
    /// The variants cannot be as they are asked for.
    #[error(transparent)]
    Variant(#[from] VariantError),
    /// More SKUs are added and removed than one transaction can hold.
    #[error(
        "Only 98 SKUs can be added and removed at once. Send fewer changes, one after another."
    )]
    TooManySkus,
    /// Another product has, or had, the slug.
    #[error("/slug: another product has this slug, or had it")]
    SlugTaken,
    /// The product does not fit in an item of the table.
    #[error("all texts of the product together are too long: they must fit in 380,000 bytes")]
    TooLarge,
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
            ProductError::Discontinued | ProductError::SlugTaken => {
                Self::Conflict(error.to_string())
            }
            ProductError::Variant(error) if error.fault == VariantFault::SkuTaken => {
                Self::Conflict(format!("{}: {error}", error.pointer()))
            }
            ProductError::Variant(error) => {
                Self::field(&error.pointer(), error.code(), error.to_string())
            }
            ProductError::TooLarge => Self::field("", "too_large", error.to_string()),
            ProductError::TooManySkus => Self::field("/variants", "too_many", error.to_string()),
            ProductError::KeyReused => Self::IdempotencyKeyReused,
            ProductError::Store(error) => error.into(),
        }
    }
}
