//! Refuses what is out of stock before an order or a quote is made of it.
//!
//! The workflow's `reserve-inventory` is the authority: it decides between orders that are placed at the same time.

use std::collections::BTreeMap;

use super::lines::Item;
use super::model::Line;
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::http::problem::{Fault, Problem};
use crate::stock::store::StockStore;
use crate::values::id::VariantId;

/// How many of each variant are available; none of those that are left out.
pub(super) type Available = BTreeMap<VariantId, u64>;

/// The stock, as placing and quoting look at it.
#[derive(Clone, Debug)]
pub(super) struct StockCheck {
    stock: StockStore,
}

impl StockCheck {
    pub(super) fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            stock: StockStore::new(aws)?,
        })
    }

    /// Returns how many of the variants of `items` are available. The last changes may be missing, and the only variant of a
    /// product may be, too, if it does not have the product's identifier and is not named.
    pub(super) async fn glance(&self, items: &[Item]) -> Result<Available, StoreError> {
        let variants = items.iter().filter_map(Item::likely_variant);
        self.stock.available(variants, false).await
    }

    /// Returns the faults of the `items` of which the stock is short, which the order merges to `lines`. What is short by
    /// what was `seen` is read again, consistently: so a product that was restocked is not refused.
    pub(super) async fn shortage(
        &self,
        items: &[Item],
        lines: &[Line],
        seen: &Available,
    ) -> Result<Vec<Fault>, StoreError> {
        let doubtful = short(lines, seen);
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        let variants = doubtful.iter().map(|line| line.variant_id);
        let available = self.stock.available(variants, true).await?;
        Ok(faults(items, &short(doubtful, &available), &available))
    }
}

/// Returns the `lines` of which fewer are `available` than they want.
fn short<'a>(lines: impl IntoIterator<Item = &'a Line>, available: &Available) -> Vec<&'a Line> {
    let lines = lines.into_iter();
    lines
        .filter(|line| left(line.variant_id, available) < u64::from(line.quantity))
        .collect()
}

fn left(variant: VariantId, available: &Available) -> u64 {
    available.get(&variant).copied().unwrap_or_default()
}

/// Returns a fault for each of the `items` that is part of one of the `short` lines.
fn faults(items: &[Item], short: &[&Line], available: &Available) -> Vec<Fault> {
    let faults = items.iter().enumerate().filter_map(|(at, item)| {
        let line = short.iter().find(|line| item.is_of(line))?;
        let detail = match left(line.variant_id, available) {
            0 => format!("\"{}\" is sold out", line.name),
            _ => format!("fewer of \"{}\" are left than you want", line.name),
        };
        Some(Fault {
            pointer: format!("/items/{at}/quantity"),
            code: "out_of_stock",
            detail,
        })
    });
    faults.collect()
}

/// Returns [`Problem::OutOfStock`] if there are `faults`.
pub(super) fn refuse(faults: Vec<Fault>) -> Result<(), Problem> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::OutOfStock(faults))
    }
}

#[cfg(test)]
mod tests;
