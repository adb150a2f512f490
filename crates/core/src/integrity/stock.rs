//! The comparison of stock with the reservations that hold it.
//!
//! What is reserved of a product can only be compared with all open reservations, because a reservation is one item,
//! however many products it holds. So the stock of many products is compared at once: their stock is read, then all open
//! reservations in pieces, then their stock again. Where that changed in between, nothing can be said, and the next
//! audit looks again.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _};

use super::checks::{CheckResult, Results, readable};
use super::evidence::Evidence;
use super::model::{StockCase, Subject};
use super::progress::{Sum, Sweep};
use super::rules;
use crate::aws::dynamo::StoreError;
use crate::stock::model::Stock;
use crate::values::clock::Time;
use crate::values::id::VariantId;

/// How many products are read at the same time.
const AT_ONCE: usize = 16;

/// Returns the sweep that compares the stock of `products`. Stock that cannot be read is left to [`results`].
pub(super) async fn begin(
    evidence: &Evidence,
    products: &BTreeSet<VariantId>,
    second: bool,
) -> Result<Sweep, StoreError> {
    let products = products.iter().copied();
    let reads = products.map(|id| Box::pin(stocks(evidence, id)));
    let mut reads = futures::stream::iter(reads).buffer_unordered(AT_ONCE);
    let mut sweep = Sweep {
        second,
        ..Sweep::default()
    };
    while let Some(stocks) = reads.try_next().await? {
        sweep.sums.extend(stocks.into_iter().map(|stock| {
            let sum = Sum {
                available: stock.available,
                reserved: stock.reserved,
                held: 0,
            };
            ((stock.variant_id, stock.place), sum)
        }));
    }
    Ok(sweep)
}

async fn stocks(evidence: &Evidence, product: VariantId) -> Result<Vec<Stock>, StoreError> {
    match evidence.stocks(product).await {
        Err(StoreError::Shape(_)) => Ok(Vec::new()),
        read => read,
    }
}

/// Adds the next at most `most` open reservations to the sums of `sweep`. Returns whether that were all.
pub(super) async fn continue_sweep(
    evidence: &Evidence,
    sweep: &mut Sweep,
    most: usize,
) -> Result<bool, StoreError> {
    let open = evidence.open_reservations(sweep.after.as_ref(), most);
    let (open, next) = open.await?;
    for line in open.into_iter().flat_map(|reservation| reservation.lines) {
        let left = line.left();
        sweep.add(line.variant_id, line.place, left);
    }
    sweep.after = next;
    Ok(sweep.after.is_none())
}

/// Returns the results for `products`, of which `sweep` has read all open reservations.
pub(super) async fn results(
    evidence: &Evidence,
    sweep: &Sweep,
    products: &BTreeSet<VariantId>,
    now: Time,
) -> Result<Results, StoreError> {
    let products = products.iter().copied();
    let checks = products.map(|id| Box::pin(result(evidence, sweep, id, now)));
    let checks = futures::stream::iter(checks).buffer_unordered(AT_ONCE);
    checks.try_collect().await
}

async fn result(
    evidence: &Evidence,
    sweep: &Sweep,
    product: VariantId,
    now: Time,
) -> Result<(Subject, CheckResult), StoreError> {
    let result = readable(check(evidence, sweep, product, now).await)?;
    Ok((Subject::Stock(product), result))
}

async fn check(
    evidence: &Evidence,
    sweep: &Sweep,
    product: VariantId,
    now: Time,
) -> Result<CheckResult, StoreError> {
    let mut violations = Vec::new();
    for stock in evidence.stocks(product).await? {
        let sum = sweep.sums.get(&(product, stock.place.clone())).copied();
        let Some(sum) =
            sum.filter(|sum| sum.is_of(&stock) && rules::is_quiet(stock.updated_at, now))
        else {
            return Ok(CheckResult::Unsettled);
        };
        let events = evidence.stock_events(&stock).await?;
        let held = sum.held;
        violations.extend(rules::stock(&StockCase {
            stock,
            events,
            held,
        }));
    }
    Ok(CheckResult::Settled(violations))
}
