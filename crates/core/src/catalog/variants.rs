//! The variants of a product: each is sold, priced, weighed and stocked on its own. They differ in the product's options.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::id::{ProductId, VariantId};
use crate::values::money::Money;

use super::prices::Prices;
use super::sales::{self, SaleError, SaleTerms};
use super::sku::{Gtin, Sku};

/// The most options of a product.
pub const MOST_OPTIONS: usize = 3;

/// The most values of an option.
pub const MOST_VALUES: usize = 99;

/// The most variants of a product. A transaction of DynamoDB has at most 100 writes, two of which are the product and its
/// slug.
pub const MOST_VARIANTS: usize = 98;

/// The most past prices of all variants of a product together, so that it fits in an item (400 KB).
const MOST_PAST_PRICES: usize = 300;

/// Something in which the variants of a product differ, such as the size.
///
/// Wire and stored shape: `{"name": "size", "values": ["S", "M"]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOption {
    /// Its name, unlike those of the product's other options: a line of 1 to 50 characters.
    pub name: String,
    /// The values that a variant may have, no two of which are the same, in the order in which they are shown: lines of
    /// 1 to 60 characters.
    pub values: Vec<String>,
}

/// What shoppers see of a variant's stock. It follows the stock a moment later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownStock {
    /// Whether the variant can be ordered.
    pub availability: Availability,
    /// How many are left, if few are and the shop shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
}

/// A variant of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its identifier.
    pub id: VariantId,
    /// Its SKU, if it was given one.
    pub sku: Option<Sku>,
    /// Its GTIN, if it has one.
    pub gtin: Option<Gtin>,
    /// The value that it has of each of the product's options.
    pub options: BTreeMap<String, String>,
    /// What it costs, and did before.
    pub prices: Prices,
    /// The weight of one piece, more than zero; `None` if it is not known.
    pub weight_grams: Option<u32>,
    /// What shoppers see of its stock. Variants of earlier releases have none until their stock changes.
    pub stock: Option<ShownStock>,
}

impl Variant {
    /// Returns the SKU: the variant's own, or else its identifier.
    #[must_use]
    pub fn sku(&self) -> Sku {
        Sku::of_variant(self.sku.as_ref(), self.id)
    }

    /// Returns whether shoppers can have it, as far as its stock goes.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.stock
            .map_or(Availability::InStock, |stock| stock.availability)
    }

    /// Returns its values in the order of `options`, such as `M, red`; empty without options.
    #[must_use]
    pub fn values(&self, options: &[ProductOption]) -> String {
        let values = options.iter();
        let values = values.filter_map(|option| self.options.get(&option.name));
        values.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// A change of a variant; fields that are `None` stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariantChange {
    /// As [`Variant::sku`].
    pub sku: Option<Option<Sku>>,
    /// As [`Variant::gtin`].
    pub gtin: Option<Option<Gtin>>,
    /// As [`Variant::options`].
    pub options: Option<BTreeMap<String, String>>,
    /// The price without a sale, more than zero. A new variant needs one.
    pub price: Option<Money>,
    /// A sale; `Some(None)` ends it.
    pub sale: Option<Option<SaleTerms>>,
    /// As [`Variant::weight_grams`].
    pub weight_grams: Option<Option<u32>>,
}

/// A variant in the list that is to become the product's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedVariant {
    /// The variant, or `None` for a new one.
    pub id: Option<VariantId>,
    /// How it changes, or what the new one has.
    pub change: VariantChange,
}

/// Why the variants of a product cannot be as they are asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct VariantError {
    /// The place in the list, or `None` for fields of the product itself.
    pub at: Option<usize>,
    /// What is wrong.
    pub fault: VariantFault,
}

/// What is wrong with a variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariantFault {
    /// A new variant has no price.
    #[error("this is required for a new variant")]
    PriceRequired,
    /// The price and the sale do not fit.
    #[error(transparent)]
    Sale(#[from] SaleError),
    /// The variant does not have a value of each option.
    #[error("this must have one of the values of each option ({0}) and nothing else")]
    Values(String),
    /// Two variants have the same values.
    #[error("an earlier variant has the same options")]
    SameValues,
    /// Two variants have the same SKU.
    #[error("an earlier variant has the same SKU")]
    SameSku,
    /// The SKU is the identifier of another variant.
    #[error("an identifier can only be the SKU of the variant that has it")]
    ForeignSku,
    /// Another product's variant has the SKU.
    #[error("a variant of another product has this SKU")]
    SkuTaken,
    /// The product has no variant with the identifier.
    #[error("the product has no such variant")]
    UnknownVariant,
    /// The variant is named twice.
    #[error("an earlier entry is for the same variant")]
    SameVariant,
    /// The field is of the product, which has several variants.
    #[error("this product has several variants: send this in \"variants\", for each of them")]
    Several(&'static str),
}

impl VariantError {
    /// Returns the JSON pointer to the field at fault.
    #[must_use]
    pub fn pointer(&self) -> String {
        let field = match &self.fault {
            VariantFault::PriceRequired => "/price",
            VariantFault::Sale(error) => error.pointer(),
            VariantFault::Values(_) | VariantFault::SameValues => "/options",
            VariantFault::SameSku | VariantFault::ForeignSku | VariantFault::SkuTaken => "/sku",
            VariantFault::UnknownVariant | VariantFault::SameVariant => "/id",
            VariantFault::Several(field) => field,
        };
        match self.at {
            Some(at) => format!("/variants/{at}{field}"),
            None => field.to_owned(),
        }
    }

    /// Returns the code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.fault {
            VariantFault::PriceRequired => "required",
            VariantFault::Sale(_) => "range",
            VariantFault::Values(_) => "options",
            VariantFault::SameValues | VariantFault::SameSku | VariantFault::SameVariant => {
                "repeated"
            }
            VariantFault::ForeignSku => "reserved",
            VariantFault::SkuTaken => "taken",
            VariantFault::UnknownVariant => "unknown_variant",
            VariantFault::Several(_) => "several_variants",
        }
    }
}

