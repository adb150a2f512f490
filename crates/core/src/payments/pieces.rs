//! What pieces of an order's lines are worth, each with its share of discounts, taxes and shipping.

use serde::Serialize;

use crate::http::body::Json;
use crate::http::problem::Fault;
use crate::orders::fields;
use crate::orders::lines::{Item, MOST_ITEMS};
use crate::orders::model::{Line, Order};
use crate::values::id::VariantId;
use crate::values::money::{Currency, Money, MoneyError};

use super::model::Units;

/// Pieces of lines, and what they are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// What they are worth.
    pub amount: Money,
    /// How many of each variant.
    pub units: Units,
}

/// Why pieces have no worth.
#[derive(Debug, thiserror::Error)]
pub enum PiecesError {
    /// The request is at fault.
    #[error("the lines are not valid")]
    Invalid(Vec<Fault>),
    /// More pieces than are left.
    #[error("at most {left} of {name} can still be taken")]
    TooMany {
        /// The name of the line.
        name: String,
        /// How many pieces are left.
        left: u32,
    },
    /// The amounts cannot be added.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Pieces of one variant on the wire.
#[derive(Debug, Serialize)]
pub(super) struct LineBody {
    variant_id: VariantId,
    quantity: u32,
}

impl LineBody {
    /// Returns the lines of `units`.
    pub(super) fn all(units: &Units) -> Vec<Self> {
        let lines = units.iter().map(|(variant_id, quantity)| Self {
            variant_id: *variant_id,
            quantity: *quantity,
        });
        lines.collect()
    }
}

/// Reads the lines of a request, which must not come `beside_amount`.
pub(super) fn wanted(json: Json<'_>, beside_amount: bool) -> Option<Vec<Item>> {
    let place = json.clone();
    let lines = json.list(1..=MOST_ITEMS, |json| json.object(fields::item));
    if beside_amount {
        return place.fault("both", "send an amount or lines, not both");
    }
    lines
}

/// Returns the `wanted` pieces of `order`, of which `taken` are taken already, in `currency`.
///
/// # Errors
/// [`PiecesError`] if the order has no such pieces, or not so many are left.
pub fn price(
    order: &Order,
    taken: &Units,
    wanted: &[Item],
    currency: Currency,
) -> Result<Pieces, PiecesError> {
    let mut units = Units::new();
    let mut faults = Vec::new();
    for (at, wanted) in wanted.iter().enumerate() {
        match line_of(order, wanted) {
            Ok(line) => *units.entry(line.variant_id).or_default() += wanted.quantity,
            Err((field, code, detail)) => faults.push(Fault {
                pointer: format!("/lines/{at}/{field}"),
                code,
                detail: detail.to_owned(),
            }),
        }
    }
    if !faults.is_empty() {
        return Err(PiecesError::Invalid(faults));
    }
    let charges = order.breakdown.charges()?;
    let mut amount = Money::zero(currency);
    for (line, charge) in order.lines.iter().zip(charges) {
        let Some(quantity) = units.get(&line.variant_id).copied() else {
            continue;
        };
        let left = left_of(taken, line);
        if quantity > left {
            let name = line.name.clone();
            return Err(PiecesError::TooMany { name, left });
        }
        let worth = worth(charge, line.quantity, line.quantity - left, quantity)?;
        amount = amount.plus(worth)?;
    }
    Ok(Pieces { amount, units })
}

/// Returns how many pieces of `line` are left of which `taken` are taken.
#[must_use]
pub fn left_of(taken: &Units, line: &Line) -> u32 {
    let taken = taken.get(&line.variant_id).copied().unwrap_or(0);
    line.quantity.saturating_sub(taken)
}

/// Returns the line that is wanted, or the field, code and detail of the fault.
fn line_of<'a>(
    order: &'a Order,
    wanted: &Item,
) -> Result<&'a Line, (&'static str, &'static str, &'static str)> {
    let is_wanted = |line: &&Line| {
        wanted.product_id.is_none_or(|id| id == line.product_id)
            && wanted.variant_id.is_none_or(|id| id == line.variant_id)
    };
    let mut lines = order.lines.iter().filter(is_wanted);
    let field = if wanted.variant_id.is_some() {
        "variant_id"
    } else {
        "product_id"
    };
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        (None, _) => Err((field, "not_ordered", "the order has no such line")),
        (Some(_), Some(_)) => {
            let detail = "the order has several variants of this product; name one as variant_id";
            Err(("variant_id", "required", detail))
        }
    }
}

/// Returns what `quantity` pieces are worth after the first `before` of the `all` pieces for which `charge` was charged.
/// Whatever the quantities, all pieces together are worth `charge`.
pub(super) fn worth(
    charge: Money,
    all: u32,
    before: u32,
    quantity: u32,
) -> Result<Money, MoneyError> {
    first(charge, all, before + quantity)?.minus(first(charge, all, before)?)
}

/// Returns what the first `count` of `all` pieces are worth, rounded down to the smallest unit.
fn first(charge: Money, all: u32, count: u32) -> Result<Money, MoneyError> {
    let units = u128::from(charge.minor_units().ok_or(MoneyError::NoParts)?);
    let part = units * u128::from(count) / u128::from(all.max(1));
    let part = u64::try_from(part).map_err(|_| MoneyError::TooLarge)?;
    Money::from_minor_units(part, charge.currency())
}
