//! The workflow's steps `InventoryCheck`, `InventoryUpdate` and `ReleaseInventory`. Each reads what is
//! stored, does what is missing, and may be run any number of times and beside itself.

use crate::aws::dynamo::{self, Attempt};
use crate::orders::model::Order;
use crate::orders::store::OrderStore;
use crate::runtime::{Step, StepError};
use crate::values::id::ProductId;

use super::model::{Reservation, ReservationStatus};
use super::rules::{self, Hold, Release, Stop};
use super::store::{GivenBack, InventoryStore, Taken};

/// How many products an out-of-stock failure names.
const NAMED: usize = 3;

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

/// `reserve-inventory` (`InventoryCheck`): holds the stock of all lines, or of none.
///
/// # Errors
/// `AlreadyConfirmed`, `AlreadyClosed`, `Expired`, `OutOfStock`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn reserve_inventory(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: Step,
) -> Result<(), StepError> {
    let (order, found) = read(inventory, orders, &step).await?;
    let course = order.status.course();
    let past_deadline = order.is_past_deadline(step.now);
    match rules::hold(found.map(|found| found.status), course, past_deadline)? {
        Hold::Done => return Ok(()),
        Hold::Take => {}
    }
    let quantities = order
        .lines
        .iter()
        .map(|line| (line.product_id, line.quantity));
    let held = ReservationStatus::Held;
    let reservation = rules::reservation(order.id, held, quantities, step.now);
    let short = match inventory.take(&reservation).await? {
        Taken::Done => return Ok(()),
        Taken::Refused(short) => short,
    };
    // The reservation goes before the stock: what is short may be short because another run of this
    // order, or this very write whose answer was lost, holds it.
    let found = inventory.reservation(step.order_id).await?;
    match rules::hold(found.map(|found| found.status), course, past_deadline)? {
        Hold::Done => Ok(()),
        Hold::Take => Err(out_of_stock(&order, &short)),
    }
}

/// `commit-inventory` (`InventoryUpdate`): makes the hold of a confirmed order a commitment.
///
/// # Errors
/// `AlreadyClosed`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn commit_inventory(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: Step,
) -> Result<(), StepError> {
    dynamo::change("the reservation", || async {
        let (order, found) = read(inventory, orders, &step).await?;
        let course = order.status.course();
        let Some(next) = rules::commit(found.as_ref(), course, step.now)? else {
            return Ok(Attempt::Done(()));
        };
        Ok(inventory.replace(&next).await?.into())
    })
    .await
}

/// `release-inventory` (`ReleaseInventory`): gives back what is held or committed for an order that
/// has failed or is cancelled, and sees to it that nothing will be held for it later.
///
/// # Errors
/// `AlreadyConfirmed`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn release_inventory(
    inventory: &InventoryStore,
    orders: &OrderStore,
    step: Step,
) -> Result<(), StepError> {
    dynamo::change("the reservation", || async {
        let (order, found) = read(inventory, orders, &step).await?;
        let course = order.status.course();
        match rules::release(step.order_id, found.as_ref(), course, step.now)? {
            Release::Done => Ok(Attempt::Done(())),
            Release::Bar(next) => Ok(inventory.bar(&next).await?.into()),
            Release::GiveBack(next) => give_back(inventory, &next).await,
        }
    })
    .await
}

async fn give_back(
    inventory: &InventoryStore,
    next: &Reservation,
) -> Result<Attempt<()>, StepError> {
    match inventory.give_back(next).await? {
        GivenBack::Done => Ok(Attempt::Done(())),
        GivenBack::Stale => Ok(Attempt::Overtaken),
        GivenBack::Unbalanced(products) => {
            let products: Vec<String> = products.iter().map(ToString::to_string).collect();
            let products = products.join(", ");
            let detail = format!("less is reserved of {products} than is to be given back");
            Err(StepError::new("Failed", detail))
        }
    }
}

/// Reads the order and its reservation, both at once.
async fn read(
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

/// Names the first products of which there is too little, for the customer.
fn out_of_stock(order: &Order, short: &[ProductId]) -> StepError {
    let lines = order.lines.iter();
    let names: Vec<&str> = lines
        .filter(|line| short.contains(&line.product_id))
        .map(|line| line.name.as_str())
        .collect();
    let more = names.len().saturating_sub(NAMED);
    let first = names.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    let detail = match more {
        0 => format!("not enough in stock: {first}"),
        more => format!("not enough in stock: {first} and {more} more"),
    };
    StepError::new("OutOfStock", detail)
}