/// Returns the variants of `product` that `listed` makes of the `known` ones. Known variants that are not listed are gone.
///
/// # Errors
/// [`VariantError`] for the first that cannot be.
pub fn listed(
    product: ProductId,
    options: &[ProductOption],
    known: &[Variant],
    listed: Vec<ListedVariant>,
    now: Time,
) -> Result<Vec<Variant>, VariantError> {
    let mut taken: BTreeSet<VariantId> = known.iter().map(|variant| variant.id).collect();
    let count = listed.len();
    let mut variants: Vec<Variant> = Vec::with_capacity(count);
    for (at, entry) in listed.into_iter().enumerate() {
        let error = |fault| VariantError {
            at: Some(at),
            fault,
        };
        let variant = match entry.id {
            Some(id) => {
                let variant = known.iter().find(|variant| variant.id == id);
                let variant = variant.ok_or_else(|| error(VariantFault::UnknownVariant))?;
                change(variant, entry.change, now)
            }
            None => create(product, options, entry.change, &mut taken, now),
        };
        let variant = variant.map_err(error)?;
        check(&variant, options, &variants).map_err(error)?;
        variants.push(variant);
    }
    for variant in &mut variants {
        variant.prices.shorten(MOST_PAST_PRICES / count.max(1));
    }
    Ok(variants)
}

/// Returns the only variant of a product without options.
///
/// # Errors
/// [`VariantFault`].
pub fn only(
    product: ProductId,
    content: VariantChange,
    now: Time,
) -> Result<Variant, VariantFault> {
    let variant = new(product.into(), content, now)?;
    check(&variant, &[], &[])?;
    Ok(variant)
}

/// Returns `variant` as `change` changes it.
///
/// # Errors
/// [`VariantFault`].
pub fn change(
    variant: &Variant,
    change: VariantChange,
    now: Time,
) -> Result<Variant, VariantFault> {
    let old = variant.clone();
    let id = variant.id;
    let sku = change.sku.unwrap_or(old.sku);
    Ok(Variant {
        sku: sku.filter(|sku| sku.variant() != Some(id)),
        gtin: change.gtin.unwrap_or(old.gtin),
        options: change.options.unwrap_or(old.options),
        prices: sales::changed(&old.prices, change.price, change.sale, now)?,
        weight_grams: change.weight_grams.unwrap_or(old.weight_grams),
        ..old
    })
}

/// Returns a new variant of `product`. Its identifier follows from the product and its values, so that the same request
/// creates the same variant, and a variant that comes back finds the stock that it had. It is not one of those that are
/// `taken`.
fn create(
    product: ProductId,
    options: &[ProductOption],
    content: VariantChange,
    taken: &mut BTreeSet<VariantId>,
    now: Time,
) -> Result<Variant, VariantFault> {
    let mut variant = new(product.into(), content, now)?;
    let values = variant.values(options);
    let product = product.to_string();
    let ids = (0_u32..).map(|attempt| {
        let attempt = attempt.to_string();
        VariantId::derived(&["variant", &product, &values, &attempt])
    });
    let mut free = ids.filter(|id| taken.insert(*id));
    variant.id = free.next().unwrap_or(variant.id);
    Ok(variant)
}

fn new(id: VariantId, content: VariantChange, now: Time) -> Result<Variant, VariantFault> {
    let price = content.price.ok_or(VariantFault::PriceRequired)?;
    Ok(Variant {
        id,
        sku: content.sku.flatten(),
        gtin: content.gtin.flatten(),
        options: content.options.unwrap_or_default(),
        prices: sales::first(price, content.sale.flatten(), now)?,
        weight_grams: content.weight_grams.flatten(),
        stock: Some(ShownStock {
            availability: Availability::OutOfStock,
            quantity: None,
        }),
    })
}

/// Checks that `variant` has a value of each of the `options`, and is told from the `earlier` ones by them, by its SKU and by
/// its identifier.
fn check(
    variant: &Variant,
    options: &[ProductOption],
    earlier: &[Variant],
) -> Result<(), VariantFault> {
    let has_value = |option: &ProductOption| {
        let value = variant.options.get(&option.name);
        value.is_some_and(|value| option.values.contains(value))
    };
    if variant.options.len() != options.len() || !options.iter().all(has_value) {
        let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
        return Err(VariantFault::Values(names.join(", ")));
    }
    let foreign = variant.sku.as_ref().and_then(Sku::variant);
    if foreign.is_some_and(|id| id != variant.id) {
        return Err(VariantFault::ForeignSku);
    }
    for other in earlier {
        if other.id == variant.id {
            return Err(VariantFault::SameVariant);
        }
        if other.options == variant.options {
            return Err(VariantFault::SameValues);
        }
        if other.sku.is_some() && other.sku == variant.sku {
            return Err(VariantFault::SameSku);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
