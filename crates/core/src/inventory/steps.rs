//! The workflow's steps `InventoryCheck`, `InventoryUpdate` and `ReleaseInventory`. Each reads what is stored, does
//! what is missing, and may run any number of times, also at the same time.

use crate::aws::dynamo::{self, Attempt};
use crate::orders::model::Order;
use crate::orders::store::OrderStore;
use crate::runtime::{Step, StepError};
use crate::values::id::VariantId;

use super::model::{Reservation, ReservationStatus};
use super::rules::{self, Hold, Release, Stop};
use super::store::{HoldOutcome, InventoryStore, ReleaseOutcome};

/// The most products that an out-of-stock failure names.
const MOST_NAMES: usize = 3;

impl From<Stop> for StepError {
    fn from(stop: Stop) -> Self {
        let name = match stop {
            Stop::AlreadyConfirmed => "AlreadyConfirmed",
            Stop::AlreadyClosed => "AlreadyClosed",
            Stop::Expired => "Expired",
            Stop::StillPending | Stop::NothingHeld => "Failed",
        };
        Self::new(name, stop.to_string())
    }
}

/// Holds the stock of all lines of the order, or of none: `reserve-inventory` (`InventoryCheck`).
///
/// # Errors
/// `AlreadyConfirmed`, `AlreadyClosed`, `Expired`, `OutOfStock`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn reserve_inventory(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: Step,
) -> Result<(), StepError> {
    let (order, stored) = read_order_and_reservation(inventory, orders, &step).await?;
    let course = order.status.course();
    let past_deadline = order.is_past_deadline(step.now);
    let status = stored.map(|stored| stored.status);
    match rules::decide_hold(status, course, past_deadline)? {
        Hold::Done => return Ok(()),
        Hold::Reserve => {}
    }
    let quantities = order
        .lines
        .iter()
        .map(|line| (line.variant_id, line.quantity));
    let held = ReservationStatus::Held;
    let reservation = rules::first_reservation(order.id, held, quantities, step.now);
    let short = match inventory.hold(&reservation).await? {
        HoldOutcome::Held => return Ok(()),
        HoldOutcome::Refused(short) => short,
    };
    // The stock may be short because another run of this order holds it, or this run itself, if the response to its
    // write was lost. Then there is a reservation.
    let stored = inventory.reservation(step.order_id).await?;
    let status = stored.map(|stored| stored.status);
    match rules::decide_hold(status, course, past_deadline)? {
        Hold::Done => Ok(()),
        Hold::Reserve => Err(out_of_stock(&order, &short)),
    }
}

/// Commits the held stock of a confirmed order: `commit-inventory` (`InventoryUpdate`).
///
/// # Errors
/// `AlreadyClosed`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn commit_inventory(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: Step,
) -> Result<(), StepError> {
    dynamo::change("the reservation", || async {
        let (order, stored) = read_order_and_reservation(inventory, orders, &step).await?;
        let course = order.status.course();
        let Some(next) = rules::decide_commit(stored.as_ref(), course, step.now)? else {
            return Ok(Attempt::Done(()));
        };
        Ok(inventory.replace_reservation(&next).await?.into())
    })
    .await
}

/// Releases the stock of an order that has failed or is cancelled, and prevents a later hold for it:
/// `release-inventory` (`ReleaseInventory`).
///
/// # Errors
/// `AlreadyConfirmed`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn release_inventory(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: Step,
) -> Result<(), StepError> {
    dynamo::change("the reservation", || async {
        let (order, stored) = read_order_and_reservation(inventory, orders, &step).await?;
        let course = order.status.course();
        match rules::decide_release(step.order_id, stored.as_ref(), course, step.now)? {
            Release::Done => Ok(Attempt::Done(())),
            Release::PreventHold(next) => Ok(inventory.create_reservation(&next).await?.into()),
            Release::ReleaseStock(next) => release_stock(inventory, &next).await,
        }
    })
    .await
}

async fn release_stock(
    inventory: &InventoryStore,
    next: &Reservation,
) -> Result<Attempt<()>, StepError> {
    match inventory.release(next).await? {
        ReleaseOutcome::Released => Ok(Attempt::Done(())),
        ReleaseOutcome::Stale => Ok(Attempt::Overtaken),
        ReleaseOutcome::Unbalanced(products) => {
            let products: Vec<String> = products.iter().map(ToString::to_string).collect();
            let products = products.join(", ");
            let detail = format!("less of {products} is reserved than has to be released");
            Err(StepError::new("Failed", detail))
        }
    }
}

/// Reads the order and its reservation at the same time.
async fn read_order_and_reservation(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: &Step,
) -> Result<(Order, Option<Reservation>), StepError> {
    let (order, reservation) = futures::try_join!(
        orders.get(step.order_id),
        inventory.reservation(step.order_id),
    )?;
    let order = order.ok_or_else(|| StepError::new("OrderNotFound", "there is no such order"))?;
    Ok((order, reservation))
}

/// Returns the error that tells the customer which products are short.
fn out_of_stock(order: &Order, short: &[VariantId]) -> StepError {
    let lines = order.lines.iter();
    let names: Vec<&str> = lines
        .filter(|line| short.contains(&line.variant_id))
        .map(|line| line.name.as_str())
        .collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let first = names
        .into_iter()
        .take(MOST_NAMES)
        .collect::<Vec<_>>()
        .join(", ");
    let detail = match more {
        0 => format!("not enough in stock: {first}"),
        more => format!("not enough in stock: {first} and {more} more"),
    };
    StepError::new("OutOfStock", detail)
}
